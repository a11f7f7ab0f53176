"""The degraded test set, with its noise and its dither.

Measurement and bounds both take it from here, so that they speak of the same images. Noise and dither depend on one
seed and on an image's place in the test set, and on nothing else: all models are compared on equal draws. No torch is
needed here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecot.coding import randomness
from ecot.degradations import DegradationSettings, degradation

Convert = Callable[[NDArray[np.float32]], Any]


@dataclass(frozen=True)
class DegradedBatch:
    """Consecutive images of the test set: x degraded and y clean, (n, c, h, w) in [0, 1], and dither u (n, k, d).

    x may leave [0, 1] where the degradation does not clip it.
    """

    x: Any
    y: Any
    u: Any


def _unchanged(array: NDArray[np.float32]) -> NDArray[np.float32]:
    return array


def batches(
    images: NDArray[np.uint8],
    settings: DegradationSettings,
    seed: int,
    size: int,
    *,
    dithers: int = 0,
    latent_dim: int = 0,
    levels: int = 2,
    shared_bits: int = 0,
    convert: Convert = _unchanged,
) -> Iterator[DegradedBatch]:
    """The test set in its order, `size` images at a time; the draws do not depend on `size`.

    `images` are uint8 (n, c, h, w). A system that draws `dithers` vectors of `latent_dim` numbers per image, for a
    quantiser of that many `levels`, gets u (n, dithers, latent_dim), whose vectors share `shared_bits` bits of each
    number. `convert` turns each float32 array into what the caller computes with, for instance a tensor on a device.
    Raises EcotError if the degradation does not fit the images.
    """
    degrade = degradation(settings, images.shape[-1]).to(convert)
    prepared = degrade.prepare(images)
    noise_stream = np.random.Generator(np.random.Philox(key=randomness.key(seed, "test noise")))
    streams = randomness.measurement_streams(seed, dithers)
    for start in range(0, len(images), size):
        rows = slice(start, start + size)
        clean = images[rows]
        noise = degrade.draw_noise(partial(_normal, noise_stream, clean.shape))
        y = convert(_scaled(clean))
        x = degrade.apply(
            y,
            None if prepared is None else convert(_scaled(prepared[rows])),
            None if noise is None else convert(noise),
        )
        u = randomness.dither_vectors(streams, len(clean), latent_dim, levels, start, shared_bits=shared_bits)
        yield DegradedBatch(x, y, convert(u))


def _scaled(images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images in [0, 1] from those stored as uint8."""
    return images.astype(np.float32) / np.float32(255)


def _normal(stream: np.random.Generator, shape: tuple[int, ...]) -> NDArray[np.float32]:
    numbers: NDArray[np.float32] = stream.standard_normal(shape, dtype=np.float32)
    return numbers
