"""Commands that look at a run: its state, what it will take, its index, unused models, the difference of two runs."""

from pathlib import Path

import click

from ecot.cli.options import config_option
from ecot.config import Config
from ecot.errors import EcotError
from ecot.grid import index as indexes
from ecot.grid import store
from ecot.grid.paths import index_path


@click.command()
@config_option
def index(config: Config) -> None:
    """Write results/RUN/config.yaml and results/RUN/cells.csv: which models belong to the run."""
    if removed := indexes.removed(config):
        click.echo(indexes.farewell(config.run, removed), err=True)
    click.echo(indexes.write(config))


@click.command()
@click.option("--run", help="The run.  [default: the configuration's]")
@config_option
def status(run: str | None, config: Config) -> None:
    """Print the grid of a run: cells done, running, failed and missing, from the files alone."""
    from ecot.status import messages
    from ecot.status.cells import survey

    name = Path(run).name if run else config.run
    if not index_path(name).is_file():
        raise EcotError(
            f"run {name} has not been started here; `snakemake` starts it, `ecot plan` says what it takes"
        )
    click.echo(messages.grid(name, survey(indexes.read(name))))


@click.command()
@click.option("--cores", type=click.IntRange(min=1), help="CPU cores to plan with.  [default: all]")
@config_option
def plan(cores: int | None, config: Config) -> None:
    """Print what a configuration will take on this machine (cells, hours, disk, devices) and what is in its way."""
    from ecot.status import messages
    from ecot.status.obstacles import obstacles
    from ecot.status.outlook import outlook

    found = outlook(config, cores)
    click.echo(messages.plan(config, found))
    click.echo("\n" + messages.obstacle_list(obstacles(config, found.expected, found.accelerators)))


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
