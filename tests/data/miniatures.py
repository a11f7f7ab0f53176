"""Miniature data sets in their published form, and what a test server answers."""

import io
import threading
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import scipy.io
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


@dataclass
class Server:
    """Answers by file name; `declared` overrides a Content-Length.

    `hang` keeps every caller waiting, `endless` sends on for ever.
    """

    url: str = ""
    answers: dict[str, bytes] = field(default_factory=dict)
    declared: dict[str, int] = field(default_factory=dict)
    hang: bool = False
    endless: bool = False
    asked: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)


@dataclass
class Published:
    """A miniature data set: its raw files by path under the root, and the arrays they stand for."""

    name: str
    files: dict[str, bytes]
    arrays: dict[str, Bytes]

    def put_under(self, root: Path) -> None:
        for path, content in self.files.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(content)


def idx(array: Bytes) -> bytes:
    """The IDX format: 0 0, type 8 (unsigned byte), the number of axes, each length as big-endian 32 bits."""
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes() + array.tobytes()


def mat(images: Bytes, labels: Bytes) -> bytes:
    """SVHN's .mat layout: X (32, 32, 3, n), y (n, 1) with the digit 0 labelled 10."""
    buffer = io.BytesIO()
    y = np.where(labels == 0, 10, labels).astype(np.uint8)[:, np.newaxis]
    scipy.io.savemat(buffer, {"X": images.transpose(2, 3, 1, 0), "y": y}, do_compression=True)
    return buffer.getvalue()


def random_arrays(shape: tuple[int, int, int]) -> dict[str, Bytes]:
    rng = np.random.default_rng(0)
    return {
        "train_images": rng.integers(0, 256, (12, *shape), np.uint8),
        "train_labels": np.arange(12, dtype=np.uint8) % 10,
        "test_images": rng.integers(0, 256, (5, *shape), np.uint8),
        "test_labels": np.array([0, 9, 0, 1, 5], np.uint8),
    }
