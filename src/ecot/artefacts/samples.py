"""The sample images of one cell, `samples.npz`: the only writer and the only reader. No torch is needed here."""

import math
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecot.artefacts import DamagedError
from ecot.artefacts.metrics import Key
from ecot.data.arrays import UNREADABLE
from ecot.files import TEXT_LIMIT, atomic

NAMES = ("x", "y", "output")
MADE_FOR = "made_for.json"  # the key of the cell, beside the arrays

# x degraded, y clean, and output: (n, c, h, w) in [0, 1]; x may lie outside.
Samples = Mapping[str, NDArray[np.float32]]


def write(path: Path, samples: Samples, key: Key) -> None:
    """Write the arrays `x`, `y` and `output` of the cell of this key. The same arrays give the same bytes."""
    with atomic(path) as temporary:
        np.savez(temporary, x=samples["x"], y=samples["y"], output=samples["output"])
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(zipfile.ZipInfo(MADE_FOR), key.model_dump_json())


def read(path: Path, expected: Key) -> Samples:
    """The arrays of a file.

    Raises DamagedError if it cannot be read, is another cell's, or if they are no finite images of one shape.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            arrays = {name: _read(archive, name, path.stat().st_size) for name in NAMES}
            shapes = {array.shape for array in arrays.values()}
            if len(shapes) > 1 or any(len(shape) != 4 or 0 in shape for shape in shapes):
                raise ValueError(f"its arrays have the shapes {shapes}")
            if not all(np.isfinite(array).all() for array in arrays.values()):
                raise ValueError("its images are not finite")
            with archive.open(MADE_FOR) as member:
                found = Key.model_validate_json(member.read(TEXT_LIMIT))
        expected.require(found.model_dump())
    except (OSError, RecursionError, *UNREADABLE) as error:
        raise DamagedError(path, error, expected.way_out) from None
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
