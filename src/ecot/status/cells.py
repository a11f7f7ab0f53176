"""The state of each cell of a run, from the files that its jobs write, on this machine or on others."""

import os
import re
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ecot.artefacts.names import RECORD
from ecot.grid.index import Entry
from ecot.grid.paths import LOGS, RESULTS
from ecot.machine.locks import lock_path

Kind = Literal["done", "running", "failed", "missing"]
KINDS: tuple[Kind, ...] = ("done", "running", "failed", "missing")
STARTING = 120.0  # seconds that a job may take from its start to its first sign
SILENT = 1800.0  # seconds without a sign, after which a job on another machine counts as gone
TAIL = 1 << 16  # bytes of a log that are read, from its end
EPOCH = re.compile(r"epoch (\d+)/(\d+): .*?(\d+) images/s")
HOLDER = re.compile(r"process (\d+) on (.+)")


@dataclass(frozen=True)
class State:
    """How far a cell is: done (trained and measured), running, failed or missing.

    `step` is what is under way or has failed. `epoch` of `epochs` are finished, at `images_per_second`, as far as the
    log says so. `word` is the last line of the log of a failed job, and `where` the process of a running one.
    """

    entry: Entry
    kind: Kind
    step: Literal["training", "measurement"] = "training"
    epoch: int = 0
    epochs: int | None = None
    images_per_second: float | None = None
    word: str = ""
    where: str = ""
    log: Path | None = None


def survey(entries: Iterable[Entry]) -> list[State]:
    """The state of each cell of an index, and of those of its sweep of lambda once one of these has been started."""
    found = [state(entry) for entry in entries]
    grid = {one.entry.path for one in found if one.entry.weight is None}
    swept = any(one.kind != "missing" and one.entry.path not in grid for one in found)
    return [one for one in found if swept or one.entry.weight is None]


def state(entry: Entry) -> State:
    """The state of one cell."""
    trained = (entry.path / RECORD).is_file()
    if trained and (entry.measurement / "metrics.csv").is_file():
        return State(entry, "done")
    log = measurement_log(entry) if trained else training_log(entry)
    step: Literal["training", "measurement"] = "measurement" if trained else "training"
    lines = tail(log)
    found = next((match for line in reversed(lines) if (match := EPOCH.search(line))), None)
    epoch, epochs, speed = (int(found[1]), int(found[2]), float(found[3])) if found else (0, None, None)
    holder = _holder(entry.path, log)
    if holder or (not lines and _age(log) < STARTING):
        return State(entry, "running", step, epoch, epochs, speed, "", holder, log)
    if lines:
        return State(entry, "failed", step, epoch, epochs, speed, lines[-1], "", log)
    return State(entry, "missing", step)


def training_log(entry: Entry) -> Path:
    """The log of a cell's training."""
    return LOGS / entry.path.relative_to(RESULTS) / "train.log"


def measurement_log(entry: Entry) -> Path:
    """The log of a cell's measurement."""
    return LOGS / entry.measurement.parent.relative_to(RESULTS) / f"{entry.measurement.name}.log"


def tail(log: Path) -> list[str]:
    """The last lines of a log that are not empty; none if there is no log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - TAIL))
            text = file.read().decode(errors="replace")
    except OSError:
        return []
    return [line.rstrip() for line in text.splitlines() if line.strip()]


def reason(log: Path) -> list[str]:
    """Why a job failed: its message, or the end of its log."""
    lines = tail(log)
    first = next((i for i in reversed(range(len(lines))) if lines[i].startswith("ecot: ")), None)
    return lines[-12:] if first is None else lines[first:]


def _holder(folder: Path, log: Path) -> str:
    """The process that writes a cell's folder; "" if there is none, or it has ended without removing its lock."""
    lock = lock_path(folder)
    try:
        text = lock.read_text(encoding="utf-8")
    except OSError:
        return ""
    found = HOLDER.fullmatch(text.strip())
    if not found:
        return "another process"
    if found[2] == socket.gethostname():
        return text if _alive(int(found[1])) else ""
    # On another machine nothing but the dates of its files tells whether it lives: a training saves its state.
    signs = (lock, log, folder / "state.safetensors")
    return text if min(_age(path) for path in signs) < SILENT else ""


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _age(path: Path) -> float:
    """Seconds since a file was written; infinite if it is not there."""
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return float("inf")
