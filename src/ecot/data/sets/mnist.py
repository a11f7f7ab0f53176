"""MNIST: 28x28 grey digits, in its four published IDX files."""

from pathlib import Path

import numpy as np

from ecot.data import fetch
from ecot.data.arrays import Split, Splits
from ecot.data.fetch import RawFile
from ecot.data.sets import DATASETS, Dataset

SOURCE = (
    "The MNIST database of handwritten digits, Yann LeCun, Corinna Cortes, Christopher Burges, "
    "http://yann.lecun.com/exdb/mnist/"
)
LICENCE = "CC BY-SA 3.0"
FILES = (
    RawFile(
        "MNIST/raw/train-images-idx3-ubyte",
        47_040_016,
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    ),
    RawFile(
        "MNIST/raw/train-labels-idx1-ubyte",
        60_008,
        "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    ),
    RawFile(
        "MNIST/raw/t10k-images-idx3-ubyte",
        7_840_016,
        "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    ),
    RawFile(
        "MNIST/raw/t10k-labels-idx1-ubyte",
        10_008,
        "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    ),
)


def read(root: Path, download: bool) -> Splits:
    """Images (n, 1, 28, 28) of the published files under `root`, which are fetched if need be."""
    fetch.ensure("mnist", FILES, addresses, root, download=download)
    # torchvision's readers rather than its class: the class prefers a MNIST/processed folder left by an
    # old version, which nobody has checked.
    from torchvision.datasets.mnist import read_image_file, read_label_file

    def split(stem: str) -> Split:
        images = read_image_file(str(root / f"MNIST/raw/{stem}-images-idx3-ubyte")).numpy()
        labels = read_label_file(str(root / f"MNIST/raw/{stem}-labels-idx1-ubyte")).numpy()
        return Split(images[:, np.newaxis], labels.astype(np.uint8))

    return {"train": split("train"), "test": split("t10k")}


def addresses(file: RawFile) -> list[str]:
    """Where torchvision finds a file, best first."""
    from torchvision.datasets import MNIST

    archive = f"{Path(file.path).name}.gz"
    return [mirror + archive for mirror in MNIST.mirrors]


DATASET = DATASETS.register(Dataset("mnist", "MNIST", 1, (1, 28, 28), 60_000, 10_000, LICENCE, SOURCE, read))
