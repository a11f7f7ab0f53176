"""What a cell is, and its row of metrics, `metrics.csv`: the only writer, the only reader, and the schema.

`key` states what a cell is. Whatever is made in measuring it carries the key, and whatever is read for it is compared
with the key.
"""

import csv
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ecot import sealed
from ecot.artefacts import DamagedError
from ecot.data.sets import DATASETS
from ecot.files import read_text
from ecot.grid.cell import Cell
from ecot.grid.cell_settings import CellSettings
from ecot.modes import Dither, Randomness
from ecot.quantities import QUANTITIES, applicable, measures
from ecot.settings import Settings


class Key(Settings):
    """What a measured cell is. Every entry is compared when a file of the measurement is read."""

    task: str
    mode: str
    randomness: Randomness | None
    rate_bits: int | None
    dither: Dither | None
    latent_dim: int
    levels: int
    seed: int
    dataset: str
    n_validation: int | None = None  # training images kept out of training, and measured in place of test images
    distribution_weight: float
    model: str  # the fingerprint of the model
    measurement: str  # the fingerprint of the measurement
    dataset_sha256: str | None = None  # of the prepared data set; None: not known, and not compared

    @property
    def way_out(self) -> str:
        """The command that makes the files of the measurement anew, for a message."""
        weight = None if self.n_validation is None else self.distribution_weight
        cell = Cell(self.task, self.mode, self.randomness, self.rate_bits, self.seed, weight, self.dither)
        return f"`ecot evaluate {cell.arguments}` measures the cell again"

    def require(self, found: Mapping[str, Any]) -> None:
        """ValueError, which says what differs, unless the entries that were found are these."""
        differing = [
            f"{name} is {found[name]}, not {value}"
            for name, value in self.model_dump().items()
            if found[name] != value and not (name == "dataset_sha256" and value is None)
        ]
        if differing:
            raise ValueError(f"it is another cell's: {'; '.join(differing)}")


def key(settings: CellSettings, model: str, measurement: str, dataset_sha256: str | None = None) -> Key:
    """What a cell with these settings and fingerprints is."""
    names = ("task", "mode", "randomness", "rate_bits", "dither", "latent_dim", "levels", "seed")
    return Key(
        **{name: getattr(settings, name) for name in names},
        dataset=settings.dataset,
        n_validation=settings.n_validation,
        distribution_weight=settings.schedule.distribution_weight,
        model=model,
        measurement=measurement,
        dataset_sha256=dataset_sha256,
    )


def write(path: Path, row_key: Key, n_test: int, values: Mapping[str, float]) -> None:
    """Write one row: the key, the number of test images, and a value for each quantity that was measured.

    The column of a measure that was not measured, for want of labels, is empty.
    """
    empty = {name: None for name in measures() if name not in values}
    sealed.write(path, row_key.model_dump(), [{"n_test": n_test, **values, **empty}])


def read(path: Path, expected: Key) -> dict[str, Any]:
    """The row in `path`: the key's entries, n_test and the value of each quantity, None for one that it has not.

    Raises DamagedError if the file cannot be read, is not the one row of the expected cell, lacks a measure, has a
    value that no measurement gives, or was edited.
    """
    try:
        labelled = DATASETS[expected.dataset].labelled
        needed = ["mse_input", "mse_target", *applicable(labelled)]  # loads all measures, which completes QUANTITIES
        rows = sealed.rows(read_text(path))
        if len(rows) != 1:
            raise ValueError(f"it has {len(rows)} rows, not one")
        row = rows[0]
        found = {name: _typed(name, row.get(name)) for name in Key.model_fields}
        expected.require(found)
        unknown = set(row) - set(Key.model_fields) - {"n_test", sealed.CHECKSUM} - set(QUANTITIES)
        if unknown:
            raise ValueError(f"it has unknown columns: {', '.join(sorted(unknown))}")
        missing = [name for name in needed if not row.get(name)]
        if missing:
            raise ValueError(f"it has no value of {', '.join(missing)}")
        values = {name: _value(name, row.get(name)) for name in QUANTITIES}
        n_test = int(row["n_test"])
        sealed.verify(rows)
        return {**found, "n_test": n_test, **values}
    except (OSError, ValueError, KeyError, csv.Error, ValidationError) as error:
        raise DamagedError(path, error, expected.way_out) from None


def _typed(name: str, text: str | None) -> Any:
    if text is None:
        raise ValueError(f"it has no column {name}")
    if name in ("latent_dim", "levels", "seed", "rate_bits", "n_validation"):
        return int(text) if text else None
    return float(text) if name == "distribution_weight" else text or None


def check(name: str, value: float) -> float:
    """The value of a quantity. ValueError if no measurement gives it: it is not finite or out of range."""
    quantity = QUANTITIES[name]
    if not math.isfinite(value) or not quantity.least <= value <= quantity.most:
        raise ValueError(f"{name} is {value:g}; allowed: {quantity.least:g} to {quantity.most:g}")
    return value


def _value(name: str, text: str | None) -> float | None:
    return check(name, float(text)) if text else None
