"""Lossy compression with distribution shift as entropy-constrained optimal transport."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ecot.codec.codec import Codec

__version__ = "0.2.0"

# Data that belong to the program; it is installed from its checkout (pip install -e).
RESOURCES = Path(__file__).resolve().parents[2] / "resources"


def load(folder: str | Path, device: str = "cpu") -> "Codec":
    """The codec of the model in a folder; see `ecot.codec.codec.load`, which is imported on first use."""
    from ecot.codec import codec

    return codec.load(folder, device)
