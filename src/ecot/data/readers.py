"""One reader a data set: from files in their published form to uint8 arrays."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ecot.data import fetch
from ecot.data.resources import resource
from ecot.data.street_digits import street_digits

SplitName = Literal["train", "test"]
SPLITS: tuple[SplitName, ...] = ("train", "test")


class Split(NamedTuple):
    """One part of a data set: images uint8 (n, channels, height, width), labels uint8 (n,) in 0..9."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


Splits = dict[SplitName, Split]


def read_mnist(root: Path, download: bool) -> Splits:
    """MNIST's four IDX files: images (n, 1, 28, 28)."""
    fetch.ensure("mnist", root, download=download)
    # torchvision's readers rather than its class: the class prefers a MNIST/processed folder left by an
    # old version, which nobody has checked.
    from torchvision.datasets.mnist import read_image_file, read_label_file

    def read(stem: str) -> Split:
        images = read_image_file(str(root / f"MNIST/raw/{stem}-images-idx3-ubyte")).numpy()
        labels = read_label_file(str(root / f"MNIST/raw/{stem}-labels-idx1-ubyte")).numpy()
        return Split(images[:, np.newaxis], labels.astype(np.uint8))

    return {"train": read("train"), "test": read("t10k")}


def read_svhn(root: Path, download: bool) -> Splits:
    """SVHN's two cropped-digit .mat files: images (n, 3, 32, 32); its label 10 is the digit 0."""
    fetch.ensure("svhn", root, download=download)
    from torchvision.datasets import SVHN

    def read(split: SplitName) -> Split:
        dataset = SVHN(root, split)
        return Split(np.ascontiguousarray(dataset.data), dataset.labels.astype(np.uint8))

    return {split: read(split) for split in SPLITS}


def read_mnist_sample(root: Path, download: bool) -> Splits:
    """The embedded digits, the first of MNIST's; neither `root` nor the network is touched."""
    with np.load(resource("mnist_sample.npz"), allow_pickle=False) as arrays:
        return {split: Split(arrays[f"{split}_images"], arrays[f"{split}_labels"]) for split in SPLITS}


def read_street_digits(root: Path, download: bool) -> Splits:
    """Street digits at MNIST's full size."""
    return _on_the_street(read_mnist(root, download))


def read_street_digits_sample(root: Path, download: bool) -> Splits:
    """Street digits made from the embedded digits: the first of the full set's."""
    return _on_the_street(read_mnist_sample(root, download))


def _on_the_street(digits: Splits) -> Splits:
    return {split: Split(street_digits(images, split), labels) for split, (images, labels) in digits.items()}


READERS: Mapping[str, Callable[[Path, bool], Splits]] = {
    "mnist": read_mnist,
    "svhn": read_svhn,
    "street_digits": read_street_digits,
    "mnist_sample": read_mnist_sample,
    "street_digits_sample": read_street_digits_sample,
}
