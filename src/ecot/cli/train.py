"""Commands that train and measure one cell."""

import logging
from dataclasses import replace
from pathlib import Path

import click

from ecot.cli.options import cell_argument, config_option, weight_option
from ecot.config import Config
from ecot.errors import MistakeError
from ecot.grid import paths
from ecot.grid.cell import Cell
from ecot.grid.plan import cell_settings, measurement_settings
from ecot.machine.leases import lease
from ecot.machine.locks import alone

log = logging.getLogger(__name__)

into_option = click.option(
    "--into",
    type=click.Path(path_type=Path),
    help="The folder in which the result is expected. Another one than the configuration gives is refused.",
)


@click.command()
@cell_argument
@config_option
@weight_option
@click.option("--force", is_flag=True, help="Train a finished model again.")
@into_option
def train(cell: Cell, config: Config, weight: float | None, force: bool, into: Path | None) -> None:
    """Train CELL, for example super_resolution/end_to_end/common/rate-10/seed-0.

    The model goes to results/cells/CELL/FINGERPRINT, where all runs find it. A model that is there already is not
    trained again.
    """
    cell = replace(cell, weight=weight)
    settings, folder = cell_settings(config, cell), paths.model_folder(config, cell)
    _require(into, folder, cell)
    base = cell.builds_on
    frozen = paths.model_folder(config, base) if base else None
    # The folder first: who waits for it holds no device. The device before torch is imported.
    with alone(folder), lease(config.device, config.compute.jobs_per_device):
        from ecot.engine.job import train as train_cell

        dataset = paths.dataset_path(settings.dataset)
        logs = paths.cell_logs(folder)
        train_cell(settings, dataset, config.device, config.compute, folder, frozen, force=force, logs=logs)


@click.command()
@cell_argument
@config_option
@weight_option
@into_option
def evaluate(cell: Cell, config: Config, weight: float | None, into: Path | None) -> None:
    """Measure the model of CELL on the test set."""
    cell = replace(cell, weight=weight)
    settings, folder = cell_settings(config, cell), paths.model_folder(config, cell)
    out = paths.measurement_folder(config, cell)
    _require(into, out, cell)
    with alone(folder), lease(config.device, config.compute.jobs_per_device):
        from ecot.evaluation.job import measure_cell

        measure_cell(
            settings,
            measurement_settings(config, cell.task),
            folder,
            paths.dataset_path(settings.dataset),
            paths.classifier_path(settings.dataset),
            config.device,
            out,
        )


def _require(into: Path | None, expected: Path, cell: Cell) -> None:
    """Refuse a folder that is not the one of the configuration: any name would match a rule's wildcard."""
    if into is not None and into != expected:
        raise MistakeError(f"{into} is not the folder of {cell.name} in this configuration, which is {expected}")
