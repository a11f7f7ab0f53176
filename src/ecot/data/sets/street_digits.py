"""Street digits at MNIST's full size: a freely licensed stand-in for SVHN."""

from pathlib import Path

from ecot.data.arrays import Split, Splits
from ecot.data.sets import DATASETS, Dataset, mnist
from ecot.data.street_digits import street_digits

SOURCE = (
    f"digits: {mnist.SOURCE}; photographs: 'china' by danielbuechele "
    "(https://www.flickr.com/photos/danielbuechele/6061409035) and 'flower' by vultilion "
    "(https://www.flickr.com/photos/vultilion/6056698931)"
)
LICENCE = "CC BY-SA 3.0 (digits), CC BY 2.0 (photographs)"


def read(root: Path, download: bool) -> Splits:
    """Every digit of MNIST on a photograph (n, 3, 32, 32)."""
    return on_the_street(mnist.read(root, download))


def on_the_street(digits: Splits) -> Splits:
    """Both splits of a data set of digits (n, 1, 28, 28), put on photographs."""
    return {split: Split(street_digits(images, split), labels) for split, (images, labels) in digits.items()}


DATASET = DATASETS.register(
    Dataset("street_digits", "street digits (SVHN stand-in)", 2, (3, 32, 32), 60_000, 10_000, LICENCE, SOURCE, read)
)
