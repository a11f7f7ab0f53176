"""Lossy compression with distribution shift as entropy-constrained optimal transport."""

from pathlib import Path

__version__ = "0.2.0"

# Data that belong to the program; it is installed from its checkout (pip install -e).
RESOURCES = Path(__file__).resolve().parents[2] / "resources"
