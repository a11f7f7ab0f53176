"""What data sets there are."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DatasetInfo:
    """What a data set is: its title is for captions, `image_shape` is (channels, height, width)."""

    name: str
    title: str
    image_shape: tuple[int, int, int]
    n_train: int
    n_test: int
    licence: str
    source: str


_MNIST_SOURCE = (
    "The MNIST database of handwritten digits, Yann LeCun, Corinna Cortes, Christopher Burges, "
    "http://yann.lecun.com/exdb/mnist/"
)
_STREET_SOURCE = (
    f"digits: {_MNIST_SOURCE}; photographs: 'china' by danielbuechele "
    "(https://www.flickr.com/photos/danielbuechele/6061409035) and 'flower' by vultilion "
    "(https://www.flickr.com/photos/vultilion/6056698931)"
)
_STREET_LICENCE = "CC BY-SA 3.0 (digits), CC BY 2.0 (photographs)"

DATASETS = {
    info.name: info
    for info in (
        DatasetInfo("mnist", "MNIST", (1, 28, 28), 60_000, 10_000, "CC BY-SA 3.0", _MNIST_SOURCE),
        DatasetInfo(
            "svhn",
            "SVHN",
            (3, 32, 32),
            73_257,
            26_032,
            "non-commercial use only",
            "The Street View House Numbers data set, Yuval Netzer et al. (2011), "
            "http://ufldl.stanford.edu/housenumbers/",
        ),
        DatasetInfo("street_digits", "street digits", (3, 32, 32), 60_000, 10_000, _STREET_LICENCE, _STREET_SOURCE),
        DatasetInfo(
            "mnist_sample",
            "MNIST sample (4,000 + 1,000 embedded digits)",
            (1, 28, 28),
            4_000,
            1_000,
            "CC BY-SA 3.0",
            _MNIST_SOURCE,
        ),
        DatasetInfo(
            "street_digits_sample",
            "street digits sample (4,000 + 1,000 embedded digits)",
            (3, 32, 32),
            4_000,
            1_000,
            _STREET_LICENCE,
            _STREET_SOURCE,
        ),
    )
}
