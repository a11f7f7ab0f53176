"""Whole processes: their time and memory.

torch is not imported here: a process starts with the memory of the one that makes it, and its peak counts that.
"""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Timed:
    """A process that has ended: what it took, what it said and when, in seconds after its start."""

    status: int
    seconds: float
    processor_seconds: float  # user's and system's, with the processes that it waited for
    peak_mb: float
    lines: list[tuple[float, str]]

    @property
    def output(self) -> str:
        """All that it said."""
        return "".join(line for _, line in self.lines)

    def at(self, text: str) -> float:
        """When it first said something with `text` in it."""
        return next(when for when, line in self.lines if text in line)


def timed(command: list[str], folder: str) -> Timed:
    """Run a command in a folder with the package of this checkout."""
    environment = {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY / "src"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    start = time.perf_counter()
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        lines = [(time.perf_counter() - start, line) for line in process.stdout]
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return Timed(
        process.returncode,
        time.perf_counter() - start,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3),
        lines,
    )
