"""The commands of `ecot`, one module for each group of them.

Modules that need torch or a plotting library are imported by the command that uses them, so that the others start at
once.
"""

from ecot.cli.main import main

__all__ = ["main"]
