"""SVHN: 32x32 colour house numbers, in its two published .mat files."""

from pathlib import Path

import numpy as np

from ecot.data import fetch
from ecot.data.arrays import SPLITS, Split, SplitName, Splits
from ecot.data.fetch import RawFile
from ecot.data.sets import DATASETS, Dataset

FILES = (
    RawFile(
        "train_32x32.mat",
        182_040_794,
        "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
    ),
    RawFile(
        "test_32x32.mat",
        64_275_384,
        "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
    ),
)


def read(root: Path, download: bool) -> Splits:
    """Images (n, 3, 32, 32) of the published files under `root`; SVHN's label 10 is the digit 0."""
    fetch.ensure("svhn", FILES, addresses, root, download=download)
    from torchvision.datasets import SVHN

    def split(name: SplitName) -> Split:
        dataset = SVHN(root, name)
        return Split(np.ascontiguousarray(dataset.data), dataset.labels.astype(np.uint8))

    return {name: split(name) for name in SPLITS}


def addresses(file: RawFile) -> list[str]:
    """Where torchvision finds a file."""
    from torchvision.datasets import SVHN

    return [next(url for url, filename, _ in SVHN.split_list.values() if filename == Path(file.path).name)]


DATASET = DATASETS.register(
    Dataset(
        "svhn",
        "SVHN",
        1,
        (3, 32, 32),
        73_257,
        26_032,
        "non-commercial use only",
        "The Street View House Numbers data set, Yuval Netzer et al. (2011), http://ufldl.stanford.edu/housenumbers/",
        read,
    )
)
