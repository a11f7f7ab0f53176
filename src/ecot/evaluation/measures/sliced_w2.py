"""The squared sliced Wasserstein-2 distance."""

from typing import Any

import numpy as np

from ecot.coding import randomness
from ecot.quantities import Measure, Quantity, register
from ecot.theory import images as theory

DIRECTIONS = 200


def sliced_w2(outputs: Any, clean: Any, context: Any) -> float:
    """The squared sliced Wasserstein-2 distance of two sets of images, per pixel.

    A shift of all values by s gives s^2.
    """
    stream = np.random.Generator(np.random.Philox(key=randomness.key(context.seed, "directions")))
    directions = stream.standard_normal((outputs[0].numel(), DIRECTIONS))
    a, b = (images.flatten(1).cpu().numpy() for images in (outputs, clean))
    return theory.sliced_wasserstein(a, b, directions)


MEASURE = register(
    Measure(Quantity("sliced_w2", "sliced W2²", r"sliced $W_2^2$", 5, "per pixel", "lower", 0), sliced_w2, "halves")
)
