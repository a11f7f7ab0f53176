"""Bounds on the distortion of each image task, from its test set alone."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from ecot import sealed
from ecot.artefacts import DamagedError
from ecot.config import Config, TaskSettings
from ecot.data.arrays import checksum, load
from ecot.data.sets import DATASETS
from ecot.degradations import KINDS, DegradationSettings
from ecot.evaluation.degraded import batches
from ecot.grid import fingerprint
from ecot.grid.paths import dataset_path, image_bounds_path
from ecot.grid.plan import measurement_settings, task_settings, tasks
from ecot.products import reading
from ecot.products.base import Product, declare
from ecot.source import code_hash
from ecot.tasks import TASKS

ESTIMATED = range(5)  # rates of the entropic estimate, bits; those that the samples do not support are left out
CURVE_RATES = 25  # of the Gaussian curves, beside the rates of the grid


@dataclass(frozen=True)
class ImageBounds(Product):
    """bounds/images_<task>.csv: what the test images of a task say about its distortion before any training."""

    task: str
    dataset: str
    dataset_version: int
    n_test: int | None
    seed: int  # of the noise of the test set
    degradation: DegradationSettings
    rates: tuple[float, ...]  # bits per image
    job: ClassVar[str | None] = "evaluate"

    @property
    def modules(self) -> tuple[str, ...]:
        return (*super().modules, KINDS[self.degradation.kind].module)

    def files(self, config: Config) -> list[Path]:
        return [image_bounds_path(config, self.task)]

    def reads(self, config: Config) -> list[Path]:
        path = dataset_path(self.dataset)
        return [path, path.with_suffix(".json")]

    def write(self, config: Config, folder: Path) -> None:
        table = self.table().drop(columns=["task", "dataset"])  # which it is made for
        write(table, folder / "bounds" / f"images_{self.task}.csv", made_for(config, self.task))

    @property
    def fingerprint(self) -> str:
        """The fingerprint of all that decides the bounds."""
        decided_by = {name: getattr(self, name) for name in ("n_test", "seed", "rates")}
        data = self.dataset, self.dataset_version, self.degradation.model_dump(mode="json")
        return fingerprint.of(decided_by, data, code_hash(*self.modules))

    def table(self) -> pd.DataFrame:
        """The bounds; for columns, law and errors see `compute`."""
        from ecot.theory import images as theory  # its solvers take a second to import, which planning does not need

        path = dataset_path(self.dataset)
        checksum(path, self.dataset, self.dataset_version)
        images = load(path, "test", self.n_test).images
        (test_set,) = batches(images, self.degradation, self.seed, size=len(images))
        bounds = theory.bounds(test_set.x.reshape(len(images), -1), test_set.y.reshape(len(images), -1), self.rates)
        about = pd.DataFrame({"task": self.task, "dataset": self.dataset, "n_test": len(images)}, bounds.index)
        return about.join(bounds)


def compute(config: Config, task: str, rates: ArrayLike | None = None) -> pd.DataFrame:
    """The bounds on the test set of a task, by default at the rates of its grid and at enough others for a curve.

    Columns: task, dataset, n_test, then those of `ecot.theory.images.bounds`. Squared errors are per pixel and
    channel, rates are bits per image.

    The law is that of the measured distortion: X is uniform on the degraded test images, noise included, and the
    output has the mean and covariance of the clean ones. Raises EcotError if there is no such task or its data are
    missing or damaged, and ValueError for a wrong rate.
    """
    product = of_task(config, task)
    if rates is not None:
        product = replace(product, rates=tuple(np.ravel(rates).tolist()))
    return product.table()


def made_for(config: Config, task: str) -> reading.MadeFor:
    """What the bounds of a task are made for: all that decides them."""
    return reading.made_for(config, task, of_task(config, task).fingerprint)


def write(bounds: pd.DataFrame, path: Path, made_for: Mapping[str, object]) -> None:
    """Write a table of bounds (.csv), which says what it was made for."""
    sealed.write(path, made_for, bounds.astype(object).where(bounds.notna(), None).to_dict("records"))


def read(config: Config, task: str) -> pd.DataFrame | None:
    """The written bounds of a task, indexed by bound; None if they are not computed.

    Raises DamagedError if the file is not that of the task, or has a value that no bound has.
    """
    path = image_bounds_path(config, task)
    if not path.is_file():
        return None
    try:
        bounds = reading.table(path, made_for(config, task)).set_index("bound")
        if not (np.isfinite(bounds.distortion) & (bounds.distortion >= 0)).all():
            raise ValueError("a distortion is not finite, or below 0")
        float(bounds.distortion["gelbrich_floor"])
    except reading.DAMAGED as error:
        raise DamagedError(path, error, f"`ecot make bounds_images_{task}` makes it again") from None
    return bounds


def of_task(config: Config, task: str) -> ImageBounds:
    """The declared bounds of a task."""
    settings, measurement = task_settings(config, task), measurement_settings(config, task)
    return ImageBounds(
        f"bounds_images_{task}",
        f"Bounds on the distortion: {TASKS[task].title}",
        f"{TASKS[task].title}: what the test images say about the distortion before any training, per pixel and"
        " channel. A bound holds for every source with these images as its law, a reference holds for Gaussian"
        " sources, and an estimate is a plug-in value.",
        "Bounds",
        task,
        settings.dataset,
        DATASETS[settings.dataset].version,
        measurement.n_test,
        measurement.seed,
        settings.degradation,
        _rates(settings),
    )


def _rates(settings: TaskSettings) -> tuple[float, ...]:
    """Rates at which the bounds of a task are written, bits per image: those of its grid, and enough for a curve."""
    grid = settings.rates()
    curve = np.linspace(0, max(grid, default=0), CURVE_RATES).round()
    return tuple(float(rate) for rate in sorted({*grid, *curve, *ESTIMATED}))


@declare
def _products(config: Config) -> Iterator[ImageBounds]:
    for task in tasks(config):
        yield of_task(config, task)
