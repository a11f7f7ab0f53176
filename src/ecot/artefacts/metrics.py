"""The row of metrics of one cell, `metrics.csv`: the only writer, the only reader, and the schema."""

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ecot.artefacts import DamagedError
from ecot.data.sets import DATASETS
from ecot.files import read_text, write_text
from ecot.grid.cell_settings import CellSettings
from ecot.modes import Dither, Randomness
from ecot.quantities import QUANTITIES, applicable, measures
from ecot.settings import Settings

WAY_OUT = "delete it and run the same command again, which measures the cell again"


class Key(Settings):
    """What the row belongs to. Every entry is compared when a row is read."""

    task: str
    mode: str
    randomness: Randomness | None
    rate_bits: int | None
    dither: Dither | None
    latent_dim: int
    levels: int
    seed: int
    dataset: str
    distribution_weight: float
    model: str  # the fingerprint of the model
    measurement: str  # the fingerprint of the measurement


def key(settings: CellSettings, model: str, measurement: str) -> Key:
    """The key of the row of a cell with these settings and fingerprints."""
    names = ("task", "mode", "randomness", "rate_bits", "dither", "latent_dim", "levels", "seed", "dataset")
    return Key(
        **{name: getattr(settings, name) for name in names},
        distribution_weight=settings.schedule.distribution_weight,
        model=model,
        measurement=measurement,
    )


def write(path: Path, row_key: Key, n_test: int, values: Mapping[str, float]) -> None:
    """Write one row: the key, the number of test images, and a value for each quantity that was measured.

    The column of a measure that was not measured, for want of labels, is empty.
    """
    empty = {name: None for name in measures() if name not in values}
    row = {**row_key.model_dump(), "n_test": n_test, **values, **empty}
    text = io.StringIO()
    writer = csv.DictWriter(text, list(row), lineterminator="\n")
    writer.writeheader()
    writer.writerow({name: "" if value is None else value for name, value in row.items()})
    write_text(path, text.getvalue())


def read(path: Path, expected: Key) -> dict[str, Any]:
    """The row in `path`: the key's entries, n_test and the value of each quantity, None for one that it has not.

    Raises DamagedError if the file cannot be read, is not the one row of the expected cell, lacks a measure, or has a
    value that no measurement gives.
    """
    try:
        labelled = DATASETS[expected.dataset].labelled
        needed = ["mse_input", "mse_target", *applicable(labelled)]  # loads all measures, which completes QUANTITIES
        rows = list(csv.DictReader(io.StringIO(read_text(path)), strict=True))
        if len(rows) != 1 or None in rows[0] or None in rows[0].values():
            raise ValueError(f"it has {len(rows)} complete rows, not one")
        row = rows[0]
        found = {name: _typed(name, row.get(name)) for name in Key.model_fields}
        differing = [
            f"{name} is {found[name]}, not {value}"
            for name, value in expected.model_dump().items()
            if found[name] != value
        ]
        if differing:
            raise ValueError(f"it is another cell's row: {'; '.join(differing)}")
        unknown = set(row) - set(Key.model_fields) - {"n_test"} - set(QUANTITIES)
        if unknown:
            raise ValueError(f"it has unknown columns: {', '.join(sorted(unknown))}")
        missing = [name for name in needed if not row.get(name)]
        if missing:
            raise ValueError(f"it has no value of {', '.join(missing)}")
        values = {name: _value(name, row.get(name)) for name in QUANTITIES}
        return {**found, "n_test": int(row["n_test"]), **values}
    except (OSError, ValueError, KeyError, csv.Error, ValidationError) as error:
        raise DamagedError(path, error, WAY_OUT) from None


def _typed(name: str, text: str | None) -> Any:
    if text is None:
        raise ValueError(f"it has no column {name}")
    if name in ("latent_dim", "levels", "seed", "rate_bits"):
        return int(text) if text else None
    return float(text) if name == "distribution_weight" else text or None


def _value(name: str, text: str | None) -> float | None:
    if not text:
        return None
    value, quantity = float(text), QUANTITIES[name]
    if not math.isfinite(value) or not quantity.least <= value <= quantity.most:
        raise ValueError(f"{name} is {text}; allowed: {quantity.least:g} to {quantity.most:g}")
    return value
