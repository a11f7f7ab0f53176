"""Entropy coding: exact, close to the ideal length, the same bytes everywhere."""

import numpy as np
import pytest

from ecot.coding import entropy


def drawn(n, d, levels, bits, seed=0):
    """Indices (n, d) that depend on their contexts, and the contexts."""
    rng = np.random.default_rng(seed)
    contexts = rng.integers(0, 1 << bits, (n, d)).astype(np.uint8)
    mean = rng.uniform(0, levels - 1, d) + contexts / (1 << bits)
    indices = rng.normal(mean, 0.5).round().clip(0, levels - 1).astype(np.int32)
    return indices, contexts


@pytest.mark.parametrize(
    ("n", "d", "levels", "bits"), [(1, 2, 4, 3), (1000, 2, 4, 0), (3000, 20, 8, 3), (7, 1, 2, 1)]
)
def test_the_very_indices_come_back(n, d, levels, bits):
    indices, contexts = drawn(n, d, levels, bits)
    frequencies = entropy.fit(*drawn(2000, d, levels, bits, seed=0), levels, bits)
    stream = entropy.encode(indices, contexts, frequencies)
    assert np.array_equal(entropy.decode(stream, contexts, frequencies), indices)
    assert np.array_equal(entropy.unpack(entropy.pack(indices, levels), n, d, levels), indices)
    assert len(entropy.pack(indices, levels)) == -(-n * d * int(np.log2(levels)) // 8)


@pytest.mark.parametrize(("d", "levels", "bits"), [(2, 4, 0), (5, 4, 3), (20, 8, 3)])
def test_the_length_is_within_two_per_cent_of_the_ideal(d, levels, bits):
    indices, contexts = drawn(1000, d, levels, bits)
    frequencies = entropy.fit(indices, contexts, levels, bits)
    ideal = entropy.code_length(indices, contexts, frequencies)
    by_hand = -np.log2(frequencies[np.arange(d), contexts, indices] / entropy.total(levels)).sum()
    assert ideal == pytest.approx(by_hand)
    assert ideal <= 8 * len(entropy.encode(indices, contexts, frequencies)) + 8 <= 1.02 * ideal + 16
    assert 8 * len(entropy.encode(indices, contexts, frequencies)) <= 1.02 * ideal
    least, most = entropy.bounds(len(indices), frequencies)
    assert least <= ideal <= most


def test_frequencies_are_whole_positive_and_follow_the_counts():
    indices, contexts = drawn(500, 3, 4, 2)
    indices[:, 1] = 2  # a dimension that never moves
    frequencies = entropy.fit(indices, contexts, 4, 2)
    assert entropy.valid(frequencies, 3, 2, 4)
    assert not entropy.valid(frequencies + 1, 3, 2, 4)
    assert not entropy.valid(frequencies, 3, 1, 4)
    assert (frequencies[1].argmax(-1) == 2).all()
    n = (contexts[:, 0] == 1).sum()
    count = ((contexts[:, 0] == 1) & (indices[:, 0] == 3)).sum()
    assert frequencies[0, 1, 3] / entropy.total(4) == pytest.approx((count + 0.5) / (n + 2), abs=2e-3)


def test_contexts_save_bits_where_indices_depend_on_them():
    indices, contexts = drawn(4000, 4, 4, 3)
    with_them = entropy.code_length(indices, contexts, entropy.fit(indices, contexts, 4, 3))
    nothing = np.zeros_like(contexts)
    without = entropy.code_length(indices, nothing, entropy.fit(indices, nothing, 4, 0))
    assert with_them < 0.98 * without


@pytest.mark.parametrize("levels", [2, 4, 8, 4096, 65_536])
def test_every_number_of_levels_has_a_code(levels):
    bits = entropy.context_bits(53, levels)
    assert (1 << bits) * levels <= max(entropy.LARGEST, levels)
    rng = np.random.default_rng(1)
    indices, contexts = rng.integers(0, levels, (50, 2)).astype(np.int32), np.zeros((50, 2), np.uint8)
    frequencies = entropy.fit(indices, contexts, levels, bits)
    assert entropy.valid(frequencies, 2, bits, levels)
    assert np.array_equal(
        entropy.decode(entropy.encode(indices, contexts, frequencies), contexts, frequencies), indices
    )


def test_the_bytes_of_a_stream_are_those_that_the_format_states():
    """Written once; another version of the library must give the same, or old files are lost."""
    indices = np.array([[0, 3], [1, 2], [2, 1], [3, 0], [0, 0], [1, 1], [2, 3], [3, 3]], np.int32)
    contexts = np.array([[0, 1]] * 4 + [[1, 0]] * 4, np.uint8)
    frequencies = np.array(
        [[[40_000, 20_000, 5000, 536], [16_384] * 4], [[16, 16, 32, 65_472], [1, 2, 3, 4]]], np.int32
    )
    frequencies[1, 1] = [10_000, 20_000, 30_000, 5536]
    assert entropy.encode(indices, contexts, frequencies).hex() == "ec000039d1e07e320b01"
    assert entropy.pack(indices, 4).hex() == "369c05bf"


def test_a_stream_of_other_indices_is_noticed():
    indices, contexts = drawn(100, 3, 4, 3)
    frequencies = entropy.fit(indices, contexts, 4, 3)
    stream = entropy.encode(indices, contexts, frequencies)
    with pytest.raises(ValueError, match="do not end"):
        entropy.decode(stream + b"\1\2\3\4\5\6\7\1", contexts, frequencies)
    with pytest.raises(ValueError, match="bytes"):
        entropy.unpack(b"\0\0", 9, 2, 4)
    with pytest.raises(ValueError, match="not 0"):
        entropy.unpack(b"\1", 1, 2, 4)
