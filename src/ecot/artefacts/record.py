"""The run record of a model, `run.json`: what it says of program and machine, and the only reader."""

import hashlib
import json
import logging
import platform
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import yaml

import ecot
from ecot import sealed
from ecot.artefacts import DamagedError
from ecot.artefacts.names import HISTORY, RECORD, SETTINGS
from ecot.files import read_text, sha256
from ecot.grid.cell import Cell
from ecot.grid.cell_settings import CellSettings
from ecot.source import PACKAGE

log = logging.getLogger(__name__)

ANEW = "`ecot train CELL --force` trains the cell anew"


def read(folder: Path, anew: str = ANEW) -> dict[str, Any]:
    """The run record in a model's folder. Raises DamagedError if it is missing, damaged or edited."""
    path = folder / RECORD
    try:
        record = json.loads(read_text(path))
        if not isinstance(record, dict):
            raise ValueError("it is no mapping")
        checksum = record.pop(sealed.CHECKSUM, None)
        if checksum != sealed.digest(record):
            raise ValueError("it has changed since its training")
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedError(path, error, anew) from None
    return record


def of_cell(folder: Path, settings: CellSettings) -> dict[str, Any]:
    """The run record of the model of these settings, without reading the model.

    Raises DamagedError if it, or the settings or the history beside it, are damaged, edited or another model's.
    """
    anew = way_out(settings)
    found = read(folder, anew)
    for name in (SETTINGS, HISTORY):
        path = folder / name
        if not path.is_file() or found.get(f"{name}_sha256") != sha256(path):
            raise DamagedError(path, "it is missing, or has changed since its training", anew)
    try:
        same = CellSettings.model_validate(yaml.safe_load(read_text(folder / SETTINGS))) == settings
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise DamagedError(folder / SETTINGS, error, anew) from None
    if not same:
        raise DamagedError(folder / SETTINGS, "it is another model's", anew)
    return found


def way_out(settings: CellSettings) -> str:
    """The command that makes the model of these settings anew, for a message."""
    swept = settings.n_validation is not None  # a model of a sweep of lambda
    weight = settings.schedule.distribution_weight if swept else None
    point = settings.task, settings.mode, settings.randomness, settings.rate_bits, settings.seed
    return f"`ecot train {Cell(*point, weight, settings.dither).arguments} --force` trains the cell anew"


def versions() -> dict[str, str]:
    """The versions of the program and of what computes its numbers, and the commit of the checkout."""
    import torch

    return {
        "ecot": ecot.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "commit": commit(),
    }


def commit() -> str:
    """The commit that this package is used from, with "-dirty" if it was edited or has files of its own beside it.

    A repository around the package that does not track it says nothing about it. Then, and where git gives no answer,
    it is "unknown", with the reason and the hash of the source in its place, and the log says so.
    """
    try:
        tracked = {PACKAGE / name for name in _git("ls-files", "-z").split("\0") if name}
        own = set(_source())
        if not tracked & own:
            raise _UnknownError("git does not track the files of the package")
        described = _git("describe", "--always", "--dirty", "--abbrev=12", "--exclude=*").strip()
    except _UnknownError as error:
        found = f"unknown ({error}); source {source_hash()}"
        log.warning("the commit is %s", found)
        return found
    return described if own <= tracked else f"{described.removesuffix('-dirty')}-dirty"


def source_hash() -> str:
    """A hash of all source files of the package, in 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in _source():
        digest.update(f"{path.relative_to(PACKAGE)}\n{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]


def _source() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


class _UnknownError(Exception):
    """Why there is no commit."""


def _git(*arguments: str) -> str:
    """What git answers in the package's folder."""
    command = ["git", "-C", str(PACKAGE), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _UnknownError(f"git does not run: {error}") from None
    if done.returncode:
        raise _UnknownError(done.stderr.strip().partition("\n")[0] or f"git ends with {done.returncode}")
    return done.stdout
