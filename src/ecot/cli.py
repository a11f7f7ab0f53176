"""`ecot`: every step of the pipeline as a command, usable without Snakemake.

Modules that need torch or a plotting library are imported by the command that uses them, so that
the others start at once.
"""

import json
import logging
import sys
from pathlib import Path
from typing import Any, get_args

import click

from ecot.cells import Cell, cell_settings, dataset_path, measurement_settings, results_folder
from ecot.config import Config, Randomness, json_schema
from ecot.config import load as load_config
from ecot.errors import EcotError
from ecot.files import write_text


class _Commands(click.Group):
    """Turns errors that a user may see into one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EcotError as error:
            click.echo(f"ecot: {error}", err=True)
            sys.exit(1)


def _configuration(_ctx: click.Context, _parameter: click.Parameter, paths: tuple[Path, ...]) -> Config:
    return load_config(*paths)


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    multiple=True,
    default=["config.yaml"],
    show_default=True,
    callback=_configuration,
    help="Configuration file; given again, each is laid over those before it.",
)
dataset_option = click.option(
    "--dataset",
    type=click.Path(path_type=Path),
    help="Prepared data set (.npz).  [default: results/datasets/NAME.npz]",
)
out_option = click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder or file to write.")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(package_name="ecot")
def main() -> None:
    """Lossy compression with distribution shift: data, training, evaluation, tables, figures."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)


@main.command()
@click.argument("name")
@config_option
@out_option
def data(name: str, config: Config, out: Path) -> None:
    """Fetch data set NAME into data.root if it is not there, check it, and convert it to the array file OUT (.npz)."""
    from ecot.data.datasets import prepare

    prepare(name, Path(config.data.root), out)


@main.command()
@out_option
def schema(out: Path) -> None:
    """Write the JSON schema of the configuration to OUT."""
    write_text(out, json.dumps(json_schema(), indent=2) + "\n")


@main.group()
def train() -> None:
    """Train one cell of the grid."""


@train.command("end-to-end")
@config_option
@click.option("--task", required=True)
@click.option("--rate", type=int, required=True, help="Bits an image.")
@click.option("--randomness", type=click.Choice(get_args(Randomness)), required=True)
@click.option("--seed", type=int, default=0)
@dataset_option
@out_option
def train_end_to_end(
    config: Config, task: str, rate: int, randomness: Randomness, seed: int, dataset: Path | None, out: Path
) -> None:
    """Encoder and decoder on the objective (15)."""
    from ecot.training.cell import train as train_cell

    settings = cell_settings(config, Cell(task, "end_to_end", randomness, rate, seed))
    train_cell(settings, dataset or dataset_path(settings.dataset), config.device, out)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@config_option
@dataset_option
def evaluate(folder: Path, config: Config, dataset: Path | None) -> None:
    """Measure the model in the cell's FOLDER on the test set."""
    from ecot.evaluation.cell import evaluate as evaluate_cell
    from ecot.training.checkpoint import load as load_model

    settings = load_model(folder / "model.safetensors").settings
    test = measurement_settings(config, settings.task)
    evaluate_cell(folder, dataset or dataset_path(settings.dataset), test, config.device)


@main.command()
@config_option
def collect(config: Config) -> None:
    """Gather the metrics of all cells in results/RUN/metrics.csv."""
    from ecot.reporting.metrics import collect as collect_metrics

    collect_metrics(config)


@main.command()
@click.argument("number", type=int)
@config_option
def table(number: int, config: Config) -> None:
    """Write Table NUMBER of the paper, from this run, to results/RUN/tables."""
    from ecot.reporting.tables import write

    write(number, config)


@main.command()
@click.argument("number", type=int)
@config_option
def figure(number: int, config: Config) -> None:
    """Write Figure NUMBER of the paper, from this run, to results/RUN/figures."""
    from ecot.reporting.figures import write

    write(number, config)


@main.command()
@config_option
def incomplete(config: Config) -> None:
    """Write the tables and figures of which some cells are missing, each saying which."""
    from ecot.reporting import figures, metrics, tables
    from ecot.reporting.catalogue import FIGURES, TABLES

    for catalogue, writer in ((TABLES, tables.write), (FIGURES, figures.write)):
        for number, product in catalogue.items():
            found = metrics.of(product, config)
            if found.missing and len(found.table):
                writer(number, config)


@main.command()
@config_option
def show(config: Config) -> None:
    """Print the run's tables and where its figures are."""
    results = results_folder(config)
    for path in sorted((results / "tables").glob("*.md")):
        click.echo(path.read_text(encoding="utf-8"))
    for kind in ("tables/*.csv", "figures/*.png", "metrics.csv"):
        for path in sorted(results.glob(kind)):
            click.echo(path)
