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

from ecot import __version__
from ecot.cells import (
    Cell,
    bounds_path,
    cell_settings,
    classifier_path,
    dataset_path,
    grid,
    levels_path,
    measurement_settings,
    results_folder,
)
from ecot.cli_bounds import bounds
from ecot.cli_options import config_option, dataset_option
from ecot.config import Config, Randomness, json_schema
from ecot.errors import EcotError
from ecot.files import write_text
from ecot.locks import alone
from ecot.training.leases import lease


class _Commands(click.Group):
    """Turns errors that a user may see into one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EcotError as error:
            click.echo(f"ecot: {error}", err=True)
            sys.exit(1)


out_option = click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder or file to write.")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__)
def main() -> None:
    """Lossy compression with distribution shift: data, training, evaluation, tables, figures."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)


main.add_command(bounds)


@main.command()
@click.argument("name")
@config_option
@out_option
def data(name: str, config: Config, out: Path) -> None:
    """Fetch data set NAME into data.root if need be, check it, and convert it to the array file OUT (.npz)."""
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


task_option = click.option("--task", required=True)
rate_option = click.option("--rate", type=int, required=True, help="Bits an image.")
randomness_option = click.option("--randomness", type=click.Choice(get_args(Randomness)), required=True)
seed_option = click.option("--seed", type=int, default=0)
frozen_option = click.option(
    "--frozen",
    type=click.Path(path_type=Path),
    help="Folder of the trained cell that this one stands on.  [default: its folder in results/RUN]",
)


@train.command("end-to-end")
@config_option
@task_option
@rate_option
@randomness_option
@seed_option
@click.option("--weight", type=click.FloatRange(min=0), help="lambda of (15).  [default: the configuration's]")
@dataset_option
@out_option
def train_end_to_end(
    config: Config,
    task: str,
    rate: int,
    randomness: Randomness,
    seed: int,
    weight: float | None,
    dataset: Path | None,
    out: Path,
) -> None:
    """Encoder and decoder on the objective (15)."""
    _train(config, Cell(task, "end_to_end", randomness, rate, seed, weight), dataset, out)


@train.command("joint")
@config_option
@task_option
@rate_option
@seed_option
@dataset_option
@frozen_option
@out_option
def train_joint(
    config: Config, task: str, rate: int, seed: int, dataset: Path | None, frozen: Path | None, out: Path
) -> None:
    """Two decoders behind a frozen end-to-end encoder on the sum (18)."""
    _train(config, Cell(task, "joint", "independent", rate, seed), dataset, out, frozen)


@train.command("separate")
@config_option
@task_option
@rate_option
@seed_option
@dataset_option
@frozen_option
@out_option
def train_separate(
    config: Config, task: str, rate: int, seed: int, dataset: Path | None, frozen: Path | None, out: Path
) -> None:
    """Two encoder-decoder pairs, one for (a) and one for (b) of (18)."""
    _train(config, Cell(task, "separate", "independent", rate, seed), dataset, out, frozen)


@train.command("restoration")
@config_option
@task_option
@seed_option
@dataset_option
@out_option
def train_restoration(config: Config, task: str, seed: int, dataset: Path | None, out: Path) -> None:
    """The baseline's U-Net on (70)."""
    _train(config, Cell(task, "restoration", None, None, seed), dataset, out)


@train.command("baseline")
@config_option
@task_option
@rate_option
@randomness_option
@seed_option
@dataset_option
@frozen_option
@out_option
def train_baseline(
    config: Config,
    task: str,
    rate: int,
    randomness: Randomness,
    seed: int,
    dataset: Path | None,
    frozen: Path | None,
    out: Path,
) -> None:
    """A compressor behind the frozen U-Net on (71)."""
    _train(config, Cell(task, "baseline", randomness, rate, seed), dataset, out, frozen)


def _train(config: Config, cell: Cell, dataset: Path | None, out: Path, frozen: Path | None = None) -> None:
    settings = cell_settings(config, cell)
    if cell.needs is not None:
        frozen = frozen or results_folder(config) / cell.needs.folder
    # The folder first: who waits for it holds no device. The device before torch is imported.
    with alone(out), lease(config.device, config.compute.jobs_per_device):
        from ecot.training.cell import train as train_cell

        path = dataset or dataset_path(settings.dataset)
        train_cell(settings, path, config.device, config.compute, out, frozen)


@main.command()
@click.argument("dataset", type=click.Path(path_type=Path))
@config_option
@out_option
def classifier(dataset: Path, config: Config, out: Path) -> None:
    """Train the classifier of the prepared data set DATASET (.npz); its features tell outputs from clean images."""
    with lease(config.device, config.compute.jobs_per_device):
        from ecot.training.classifier import train as train_classifier

        train_classifier(dataset, config.device, out)


classifier_option = click.option(
    "--classifier",
    type=click.Path(path_type=Path),
    help="The data set's classifier.  [default: results/datasets/NAME.classifier.safetensors]",
)


@main.command()
@click.argument("folder", type=click.Path(path_type=Path))
@config_option
@dataset_option
@classifier_option
def evaluate(folder: Path, config: Config, dataset: Path | None, classifier: Path | None) -> None:
    """Measure the model in the cell's FOLDER on the test set."""
    with alone(folder), lease(config.device, config.compute.jobs_per_device):
        from ecot.evaluation.cell import evaluate as evaluate_cell
        from ecot.training.checkpoint import load as load_model

        settings = load_model(folder / "model.safetensors").settings
        test = measurement_settings(config, settings.task)
        evaluate_cell(
            folder,
            dataset or dataset_path(settings.dataset),
            classifier or classifier_path(settings.dataset),
            test,
            config.device,
        )


@main.command("fit-weight")
@task_option
@config_option
def fit_weight(task: str, config: Config) -> None:
    """Fit lambda to the paper's tables, from the measured sweep; written to results/RUN/fit_weight."""
    from ecot.reporting.weight import write

    write(task, config)


@main.command()
@task_option
@config_option
@dataset_option
@classifier_option
@out_option
def levels(task: str, config: Config, dataset: Path | None, classifier: Path | None, out: Path) -> None:
    """Write to OUT what the measures of the constraint give for clean images in place of a task's outputs."""
    with lease(config.device, config.compute.jobs_per_device):
        from ecot.evaluation.constraint import write_levels

        settings = config.tasks[task]
        write_levels(
            task,
            settings.n_train,
            dataset or dataset_path(settings.dataset),
            classifier or classifier_path(settings.dataset),
            measurement_settings(config, task),
            config.device,
            out,
        )


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
@config_option
def settings(config: Config) -> None:
    """Write Tables 3 and 4, the settings of training, to results/RUN/tables."""
    from ecot.reporting.settings import write_settings

    write_settings(config)


@main.command()
@config_option
def architectures(config: Config) -> None:
    """Write Tables 12 to 15, the networks, to results/RUN/tables."""
    from ecot.reporting.catalogue import ARCHITECTURES
    from ecot.reporting.catalogue import architectures as tables_of
    from ecot.reporting.settings import write_architecture
    from ecot.tasks.architecture import layers

    for number, widest in tables_of(config).items():
        found, mode = cell_settings(config, widest), ARCHITECTURES[number][1]
        write_architecture(number, config, layers(widest.task, mode, found.latent_dim, found.width), found.latent_dim)


@main.command()
@click.argument("numbers", type=int, nargs=-1, required=True)
@config_option
def figure(numbers: tuple[int, ...], config: Config) -> None:
    """Write Figures NUMBERS of the paper to results/RUN/figures; 3, 6, 7 and 8 need no run."""
    from ecot.reporting.catalogue import THEORY_FIGURES

    for number in numbers:
        if number in THEORY_FIGURES:
            from ecot.reporting.theory import write
        else:
            from ecot.reporting.figures import write
        write(number, config)


@main.command("constraint")
@config_option
def constraint_command(config: Config) -> None:
    """Write the table and the figure of how far the outputs are from the law of the clean images."""
    from ecot.reporting.constraint import write

    write(config)


@main.command()
@config_option
def paired(config: Config) -> None:
    """Write the paired comparisons over seeds to results/RUN/tables."""
    from ecot.reporting.paired import write

    write(config)


@main.command()
@config_option
def claims(config: Config) -> None:
    """Check each claim of the paper on this run, on the published numbers and by theory: results/RUN/claims.md."""
    from ecot.reporting.claims import write

    write(config)


@main.command()
@config_option
def comparison(config: Config) -> None:
    """Set every published number beside this run's: results/RUN/paper_comparison.md, paper_summary.md."""
    from ecot.reporting.comparison import write

    write(config)


@main.command()
@config_option
def incomplete(config: Config) -> None:
    """Write the tables and figures of which some cells, or the bounds, are missing; each says which cells."""
    from ecot.reporting import claims, comparison, constraint, figures, metrics, paired, tables
    from ecot.reporting.catalogue import FIGURES, TABLES

    for number, product in TABLES.items():
        found = metrics.of(product, config)
        if found.missing and len(found.table):
            tables.write(number, config)
    bounds_missing = any(not bounds_path(config, task).is_file() for task in config.tasks)
    for number, product in FIGURES.items():
        found = metrics.of(product, config)
        if (found.missing or bounds_missing) and len(found.table):
            figures.write(number, config)
    found = metrics.rated(config)
    if (found.missing or bounds_missing) and len(found.table):
        for whole in (paired, claims, comparison):
            whole.write(config)
    everything = metrics.read(list(grid(config)), config)
    levels_missing = any(not levels_path(config, task).is_file() for task in config.tasks)
    if (everything.missing or bounds_missing or levels_missing) and len(everything.table):
        constraint.write(config)


@main.command()
@config_option
def reference(config: Config) -> None:
    """Keep the finished run's results in results/reference/RUN, which belongs in git."""
    from ecot.reporting.reference import keep

    click.echo(keep(config))


@main.command()
@config_option
def show(config: Config) -> None:
    """Print the run's tables, what of the paper holds, and where its figures are."""
    from ecot.reporting.catalogue import TABLES

    results = results_folder(config)
    names = [f"tables/table_{number:02d}" for number in TABLES]
    for name in (*names, "tables/constraint", "tables/paired", "claims", "paper_summary"):
        path = results / f"{name}.md"
        if path.is_file():
            click.echo(path.read_text(encoding="utf-8"))
    for kind in ("tables/*.csv", "figures/*.png", "bounds/*.csv", "fit_weight/*", "*.csv", "paper_comparison.md"):
        for path in sorted(results.glob(kind)):
            click.echo(path)
