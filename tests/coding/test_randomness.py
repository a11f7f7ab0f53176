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


@pytest.mark.parametrize("bits", [1, 2, 5, 16])
def test_split_dither_shares_its_first_bits_and_nothing_else(bits):
    """U1 and U2 lie in the same one of 2^k equal cells, and anywhere in it; each is uniform."""
    u = randomness.dither_vectors([1, 2], 50_000, 1, 4, shared_bits=bits)[:, :, 0].astype(np.float64) * 3
    cell = np.floor((u + 1) / 2 * 2**bits)
    assert (cell[:, 0] == cell[:, 1]).mean() > 1 - 1e-2  # but for float32's rounding at the edges of 2^16 cells
    inside = (u + 1) / 2 * 2**bits - cell
    if bits < 16:
        assert abs(np.corrcoef(inside[:, 0], inside[:, 1])[0, 1]) < 0.02
    for column in u.T:
        counts, _ = np.histogram(column, bins=50, range=(-1, 1))
        assert ((counts - 1000) ** 2 / 1000).sum() < 110


def test_split_dither_lies_between_independent_and_common():
    streams, shape = [1, 2], (1000, 3, 4)
    independent = randomness.dither_vectors(streams, *shape, shared_bits=0)
    assert np.array_equal(independent, randomness.dither_vectors(streams, *shape))
    common = randomness.dither_vectors(streams, *shape, shared_bits=randomness.BITS)
    assert np.array_equal(common[:, 0], common[:, 1])
    assert np.array_equal(common[:, 0], independent[:, 0])
    gaps = [
        np.abs(np.diff(randomness.dither_vectors(streams, *shape, shared_bits=k), axis=1)).mean() for k in range(5)
    ]
    assert np.allclose(np.array(gaps[:-1]) / gaps[1:], 2, rtol=0.05)  # each bit halves what is private


def test_leading_bits_say_in_which_part_a_number_lies():
    u = randomness.dither(9, 1000, 3, 4) * 3
    for bits in (1, 3, 8):
        found = randomness.leading_bits(9, 1000, 3, bits)
        assert (found == np.floor((u + 1) / 2 * 2**bits).clip(0, 2**bits - 1)).mean() > 0.999
        assert np.array_equal(randomness.leading_bits(9, 5, 3, bits, start=7), found[7:12])
    assert not randomness.leading_bits(9, 10, 3, 0).any()


def test_shared_bits_of_each_kind():
    kinds = [None, "independent", "limited-1", "limited-16", "common"]
    assert [randomness.shared_bits(kind) for kind in kinds] == [0, 0, 1, 16, 53]
