"""The index of a run: which cells it has, and which model of the store each one is."""

import csv
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ecot import sealed
from ecot.config import Config, dump
from ecot.errors import EcotError
from ecot.files import read_text, write_text
from ecot.grid import fingerprint
from ecot.grid.cell import Cell
from ecot.grid.paths import CELLS, RESULTS, index_path, measurement_folder, model_folder, results_folder
from ecot.grid.plan import cell_settings, grid, sweep, swept

COLUMNS = ["run", "cell", "weight", "fingerprint", "path", "measurement"]


@dataclass(frozen=True)
class Entry:
    """A line of an index; `weight` is the lambda of a cell of the sweep, and None for a cell of the grid."""

    cell: str
    weight: float | None
    fingerprint: str
    path: Path
    measurement: Path


def entries(config: Config) -> list[Entry]:
    """The lines of a configuration's index: its grid, and its sweeps of lambda."""
    sweeps = [cell for task in swept(config) for cell in sweep(config, task)]
    return [
        Entry(
            cell.name,
            cell.weight,
            fingerprint.trained(cell_settings(config, cell)),
            model_folder(config, cell),
            measurement_folder(config, cell),
        )
        for cell in (*grid(config), *sweeps)
    ]


def write(config: Config) -> Path:
    """Write the run's resolved configuration and its index, before anything is trained; the index's path."""
    write_text(results_folder(config) / "config.yaml", resolved(config))
    path = index_path(config.run)
    sealed.write(path, {"run": config.run}, [asdict(entry) for entry in entries(config)])
    return path


def resolved(config: Config) -> str:
    """The resolved configuration of a run as text, for a person."""
    return dump(config.model_dump())


def removed(config: Config) -> list[str]:
    """The cells of the run's index, of its grid, that the configuration has no more; none if there is no index."""
    try:
        before = [entry.cell for entry in read(config.run) if entry.weight is None]
    except EcotError:  # there is none, or it is damaged and is about to be written anew
        return []
    now = {cell.name for cell in grid(config)}
    return [name for name in before if name not in now]


def farewell(run: str, removed: list[str]) -> str:
    """What to say about cells that are no more in a run."""
    shown = ", ".join(removed[:5]) + (f" and {len(removed) - 5} more" if len(removed) > 5 else "")
    return (
        f"run {run} no longer has {len(removed)} of its cells: {shown}. Their models stay in {CELLS}; `ecot prune`"
        " lists what no run needs"
    )


def read(run: str) -> list[Entry]:
    """The lines of a run's index. EcotError if there is none, or if it is damaged."""
    path = index_path(run)
    if not path.is_file():
        raise EcotError(f"run {run!r} has no index {path}; `ecot index` writes it")
    try:
        lines = sealed.rows(read_text(path))
        if list(lines[0]) != [*COLUMNS, sealed.CHECKSUM]:
            raise ValueError("its columns are others")
        found = [_entry(line) for line in lines]
        sealed.require(lines, {"run": run})
        sealed.verify(lines)
        return found
    except (OSError, ValueError, KeyError, TypeError, csv.Error, EcotError) as error:
        raise EcotError(f"the index {path} is damaged ({error}); `ecot index` writes it anew") from None


def _entry(line: dict[str, str]) -> Entry:
    """One line of an index. ValueError if its paths are not those of the cell and the fingerprint that it names."""
    folder, measurement = Path(line["path"]), Path(line["measurement"])
    name = Cell.parse(line["cell"]).name
    whole = all(re.fullmatch(fingerprint.PATTERN, part) for part in (folder.name, measurement.name))
    expected = CELLS / name / line["fingerprint"], folder / "measurements"
    if not whole or (folder, measurement.parent) != expected:
        raise ValueError(f"{folder} and {measurement} are not the folders of {name}")
    weight = float(line["weight"]) if line["weight"] else None
    return Entry(name, weight, line["fingerprint"], folder, measurement)


def runs() -> Iterator[str]:
    """The names of the runs that have an index."""
    for path in sorted(RESULTS.glob("*/cells.csv")):
        yield path.parent.name
