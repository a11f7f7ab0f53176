"""The commands of `ecot`, one module for each group of them.

Modules that need torch or a plotting library are imported by the command that uses them, so that the others start at
once.

OpenBLAS, which numpy and scipy compute with, takes one thread in every command, whatever the environment grants: with
another number it adds in another order. It must be told before numpy is imported. What torch takes is in
`ecot.machine.devices`.
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"

from ecot.cli.main import main

__all__ = ["main"]
