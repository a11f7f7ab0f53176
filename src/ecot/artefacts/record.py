"""What a run record says of the program and the machine behind a result."""

import platform
import subprocess

import numpy as np
import torch

import ecot
from ecot.source import PACKAGE


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
    """The commit of the checkout that this package is used from, with "-dirty" if it was edited; "" without one."""
    command = ["git", "-C", str(PACKAGE), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""
