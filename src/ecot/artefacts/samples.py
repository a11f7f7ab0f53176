"""The sample images of one cell, `samples.npz`: the only writer and the only reader. No torch is needed here."""

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecot.artefacts import DamagedError
from ecot.data.arrays import UNREADABLE
from ecot.files import atomic

NAMES = ("x", "y", "output")
WAY_OUT = "delete it and run the same command again, which measures the cell again"

# x degraded, y clean, and output: (n, c, h, w) in [0, 1]; x may lie outside.
Samples = Mapping[str, NDArray[np.float32]]


def write(path: Path, samples: Samples) -> None:
    """Write the arrays `x`, `y` and `output`. The same arrays give the same bytes."""
    with atomic(path) as temporary:
        np.savez(temporary, x=samples["x"], y=samples["y"], output=samples["output"])


def read(path: Path) -> Samples:
    """The arrays of a file. Raises DamagedError if it cannot be read or they are no images of one shape."""
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {name: _read(archive, name, path.stat().st_size) for name in NAMES}
    except (OSError, *UNREADABLE) as error:
        raise DamagedError(path, error, WAY_OUT) from None
    shapes = {array.shape for array in arrays.values()}
    if len(shapes) > 1 or any(len(shape) != 4 or 0 in shape for shape in shapes):
        raise DamagedError(path, f"its arrays have the shapes {shapes}", WAY_OUT)
    return arrays


def _read(archive: zipfile.ZipFile, name: str, file_size: int) -> NDArray[np.float32]:
    """One array. The size that it states is checked against what is there before memory is taken for it."""
    with archive.open(f"{name}.npy") as member:
        stored = archive.getinfo(f"{name}.npy")
        np.lib.format.read_magic(member)
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(member)
        if stored.compress_type != zipfile.ZIP_STORED or fortran or dtype != np.float32:
            raise ValueError(f"{name} is no plain array of float32")
        if math.prod(shape) * 4 + member.tell() != stored.file_size or stored.file_size > file_size:
            raise ValueError(f"{name} does not have the size of its shape {shape}")
        return np.frombuffer(member.read(), np.float32).reshape(shape)
