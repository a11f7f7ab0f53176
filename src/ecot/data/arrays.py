"""Loading a prepared data set.

It is one file, `<name>.npz`, uncompressed, with the uint8 arrays `train_images`, `train_labels`, `test_images` and
`test_labels`; a data set without labels has arrays of no labels. Its stamp, `<name>.json`, lies beside it: name,
version, source, licence, SHA-256 of the array file and shapes. The SHA-256 is the boundary between preparing data and
using them. torch is not needed here.
"""

import json
import math
import tokenize
import zipfile
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecot.data import messages
from ecot.files import read_text, sha256

SplitName = Literal["train", "test"]
DIGITS = 10  # labels are 0 to 9
SPLITS: tuple[SplitName, ...] = ("train", "test")
# What zipfile and numpy's reader of headers raise for files of another kind.
UNREADABLE = (KeyError, ValueError, EOFError, RuntimeError, SyntaxError, zipfile.BadZipFile, tokenize.TokenError)


class Split(NamedTuple):
    """One part of a data set: images uint8 (n, channels, height, width), labels uint8 (n,) in 0..9, or (0,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


Splits = dict[SplitName, Split]


def checksum(path: Path, name: str, version: int) -> str:
    """The SHA-256 of the array file `path`, after the file has been checked to be data set `name` of that version.

    Raises EcotError if the file or its stamp is missing or damaged, or holds another data set.
    """
    stamp = path.with_suffix(".json")
    for file in (path, stamp):
        if not file.is_file():
            raise messages.missing(file, path)
    try:
        content = json.loads(read_text(stamp))
        expected, found_name, found_version = content["sha256"], content["name"], content["version"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise messages.damaged(stamp, path, "it states no SHA-256, name and version") from None
    if (found_name, found_version) != (name, version):
        raise messages.other_data(path, found_name, found_version, name, version)
    if (found := sha256(path)) != expected:
        raise messages.damaged(path, path, f"SHA-256 {found} instead of {expected}")
    return found


def stated_checksum(path: Path) -> str | None:
    """The SHA-256 that the stamp of the array file `path` states; None if there is no stamp that can be read."""
    try:
        return str(json.loads(read_text(path.with_suffix(".json")))["sha256"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def load(path: Path, split: SplitName, n: int | None = None) -> Split:
    """The first `n` (default: all) images and labels of one split of an array file, which `checksum` has checked.

    Raises EcotError if the file is missing, is no prepared data set or has fewer than `n` images.
    """
    if not path.is_file():
        raise messages.missing(path, path)
    try:
        images, labels = _read(path, f"{split}_images", n), _read(path, f"{split}_labels", None)
        if len(labels) < len(images) and len(labels):
            raise messages.wrong_size(f"{split}_labels", labels.shape)
        loaded = Split(images, labels[: len(images)])
        _check(loaded, _stated_shape(path, split))
        return loaded
    except UNREADABLE as error:
        raise messages.damaged(path, path, error) from error


def training_split(path: Path, n_train: int | None, n_validation: int | None) -> Split:
    """The first `n_train` (default: all) training images and labels, without the last `n_validation` of these.

    Raises EcotError as `load` does, or if no image is left.
    """
    images, labels = load(path, "train", n_train)
    if n_validation is None:
        return Split(images, labels)
    if n_validation >= len(images):
        raise messages.none_left(path, len(images), n_validation)
    return Split(images[:-n_validation], labels[:-n_validation])


def measured_split(path: Path, n_train: int | None, n_validation: int | None, n_test: int | None) -> Split:
    """The images and labels on which a model is measured.

    They are the first `n_test` (default: all) test images, or with `n_validation` the training images that
    `training_split` leaves out: a setting that is chosen by measurement must not be chosen on the test images. Raises
    EcotError as `load` does.
    """
    if n_validation is None:
        return load(path, "test", n_test)
    images, labels = load(path, "train", n_train)
    return Split(images[-n_validation:], labels[-n_validation:])


def _check(split: Split, stated: list[int] | None) -> None:
    """ValueError unless these are images of one shape, that of the stamp if it states one.

    There must be a digit for each of them, or none at all.
    """
    if split.images.ndim != 4 or (stated is not None and list(split.images.shape[1:]) != stated[1:]):
        raise messages.other_images(split.images.shape, stated)
    if (len(split.labels) and split.labels.shape != split.images.shape[:1]) or split.labels.max(initial=0) >= DIGITS:
        raise messages.no_digits(split.labels.shape, int(split.labels.max(initial=0)))


def _stated_shape(path: Path, split: SplitName) -> list[int] | None:
    """The shape of a split's images in the stamp; None if there is no stamp that states it."""
    try:
        return list(json.loads(read_text(path.with_suffix(".json")))["shapes"][split])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _read(path: Path, name: str, n: int | None) -> NDArray[np.uint8]:
    """The first `n` entries of one uint8 array of an uncompressed .npz.

    The size that the array states is checked against what is there before memory is taken for it.
    """
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
        stored = archive.getinfo(f"{name}.npy")
        np.lib.format.read_magic(member)
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        if stored.compress_type != zipfile.ZIP_STORED or dtype != np.uint8:
            raise messages.not_plain(name)
        size = math.prod(shape) + member.tell()
        if not shape or size != stored.file_size or size > path.stat().st_size:
            raise messages.wrong_size(name, shape)
        if n is not None and not 0 < n <= shape[0]:
            raise messages.too_few(path, name, shape[0], n)
        shape = shape if n is None else (n, *shape[1:])
        return np.frombuffer(bytearray(member.read(math.prod(shape))), np.uint8).reshape(shape)
