"""What a run record says of the program and the machine behind a result."""

import hashlib
import logging
import platform
import subprocess
from pathlib import Path

import numpy as np
import torch

import ecot
from ecot.source import PACKAGE

log = logging.getLogger(__name__)


def versions() -> dict[str, str]:
    """The versions of the program and of what computes its numbers, and the commit of the checkout."""
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
