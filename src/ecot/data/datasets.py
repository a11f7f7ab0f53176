"""The data sets: what they are, their conversion to one array file, and the one loader of that file.

A converted data set is `<name>.npz`, uncompressed, with the uint8 arrays `train_images`, `train_labels`,
`test_images` and `test_labels`, and beside it `<name>.json`, its stamp: name, source, licence, SHA-256 of the
array file and shapes. Two conversions of the same data give the same bytes. torch is not needed here, except
to read the published files in `prepare`.
"""

import json
import math
import tokenize
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ecot.data.readers import READERS, SPLITS, Split, SplitName
from ecot.data.registry import DATASETS
from ecot.errors import EcotError
from ecot.files import atomic, read_text, sha256, write_text

# What zipfile and numpy's reader of headers raise for files that are none.
UNREADABLE = (KeyError, ValueError, EOFError, RuntimeError, SyntaxError, zipfile.BadZipFile, tokenize.TokenError)


def prepare(name: str, root: Path, out: Path, *, download: bool = True) -> None:
    """Convert data set `name` to the array file `out` (.npz) and its stamp `out.with_suffix(".json")`.

    `root` holds the published files; missing ones are fetched if `download`. The samples are embedded and
    need neither. Raises EcotError for an unknown name and for files missing or damaged.
    """
    if name not in DATASETS:
        raise EcotError(f"there is no data set {name!r}: write one of {', '.join(DATASETS)}")
    info = DATASETS[name]
    splits = READERS[name](root, download)
    arrays = {f"{split}_{kind}": a for split in SPLITS for kind, a in splits[split]._asdict().items()}
    with atomic(out) as temporary:
        np.savez(temporary, **arrays)
    stamp = {
        "name": name,
        "source": info.source,
        "licence": info.licence,
        "sha256": sha256(out),
        "shapes": {split: list(splits[split].images.shape) for split in SPLITS},
    }
    write_text(out.with_suffix(".json"), json.dumps(stamp, indent=2) + "\n")


def load(path: Path, split: SplitName, n: int | None = None) -> Split:
    """The first `n` (default: all) images and labels of one part of a prepared data set.

    The whole file is checked against its stamp first. Raises EcotError if either is missing or damaged,
    or if the data set has fewer than `n` images.
    """
    _check(path)
    try:
        return Split(_read(path, f"{split}_images", n), _read(path, f"{split}_labels", n))
    except UNREADABLE as error:
        reason = " ".join(str(error).split())
        raise EcotError(f"{path} is not a prepared data set ({reason}): {_anew(path)}") from error


def _anew(path: Path) -> str:
    # Not "delete it": the workflow would take all that was made of the file for out of date.
    return f"write it anew with `ecot data {path.stem} --out {path}`, after which no finished cell is out of date"


def _check(path: Path) -> None:
    """Raise EcotError unless `path` has the SHA-256 that its stamp states."""
    stamp = path.with_suffix(".json")
    for file in (path, stamp):
        if not file.is_file():
            raise EcotError(f"{file} is missing: run the pipeline, or `ecot data {path.stem} --out {path}`")
    try:
        expected = json.loads(read_text(stamp))["sha256"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise EcotError(f"{stamp} is damaged (no SHA-256 in it): {_anew(path)}") from error
    if (found := sha256(path)) != expected:
        raise EcotError(f"{path} is damaged (SHA-256 {found} instead of {expected}): {_anew(path)}")


def _read(path: Path, name: str, n: int | None) -> NDArray[np.uint8]:
    """The first `n` entries of one uint8 array of an uncompressed .npz.

    The size that the array states is checked against what is there before memory is taken for it.
    """
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
        stored = archive.getinfo(f"{name}.npy")
        np.lib.format.read_magic(member)
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
        if stored.compress_type != zipfile.ZIP_STORED or dtype != np.uint8:
            raise ValueError(f"{name} is not stored as plain uint8")
        if not shape or math.prod(shape) + member.tell() != stored.file_size:
            raise ValueError(f"{name} states a shape {shape} that its size denies")
        if n is not None and not 0 < n <= shape[0]:
            raise EcotError(f"{path} has {shape[0]:,} {name}, not {n:,}: ask for 1 to {shape[0]:,}")
        shape = shape if n is None else (n, *shape[1:])
        return np.frombuffer(bytearray(member.read(math.prod(shape))), np.uint8).reshape(shape)
