"""Street digits made from the embedded digits, the first of the full set's: a stand-in for SVHN."""

from pathlib import Path

from ecot.data.arrays import Splits
from ecot.data.sets import DATASETS, Dataset, mnist_sample
from ecot.data.sets.street_digits import LICENCE, SOURCE, on_the_street


def read(root: Path, download: bool) -> Splits:
    """The embedded digits on photographs (n, 3, 32, 32); neither `root` nor the network is touched."""
    return on_the_street(mnist_sample.read(root, download))


DATASET = DATASETS.register(
    Dataset(
        "street_digits_sample",
        "street digits sample (SVHN stand-in)",
        2,
        (3, 32, 32),
        4_000,
        1_000,
        LICENCE,
        SOURCE,
        read,
    )
)
