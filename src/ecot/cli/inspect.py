"""Commands that look at what is there: the index of a run, models that no run needs, the differences of two runs."""

from pathlib import Path

import click

from ecot.cli.options import config_option
from ecot.config import Config
from ecot.grid import index as indexes
from ecot.grid import store


@click.command()
@config_option
def index(config: Config) -> None:
    """Write results/RUN/config.yaml and results/RUN/cells.csv: which models belong to the run."""
    if removed := indexes.removed(config):
        click.echo(indexes.farewell(config.run, removed), err=True)
    click.echo(indexes.write(config))


@click.command()
@config_option
@click.option("--yes", is_flag=True, help="Delete what is listed.")
def prune(config: Config, yes: bool) -> None:
    """List the trained models that no run's index refers to, with their sizes. With --yes, delete them."""
    unused = store.unused()
    for entry in unused:
        click.echo(f"{entry.bytes / 1e6:9.1f} MB  {entry.folder}  {entry.reason}")
    total = sum(entry.bytes for entry in unused) / 1e6
    if not unused:
        click.echo("every trained model belongs to a run")
    elif yes:
        for entry in unused:
            store.delete(entry)
        click.echo(f"deleted {len(unused)}, {total:.1f} MB")
    else:
        click.echo(f"{len(unused)} in all, {total:.1f} MB; --yes deletes them")


@click.command()
@click.argument("first")
@click.argument("second")
def compare(first: str, second: str) -> None:
    """Set the metrics of two runs side by side, cell by cell. Equal fingerprints mean one and the same model."""
    from ecot.products.run_comparison import compare as compare_runs

    click.echo(compare_runs(Path(first).name, Path(second).name))
