"""The store of trained models, which all runs share: what is in it, and what of it no run needs."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from ecot.errors import EcotError
from ecot.files import read_text, unwritable
from ecot.grid import fingerprint, index
from ecot.grid.cell_settings import CellSettings
from ecot.grid.paths import CELLS, RESULTS

FINGERPRINT = re.compile(fingerprint.PATTERN)


@dataclass(frozen=True)
class Unused:
    """A folder of the store that no index refers to: its size in bytes, and why it is unused."""

    folder: Path
    bytes: int
    reason: str


def unused() -> list[Unused]:
    """The models that no run's index refers to. Raises EcotError if an index is damaged: it might refer to them."""
    needed = {entry.path for run in index.runs() for entry in index.read(run)}
    folders = (path for path in CELLS.rglob("*") if path.is_dir() and FINGERPRINT.fullmatch(path.name))
    models = [path for path in folders if path.parent.name.startswith("seed-")]
    return [Unused(folder, _size(folder), _reason(folder)) for folder in sorted(models) if folder not in needed]


def delete(entry: Unused) -> None:
    """Delete an unused model, and the folders above it that are then empty."""
    try:
        shutil.rmtree(entry.folder)
    except OSError as error:
        raise unwritable(entry.folder, error) from None
    for folder in entry.folder.parents:
        if folder == CELLS or any(folder.iterdir()):
            break
        folder.rmdir()


def old_layout(run: str) -> str | None:
    """What to say about models of the earlier layout, in which each run had its own; None if there are none."""
    folder = RESULTS / run / "cells"
    if not folder.is_dir():
        return None
    return (
        f"{folder} holds models of an earlier version of ecot, which kept them inside the run. They are not used, and"
        f" the cells are trained anew in {CELLS}. Delete {folder} when you no longer need it."
    )


def _size(folder: Path) -> int:
    """Bytes that a folder takes; a file with several hard links counts once."""
    files = {(stat.st_dev, stat.st_ino): stat.st_size for path in folder.rglob("*") if (stat := path.lstat())}
    return sum(files.values())


def _reason(folder: Path) -> str:
    """Why nothing refers to the model: settings of no run, or older code."""
    import yaml

    try:
        settings = CellSettings.model_validate(yaml.safe_load(read_text(folder / "config.yaml")))
    except (OSError, ValueError, RecursionError, EcotError, yaml.YAMLError):
        return "unfinished"
    current = fingerprint.trained(settings) == folder.name
    return "settings of no run" if current else "older code"
