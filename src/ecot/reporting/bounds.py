"""Bounds on the distortion of an image task, from its test set alone."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ecot.cells import MeasurementSettings, dataset_path, measurement_settings
from ecot.coding import randomness
from ecot.config import Config, Degradation, TaskSettings
from ecot.data import degradations
from ecot.data.datasets import load
from ecot.files import atomic
from ecot.theory import images as theory

ESTIMATED = range(5)  # rates of the entropic estimate, bits; more than the samples support are left out
CURVE_RATES = 25  # of the Gaussian curves, beside the rates of the grid


class Pairs(NamedTuple):
    """Degraded images and the clean ones they were made from, float32, shape (n, pixels x channels) each."""

    x: NDArray[np.float32]
    y: NDArray[np.float32]


def compute(config: Config, task: str, dataset: Path | None = None, rates: ArrayLike | None = None) -> pd.DataFrame:
    """The bounds on a task's test set, by default at the rates of `rates_of`.

    Columns: task, dataset, n_test, then those of `ecot.theory.images.bounds`. Squared errors are per pixel and
    channel, rates bits an image.

    The law is that of the measured distortion: X is uniform on the degraded test images, noise included, and
    the output has the mean and covariance of the clean ones. EcotError if there is no such task or its data
    are missing or damaged, ValueError for a wrong rate.
    """
    measured, settings = measurement_settings(config, task), config.tasks[task]
    x, y = pairs(dataset or dataset_path(settings.dataset), settings.degradation, measured)
    found = theory.bounds(x, y, rates_of(settings) if rates is None else rates)
    return pd.DataFrame({"task": task, "dataset": settings.dataset, "n_test": len(x)}, found.index).join(found)


def pairs(dataset: Path, degradation: Degradation, measured: MeasurementSettings) -> Pairs:
    """The test set as every cell is measured on it, with the same noise."""
    clean = load(dataset, "test", measured.n_test).images
    degrade = degradations.operator(degradation, clean.shape[-1])
    y: NDArray[np.float32] = clean.astype(np.float32) / np.float32(255)
    stream = np.random.Generator(np.random.Philox(key=randomness.key(measured.seed, "test noise")))
    noise = stream.standard_normal(clean.shape, np.float32) if degrade.noise_std else None
    x: NDArray[np.float32] = degrade(y, noise)
    return Pairs(x.reshape(len(x), -1), y.reshape(len(y), -1))


def rates_of(task: TaskSettings) -> list[float]:
    """Rates at which a task's bounds are written, bits an image: those of its grid, and enough for a curve."""
    grid = task.rates()
    curve = np.linspace(0, max(grid, default=0), CURVE_RATES).round()
    return [float(rate) for rate in sorted({*grid, *curve, *ESTIMATED})]


def write(bounds: pd.DataFrame, path: Path) -> None:
    """Write a table of bounds (.csv)."""
    with atomic(path) as temporary:
        bounds.to_csv(temporary, index=False)
