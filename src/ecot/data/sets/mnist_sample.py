"""The first digits of MNIST, embedded in the repository."""

from pathlib import Path

import numpy as np

from ecot.data.arrays import SPLITS, Split, Splits
from ecot.data.resources import resource
from ecot.data.sets import DATASETS, Dataset
from ecot.data.sets.mnist import LICENCE, SOURCE


def read(root: Path, download: bool) -> Splits:
    """The embedded digits (n, 1, 28, 28); neither `root` nor the network is touched."""
    with np.load(resource("mnist_sample.npz"), allow_pickle=False) as arrays:
        return {split: Split(arrays[f"{split}_images"], arrays[f"{split}_labels"]) for split in SPLITS}


DATASET = DATASETS.register(
    Dataset(
        "mnist_sample",
        "MNIST sample",
        1,
        (1, 28, 28),
        4_000,
        1_000,
        LICENCE,
        SOURCE,
        read,
    )
)
