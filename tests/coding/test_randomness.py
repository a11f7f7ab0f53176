"""The shared dither is the same everywhere: golden values, and any part without the rest."""

import hashlib

import numpy as np
import pytest

from ecot.coding import randomness


def test_golden_words():
    """Philox-4x64-10 with key 1: fixed by its definition, whatever NumPy makes of it."""
    assert randomness.words(1, 3).tolist() == [5599841837815857887, 15655913098571550255, 2880178291573394738]


def test_golden_key_and_dither():
    stream = randomness.key(0, "super_resolution", "test dither", 3)
    assert stream == 36180268692827304705960201242430297238
    u = randomness.dither(stream, 1000, 16, 4)
    assert u.dtype == np.float32
    assert (
        hashlib.sha256(u.astype("<f4").tobytes()).hexdigest()
        == "bbc871b4e92987b80b8621c7dfbeca1ed76282ce093f6cee4ea7e1edca1e61c2"
    )


@pytest.mark.parametrize("start", [0, 1, 2, 3, 5, 400])
@pytest.mark.parametrize("dim", [1, 3, 16])
def test_any_row_alone(start, dim):
    whole = randomness.dither(7, 500, dim, 8)
    np.testing.assert_array_equal(randomness.dither(7, 3, dim, 8, start), whole[start : start + 3])


@pytest.mark.parametrize("levels", [2, 4, 8])
def test_range_and_uniformity(levels):
    u = randomness.dither(3, 100_000, 1, levels).ravel() * (levels - 1)
    assert abs(u).max() <= 1
    assert abs(u).max() > 0.9999
    counts, _ = np.histogram(u, bins=50, range=(-1, 1))
    chi2 = ((counts - 2000) ** 2 / 2000).sum()
    assert chi2 < 85  # 99.9 % of chi-square with 49 degrees of freedom


def test_streams_differ_by_seed_and_by_each_part_of_the_purpose():
    purposes = [(0, "a", 1), (1, "a", 1), (0, "b", 1), (0, "a", 2), (0, "a1"), (0, "a", "1", "x"), (0, "ax", 1)]
    keys = {randomness.key(*purpose) for purpose in purposes}
    assert len(keys) == len(purposes)
    assert 0 <= randomness.torch_seed(max(keys)) < 2**63
