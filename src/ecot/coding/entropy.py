"""Bits from indices: entropy coding by integer frequencies, and plain packing.

An index has a frequency for each dimension, each context and each level. The context is the first few bits of the
dither's number, as far as the decoder has them too: with common randomness Q(f(X) + U) depends on U. The coder is
asymmetric numeral systems (Duda, 2009), by the library constriction. All that it computes from the frequencies is
arithmetic on exact binary fractions, so that encoder and decoder agree on any two machines.
"""

import math

import constriction
import numpy as np
from numpy.typing import NDArray

CONTEXT_BITS = 3  # of the shared dither: 8 contexts for each dimension
LARGEST = 1 << 12  # contexts times levels: more could not be fitted on the data sets in use
FLOOR = 16  # the least frequency: an index that no training image has can still be coded

Indices = NDArray[np.int32]  # (n, d), each in 0, ..., L-1
Contexts = NDArray[np.uint8]  # (n, d)
Frequencies = NDArray[np.int32]  # (d, contexts, L); over the last axis they sum to `total(L)`


def total(levels: int) -> int:
    """What the frequencies of the indices of one dimension and context sum to: 2^16, or 32 L where that is more."""
    return max(1 << 16, 2 * FLOOR * levels)


def context_bits(shared_bits: int, levels: int) -> int:
    """How many bits of the shared dither tell the contexts apart; none where nothing is shared."""
    room = max(LARGEST // levels, 1)
    return min(shared_bits, CONTEXT_BITS, int(math.log2(room)))


def fit(indices: Indices, contexts: Contexts, levels: int, bits: int) -> Frequencies:
    """Frequencies of the indices (n, d) of training images in 2^bits contexts, shape (d, 2^bits, levels).

    Half a count is added to each (Krichevsky and Trofimov, 1981), and none is less than `FLOOR`.
    """
    d, bins = indices.shape[1], 1 << bits
    place = (np.arange(d) * bins + contexts) * levels + indices
    counts = np.bincount(place.ravel(), minlength=d * bins * levels).reshape(d, bins, levels) + 0.5
    spread = total(levels) - FLOOR * levels
    frequencies = FLOOR + np.floor(counts / counts.sum(-1, keepdims=True) * spread).astype(np.int64)
    most = frequencies.argmax(-1)[..., None]  # takes what the rounding has left over
    rest = total(levels) - frequencies.sum(-1, keepdims=True)
    np.put_along_axis(frequencies, most, np.take_along_axis(frequencies, most, -1) + rest, -1)
    whole: Frequencies = frequencies.astype(np.int32)
    return whole


def valid(frequencies: Frequencies, d: int, bits: int, levels: int) -> bool:
    """Whether an array holds frequencies of such a code."""
    shaped = frequencies.shape == (d, 1 << bits, levels) and frequencies.dtype == np.int32
    return bool(shaped and (frequencies >= FLOOR).all() and (frequencies.sum(-1) == total(levels)).all())


def code_length(indices: Indices, contexts: Contexts, frequencies: Frequencies) -> float:
    """The ideal length in bits: the sum of -log2 of the probability of each index."""
    d, bins, levels = frequencies.shape
    place = (np.arange(d) * bins + contexts) * levels + indices
    used = np.bincount(place.ravel(), minlength=frequencies.size)
    return float((used * _costs(frequencies).ravel()).sum())


def bounds(n: int, frequencies: Frequencies) -> tuple[float, float]:
    """The least and the largest ideal length in bits of the indices of n images, whatever they are."""
    costs = _costs(frequencies)
    return n * float(costs.min((1, 2)).sum()), n * float(costs.max((1, 2)).sum())


def _costs(frequencies: Frequencies) -> NDArray[np.float64]:
    costs: NDArray[np.float64] = np.log2(total(frequencies.shape[-1]) / frequencies)
    return costs


def encode(indices: Indices, contexts: Contexts, frequencies: Frequencies) -> bytes:
    """All indices (n, d) in one stream, at most some 5 bytes above their ideal length."""
    coder = constriction.stream.stack.AnsCoder()
    for rows, j, model in reversed(_groups(contexts, frequencies)):  # what is coded last is decoded first
        coder.encode_reverse(np.ascontiguousarray(indices[rows, j], np.int32), model)
    stream: bytes = coder.get_compressed().astype("<u4").tobytes()
    return stream.rstrip(b"\0")  # of the last word, which is not 0


def decode(stream: bytes, contexts: Contexts, frequencies: Frequencies) -> Indices:
    """The indices (n, d) of a stream of `encode`. ValueError if it is the stream of no such indices."""
    padded = stream + bytes(-len(stream) % 4)
    coder = constriction.stream.stack.AnsCoder(np.frombuffer(padded, "<u4").astype(np.uint32))
    indices = np.empty(contexts.shape, np.int32)
    for rows, j, model in _groups(contexts, frequencies):
        indices[rows, j] = coder.decode(model, len(rows))
    if not coder.is_empty():
        raise ValueError("its coded indices do not end where they should")
    return indices


def _groups(contexts: Contexts, frequencies: Frequencies) -> list[tuple[NDArray[np.int64], int, object]]:
    """The rows of each dimension and context, in the order of the stream, and the coder's model of their indices."""
    d, bins, levels = frequencies.shape
    probabilities = frequencies / total(levels)  # exact: the sum is a power of two
    groups = []
    for j in range(d):
        for c in range(bins):
            rows = np.flatnonzero(contexts[:, j] == c)
            if len(rows):
                groups.append((rows, j, constriction.stream.model.Categorical(probabilities[j, c], perfect=False)))
    return groups


def pack(indices: Indices, levels: int) -> bytes:
    """The indices (n, d) in n d log2(L) bits, the highest bit of each first, and zeros up to a whole byte."""
    bits = levels.bit_length() - 1
    shifts = np.arange(bits - 1, -1, -1)
    return np.packbits((indices.ravel()[:, None] >> shifts & 1).astype(np.uint8).ravel()).tobytes()


def unpack(stream: bytes, n: int, d: int, levels: int) -> Indices:
    """The indices (n, d) of a stream of `pack`. ValueError if it has another length or ends in other bits."""
    bits = levels.bit_length() - 1
    if len(stream) != packed_length(n, d, levels):
        raise ValueError(f"{n} images take {packed_length(n, d, levels)} bytes, and it has {len(stream)}")
    binary = np.unpackbits(np.frombuffer(stream, np.uint8))
    if binary[n * d * bits :].any():
        raise ValueError("the bits that fill its last byte are not 0")
    weights = 1 << np.arange(bits - 1, -1, -1, dtype=np.int32)
    indices: Indices = (binary[: n * d * bits].reshape(n * d, bits) @ weights).astype(np.int32).reshape(n, d)
    return indices


def packed_length(n: int, d: int, levels: int) -> int:
    """Bytes that `pack` needs."""
    return -(-n * d * (levels.bit_length() - 1) // 8)
