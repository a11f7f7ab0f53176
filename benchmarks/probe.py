"""A probe: one cell, trained with one thing changed, and measured after each epoch.

    python -m benchmarks.probe FOLDER --cell NAME --dataset FILE --config config.yaml --config probe.yaml

It trains as the pipeline does. Beside both errors it measures the Wasserstein-1 distance by the training critic, the
variance of the outputs, and how much of what the degradation took away the outputs hold. FOLDER gets `probe.csv`,
with a row for each epoch, and `state.safetensors`, from which a probe that was killed goes on. `--start FOLDER` goes
on from the state of another probe, so that the two differ in one setting alone. The overlays are in
benchmarks/probes, the results in docs/probes.md.
"""

import logging
import math
import shutil
import time
from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from benchmarks import measuring
from ecot import config as configuration
from ecot.config import Config
from ecot.data.arrays import checksum, measured_split
from ecot.engine.loop import Progress, Row
from ecot.engine.state import State
from ecot.engine.training import Training
from ecot.evaluation.degraded import batches
from ecot.files import atomic
from ecot.grid import fingerprint
from ecot.grid.cell import Cell
from ecot.grid.cell_settings import CellSettings
from ecot.grid.plan import cell_settings, grid
from ecot.machine import devices
from ecot.systems.objectives import squared_error

QUANTITIES = ("mse_input", "mse_target", "w1", "regained", "variance")
BATCH = 500  # images at a time in a measurement


@click.command(context_settings={"show_default": True})
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--cell", required=True, help="Name of a cell of the configuration's grid; its mode freezes no model.")
@click.option("--dataset", required=True, type=click.Path(exists=True, path_type=Path), help="Prepared array file.")
@click.option("--config", "configs", multiple=True, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--validation", default=5000, help="Training images to keep out and to measure on; 0: the test images.")
@click.option("--start", type=click.Path(exists=True, path_type=Path), help="Folder of the probe to go on from.")
@click.option("--save-minutes", default=5.0, help="How often the state is saved.")
def main(
    folder: Path, cell: str, dataset: Path, configs: tuple[Path, ...], validation: int, start: Path | None,
    save_minutes: float,
) -> None:  # fmt: skip
    """Train the cell and measure it after each epoch."""
    logging.disable(logging.INFO)
    settings = _settings(configuration.load(*configs), cell, validation)
    device = measuring.choose("cpu", threads=settings.training.threads, precision=settings.training.precision)
    click.echo(f"{measuring.machine(device)}\n{cell}")
    sha256 = checksum(dataset, settings.dataset, settings.dataset_version)
    training = Training(settings, dataset, device, None)
    images = measured_split(dataset, settings.n_train, settings.n_validation, None).images
    # What two probes share of which one starts from the other's state, and what decides this one.
    shared = {"cell": cell, "data": sha256, "images kept out": str(validation)}
    state = State(folder, shared | {"settings and code": fingerprint.trained(settings)}, devices.describe(device))
    if start is not None and not state.path.is_file():
        progress = begin(start, State(folder, shared, state.machine), training)
    else:
        progress = state.restore(training.tensors())
    training.run(progress, Probe(state, training, images, 60 * save_minutes, progress))


def begin(start: Path, state: State, training: Training) -> Progress:
    """Take up a copy of the state of the probe in `start`. ClickException if it is none of this cell and data."""
    source = start / state.path.name
    if not source.is_file():
        raise click.ClickException(f"{start} holds no state of a probe")
    state.path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, state.path)
    progress = state.restore(training.tensors())
    if not progress.resumed:
        raise click.ClickException(f"{source} is no state to start from")
    return progress


class Probe:
    """Follows a training: measures it after each epoch, and keeps its state."""

    def __init__(
        self, state: State, training: Training, images: NDArray[np.uint8], seconds: float, progress: Progress
    ) -> None:
        self.state, self.training, self.images, self.seconds = state, training, images, seconds
        self.progress = progress
        self.last = time.monotonic()

    def step_done(self, images: int) -> None:
        """Nothing to show: a probe runs in the background."""

    def wants_state(self) -> bool:
        """Whether the last state is old enough."""
        return time.monotonic() - self.last >= self.seconds

    def save(self, progress: Progress) -> None:
        """Keep the state."""
        self.state.save(progress, self.training.tensors())
        self.last = time.monotonic()

    def epoch_done(self, row: Row, epochs: int) -> None:
        """Measure, add what is measured to the epoch's row, and keep rows and state."""
        row |= measured(self.training, self.images)
        self.save(self.progress)
        with atomic(self.state.path.with_name("probe.csv")) as temporary:
            pd.DataFrame(self.progress.history).to_csv(temporary, index=False)
        said = ", ".join(f"{name} {row[name]:.4f}" for name in QUANTITIES)
        click.echo(f"epoch {row['epoch']:.0f}/{epochs}: {said}, {row['seconds']:.0f} s")


@torch.no_grad()
def measured(training: Training, images: NDArray[np.uint8]) -> Row:
    """What the system does with these clean images (n, c, h, w), all per pixel except w1.

    mse_input and mse_target are E||X - Y_hat||^2 and E||Y - Y_hat||^2; w1 is mean h(Y) - mean h(Y_hat) of the
    training critic h, NaN without one; regained is E<Y - X, Y_hat>, what the outputs hold of the difference that the
    degradation made; variance is that of the outputs, averaged over the pixels.
    """
    trainer, settings = training.trainer, training.trainer.settings
    trainer.system.eval()
    sums = dict.fromkeys(QUANTITIES[:4], 0.0)
    outputs: list[Tensor] = []
    for batch in batches(
        images, settings.degradation, 0, BATCH,
        dithers=settings.dithers, latent_dim=settings.latent_dim, levels=settings.levels,
        shared_bits=settings.shared_bits, convert=torch.from_numpy,
    ):  # fmt: skip
        output = trainer.system(batch.x, batch.u).output
        outputs.append(output)
        h = trainer.critic
        values = {
            "mse_input": squared_error(batch.x, output),
            "mse_target": squared_error(batch.y, output),
            "w1": math.nan if h is None else h(batch.y).mean() - h(output).mean(),
            "regained": ((batch.y - batch.x) * output).mean(),
        }
        for name, value in values.items():
            sums[name] += float(value) * len(output) / len(images)
    return sums | {"variance": float(torch.cat(outputs).var(0).mean())}


def _settings(config: Config, name: str, validation: int) -> CellSettings:
    cell = Cell.parse(name)
    if cell not in grid(config):
        raise click.ClickException(f"{name} is no cell of the configuration")
    settings = cell_settings(config, cell)
    if settings.frozen is not None:
        raise click.ClickException(f"{name} builds on another model; a probe trains one alone")
    return settings.model_copy(update={"n_validation": validation or None})


if __name__ == "__main__":
    main()
