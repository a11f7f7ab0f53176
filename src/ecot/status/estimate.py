"""How long trainings will take, from measured speeds: of finished cells in the store, else of `resources/speeds.csv`.

A speed is in images/s, each image counted once an epoch. Measurements, tables and figures come on top.
"""

import csv
import functools
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import yaml

from ecot import RESOURCES
from ecot.artefacts.names import MODEL, RECORD, SETTINGS
from ecot.config import Config
from ecot.data.sets import DATASETS
from ecot.errors import EcotError
from ecot.files import read_text
from ecot.grid.cell import Cell
from ecot.grid.cell_settings import CellSettings
from ecot.grid.paths import CELLS
from ecot.grid.plan import cell_settings

SPEEDS = RESOURCES / "speeds.csv"  # python -m benchmarks.speeds
LAST = 20  # finished cells of a mode that are looked at, the newest
HERE = "finished cells here"


@dataclass(frozen=True)
class Speed:
    """How fast one training is on one device (on a CPU: on one core), and what it takes."""

    images_per_second: float
    memory_mb: float
    model_mb: float
    source: str  # the device, or HERE


@dataclass(frozen=True)
class Estimate:
    """What the trainings of some cells take: hours of one device or core, one after the other and `parallel` at once.

    `unknown` are cells of which no speed is known; they are in none of the numbers.
    """

    hours: float
    wall_hours: float
    parallel: int
    memory_mb: float  # of one training, the largest
    model_mb: float  # of all models
    sources: tuple[str, ...]
    unknown: tuple[Cell, ...]


def estimate(
    config: Config, cells: Iterable[Cell], kind: str, parallel: int, done: Mapping[Cell, float] | None = None
) -> Estimate:
    """The estimate for cells on devices of a kind (cpu, cuda, mps), of which `parallel` (on a CPU: cores) are there.

    `done` says which share of a cell is trained already.
    """
    hours: dict[Cell, float] = {}
    speeds: dict[Cell, Speed] = {}
    unknown = []
    known: dict[tuple[str, str, float, int], Speed | None] = {}
    for cell in cells:
        settings = cell_settings(config, cell)
        key = (cell.task, cell.mode, settings.width, settings.training.batch_size)
        if key not in known:
            known[key] = _finished(settings, kind) or _tabled(settings, kind)
        if (speed := known[key]) is None:
            unknown.append(cell)
            continue
        speeds[cell] = speed
        hours[cell] = images(settings) / speed.images_per_second / 3600 * (1 - (done or {}).get(cell, 0.0))
    chains = (hours[cell] + hours.get(cell.builds_on or cell, 0.0) * bool(cell.builds_on) for cell in hours)
    # A CPU's speeds are of one core; a training may use several, so that cores are what is shared out.
    threads = config.training.threads if kind == "cpu" else 1
    total = sum(hours.values())
    wall = max([total / parallel, *(chain / min(threads, parallel) for chain in chains)])
    return Estimate(
        total,
        wall,
        parallel,
        max((speed.memory_mb for speed in speeds.values()), default=math.nan),
        sum(speed.model_mb for speed in speeds.values()),
        tuple(dict.fromkeys(speed.source for speed in speeds.values())),
        tuple(unknown),
    )


def images(settings: CellSettings) -> int:
    """Images that a training takes in, over all epochs."""
    return settings.schedule.epochs * (settings.n_train or DATASETS[settings.dataset].n_train)


def _finished(settings: CellSettings, kind: str) -> Speed | None:
    """The median over the newest finished cells of the same task, mode, width and batch on such a device."""
    records = sorted((CELLS / settings.task / settings.mode).rglob(f"seed-*/*/{RECORD}"), key=_date)[-LAST:]
    there = (_measured(path, _date(path)) for path in records)
    alike = (kind, settings.width, settings.training.batch_size)
    found = [numbers for key, numbers in filter(None, there) if key == alike]
    if not found:
        return None
    speed, memory, size = (median(column) for column in zip(*found, strict=True))
    return Speed(speed, memory, size, HERE)


@functools.lru_cache(maxsize=4096)
def _measured(path: Path, date: float) -> tuple[tuple[str, float, int], tuple[float, float, float]] | None:
    """Of the run record written at `date`: device, width and batch; and speed, memory and size. None if damaged."""
    try:
        record = json.loads(read_text(path))
        made = yaml.safe_load(read_text(path.with_name(SETTINGS)))
        key = str(record["device"]).partition(" ")[0], float(made["width"]), int(made["training"]["batch_size"])
        speed = float(record["images_per_second"]) / _threads(record)
        return key, (speed, float(record["peak_memory_mb"]), path.with_name(MODEL).stat().st_size / 1e6)
    except (OSError, ValueError, KeyError, TypeError, EcotError, yaml.YAMLError):
        return None  # a damaged cell is refused where it is used


def _threads(record: Mapping[str, Any]) -> int:
    """Threads of a training on a CPU, for example of "cpu (2 threads, AMD EPYC)"; 1 on a GPU."""
    found = re.match(r"cpu \((\d+) threads", str(record["device"]))
    return int(found[1]) if found else 1


def _date(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _tabled(settings: CellSettings, kind: str) -> Speed | None:
    """The speed of the table, between the widths measured by a power law; None if the table has none such.

    A task or a mode that the table has not, of an extension for instance, is as unknown as another device.
    """
    rows = [
        row
        for row in table()
        if (row["task"], row["mode"]) == (settings.task, settings.mode) and row["device"].startswith(kind)
    ]
    if not rows:
        return None
    device = rows[-1]["device"]  # the machine that was measured last
    rows = sorted((row for row in rows if row["device"] == device), key=lambda row: float(row["width"]))
    widths = np.log([float(row["width"]) for row in rows])

    def at(column: str) -> float:
        return float(
            np.exp(np.interp(math.log(settings.width), widths, np.log([float(row[column]) for row in rows])))
        )

    return Speed(at("images_per_second"), at("memory_mb"), at("model_mb"), device)


@functools.cache
def table() -> list[dict[str, str]]:
    """The rows of `resources/speeds.csv`, as `benchmarks.speeds` writes them; none where it is not there."""
    if not SPEEDS.is_file():
        return []
    with SPEEDS.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
