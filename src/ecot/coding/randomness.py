"""Random streams, each derived from a seed and a purpose.

A purpose is a path of names and numbers, for instance a cell, "dither" and an epoch; different
purposes give independent streams, so that nothing shares a stream by accident. The dither of
universal quantisation is counter-based: its words come from Philox-4x64 by number and are mapped to
the reals by hand in exactly rounded arithmetic, so that a decoder on any machine regenerates the
same bytes, and any part of them without the rest.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

WORDS_A_BLOCK = 4  # Philox-4x64 turns one counter value into four 64-bit words
BITS = 53  # of a number of the dither


def key(seed: int, *purpose: str | int) -> int:
    """128-bit key of the stream for `purpose` under `seed`."""
    name = "\0".join(str(part) for part in (seed, *purpose))
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "little")


def torch_seed(stream: int) -> int:
    """The key of a stream as a seed in [0, 2^63) for a `torch.Generator`."""
    return stream >> 65


def words(stream: int, n: int, start: int = 0) -> NDArray[np.uint64]:
    """Words start, ..., start + n - 1 of the stream with key `stream`."""
    blocks, skip = divmod(start, WORDS_A_BLOCK)
    generator = np.random.Philox(key=stream)
    generator.advance(blocks)
    raw: NDArray[np.uint64] = generator.random_raw(skip + n)
    return raw[skip:]


def dither(
    stream: int, n: int, dim: int, levels: int, start: int = 0, *, shared: int = 0, shared_bits: int = 0
) -> NDArray[np.float32]:
    """Dither vectors U ~ U[-1/(L-1), 1/(L-1)]^d (Section B.2), shape (n, dim).

    Row i belongs to image start + i and depends on nothing else: a decoder can make it alone. The first `shared_bits`
    of the 53 bits of each number are those of the stream `shared`, and the rest is of the stream `stream`. Two
    vectors with such bits in common lie in the same one of 2^shared_bits equal parts of the interval.
    """
    drawn = words(stream, n * dim, start * dim)
    if shared_bits:
        rest = np.uint64(2 ** (64 - shared_bits) - 1)
        drawn = (words(shared, n * dim, start * dim) & ~rest) | (drawn & rest)
    # Odd multiples of 2^-53 in (-1, 1), symmetric about 0; one division and one rounding, both exact by IEEE 754.
    odd = (drawn >> np.uint64(11)).astype(np.int64) * 2 - (2**53 - 1)
    return (odd * 2.0**-53 / (levels - 1)).astype(np.float32).reshape(n, dim)


def shared_bits(randomness: str | None) -> int:
    """How many bits of each number of the dither encoder and decoder share.

    None of them for `independent` and without a bottleneck, k for `limited-k`, and all for `common`.
    """
    if randomness is None or randomness == "independent":
        return 0
    return BITS if randomness == "common" else int(randomness.removeprefix("limited-"))


def leading_bits(stream: int, n: int, dim: int, bits: int, start: int = 0) -> NDArray[np.uint8]:
    """The first `bits` (0 to 8) bits of each number of the dither of a stream, shape (n, dim), exact on any machine.

    They say in which of 2^bits equal parts of its interval a number lies.
    """
    if not bits:
        return np.zeros((n, dim), np.uint8)
    return (words(stream, n * dim, start * dim) >> np.uint64(64 - bits)).astype(np.uint8).reshape(n, dim)


def dither_vectors(
    streams: Sequence[int], n: int, dim: int, levels: int, start: int = 0, *, shared_bits: int = 0
) -> NDArray[np.float32]:
    """Dither for systems that draw k vectors per image, one stream for each vector: shape (n, k, dim).

    Of the numbers of every vector the first `shared_bits` bits are those of the first vector.
    """
    u = np.empty((n, len(streams), dim), np.float32)
    for i, stream in enumerate(streams):
        u[:, i] = dither(stream, n, dim, levels, start, shared=streams[0], shared_bits=shared_bits)
    return u


def measurement_streams(seed: int, vectors: int) -> list[int]:
    """The streams of the dither by which models are measured, one for each vector; the codec draws from them, too."""
    return [key(seed, "test dither", i) for i in range(vectors)]
