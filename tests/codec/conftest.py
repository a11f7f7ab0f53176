"""Codecs of tiny trained cells, and clean digits to compress."""

import pytest

import ecot
from ecot.data.arrays import load


@pytest.fixture
def codec(trained, settings):
    """The codec of a tiny cell; keywords as for `settings`."""

    def of(randomness="common", **cell):
        change = {"tasks": {"super_resolution": {"modes": {"end_to_end": {"randomness": ["common", "limited-2"]}}}}}
        return ecot.load(trained(settings(randomness=randomness, change=change, **cell)))

    return of


@pytest.fixture
def digits(datasets):
    """64 clean digits, uint8 (64, 1, 28, 28)."""
    return load(datasets / "mnist_sample.npz", "test", 64).images
