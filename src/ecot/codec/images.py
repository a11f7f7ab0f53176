"""Images of other people: read from .npy, .npz and PNG, and written to them.

The sizes that a file states are checked against the model's and against the file before memory is taken.
"""

import math
import shutil
import tempfile
import zipfile
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ecot.codec import messages
from ecot.coding import container
from ecot.data.arrays import UNREADABLE
from ecot.files import atomic, unwritable

Images = NDArray[Any]  # (n, c, h, w): uint8, or floating point with white at 1
Shape = tuple[int, int, int]
PNG_MODES = {1: "L", 3: "RGB"}  # by the number of channels


def read(path: Path, shape: Shape) -> Images:
    """The images (n, *shape) in a .npy file, a .npz file or a folder of PNG files, these in the order of their names.

    Of a .npz file, the array `images` or the only one. Gray images may be (n, h, w). Raises EcotError if there are
    none, too many for one file, or some of another shape.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return _folder(path, shape)
        if path.suffix == ".npy" and path.is_file():
            with path.open("rb") as file:
                return _array(file, path.stat().st_size, path, shape)
        if path.suffix == ".npz" and path.is_file():
            return _archive(path, shape)
    except (OSError, Image.DecompressionBombError, *UNREADABLE) as error:
        raise messages.unreadable(path, error) from None
    raise messages.no_input(path)


def read_file(path: Path) -> bytes:
    """The content of a file of compressed images. EcotError if it cannot be read or is larger than any."""
    try:
        with path.open("rb") as file:
            content = file.read(container.SIZE_LIMIT + 1)  # a device states no size and may have no end
        if len(content) > container.SIZE_LIMIT:
            raise ValueError(f"it has more than {container.SIZE_LIMIT:,} bytes, as no file of `ecot encode` has")
        return content
    except (OSError, ValueError) as error:
        raise messages.unreadable(path, error) from None


def write(path: Path, images: NDArray[np.float32]) -> None:
    """Write images (n, c, h, w) in [0, 1]: float32 to a .npy or .npz file, 8 bits to a folder of PNG files.

    Everything or nothing is written. Raises EcotError for another suffix, and for a folder that has something in it.
    """
    path = Path(path)
    if path.suffix == ".npy":
        with atomic(path) as temporary:
            np.save(temporary, images)
    elif path.suffix == ".npz":
        with atomic(path) as temporary:
            np.savez(temporary, images=images)
    else:
        _write_folder(path, images)


def check_output(path: Path) -> None:
    """EcotError if `write` would refuse the path, before anything is computed."""
    path = Path(path)
    if (
        path.suffix not in (".npy", ".npz", "")
        or (path.suffix and path.is_dir())
        or (not path.suffix and path.is_file())
    ):
        raise messages.no_output(path)
    if path.is_dir() and any(path.iterdir()):
        raise messages.not_empty(path)


def _archive(path: Path, shape: Shape) -> Images:
    with zipfile.ZipFile(path) as archive:
        there = [name.removesuffix(".npy") for name in archive.namelist()]
        if not there:
            raise messages.no_images(path)
        if "images" not in there and len(there) > 1:
            raise messages.which_array(path, there)
        stored = archive.getinfo(f"{'images' if 'images' in there else there[0]}.npy")
        if stored.compress_type != zipfile.ZIP_STORED:
            raise ValueError("its arrays are compressed; write it with numpy.savez")
        with archive.open(stored) as member:
            return _array(member, min(stored.file_size, path.stat().st_size), path, shape)


def _array(file: IO[bytes], size: int, path: Path, shape: Shape) -> Images:
    """The array of a .npy file of so many bytes."""
    if np.lib.format.read_magic(file) == (1, 0):
        found, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    else:
        found, fortran, dtype = np.lib.format.read_array_header_2_0(file)
    if shape[0] == 1 and len(found) == 3:
        found = (found[0], 1, *found[1:])
    if len(found) != 4 or found[1:] != shape:
        raise messages.wrong_shape(found, shape)
    if dtype != np.uint8 and dtype not in (np.dtype("<f2"), np.dtype("<f4"), np.dtype("<f8")):
        raise messages.wrong_type(dtype)
    if fortran:
        raise ValueError("it is in Fortran's order; write numpy.ascontiguousarray of it")
    if not found[0]:
        raise messages.no_images(path)
    container.check_size(found[0], 1)
    if math.prod(found) * dtype.itemsize + file.tell() != size:
        raise ValueError(f"it does not have the size of its shape {found}")
    return np.frombuffer(file.read(), dtype).reshape(found)


def _folder(path: Path, shape: Shape) -> Images:
    names = sorted(file for file in path.iterdir() if file.suffix.lower() == ".png")
    if not names:
        raise messages.no_images(path)
    container.check_size(len(names), 1)
    channels, height, width = shape
    images = np.empty((len(names), *shape), np.uint8)
    for image, name in zip(images, names, strict=True):
        try:
            with Image.open(name, formats=["PNG"]) as file:  # reads the head alone
                if file.size != (width, height) or file.mode != PNG_MODES.get(channels):
                    raise ValueError(
                        f"it is {file.width} x {file.height} pixels of kind {file.mode}; this model takes"
                        f" {width} x {height} of kind {PNG_MODES.get(channels)}"
                    )
                image[:] = np.asarray(file).reshape(height, width, channels).transpose(2, 0, 1)
        except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
            raise messages.unreadable(name, error) from None
    return images


def _write_folder(path: Path, images: NDArray[np.float32]) -> None:
    check_output(path)
    pixels = (images.clip(0, 1) * 255).round().astype(np.uint8)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        try:
            temporary.chmod(0o755)
            for i, image in enumerate(pixels):
                picture = image.transpose(1, 2, 0)
                Image.fromarray(picture.squeeze(-1) if len(image) == 1 else picture).save(temporary / f"{i:06d}.png")
            temporary.replace(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    except OSError as error:
        raise unwritable(path, error) from None
