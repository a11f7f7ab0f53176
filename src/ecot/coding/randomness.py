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


def dither(stream: int, n: int, dim: int, levels: int, start: int = 0) -> NDArray[np.float32]:
    """Dither vectors U ~ U[-1/(L-1), 1/(L-1)]^d (Section B.2), shape (n, dim).

    Row i belongs to image start + i and depends on nothing else: a decoder can make it alone.
    """
    # Odd multiples of 2^-53 in (-1, 1), symmetric about 0; one division and one rounding, both exact by IEEE 754.
    odd = (words(stream, n * dim, start * dim) >> np.uint64(11)).astype(np.int64) * 2 - (2**53 - 1)
    return (odd * 2.0**-53 / (levels - 1)).astype(np.float32).reshape(n, dim)


def dither_vectors(streams: Sequence[int], n: int, dim: int, levels: int, start: int = 0) -> NDArray[np.float32]:
    """Dither for systems that draw k vectors per image, one stream for each vector: shape (n, k, dim)."""
    u = np.empty((n, len(streams), dim), np.float32)
    for i, stream in enumerate(streams):
        u[:, i] = dither(stream, n, dim, levels, start)
    return u
