"""The squared Gelbrich (Bures) distance of mean and covariance."""

from typing import Any

from ecot.quantities import Measure, Quantity, register
from ecot.theory import images as theory


def gelbrich(outputs: Any, clean: Any, context: Any) -> float:
    """The squared Gelbrich distance of two sets of images, per pixel (Gelbrich, 1990).

    Taken crosswise over the halves it is no less than that of the whole test set, as it is jointly convex in the
    first two moments. Its root is a metric on moments; hence distortion >= (sqrt(floor) - sqrt(this))^2 with the
    Gelbrich floor of X and Y.
    """
    return theory.gelbrich_floor(theory.moments(outputs.flatten(1).cpu().numpy(), clean.flatten(1).cpu().numpy()))


MEASURE = register(
    Measure(Quantity("gelbrich", "Gelbrich²", r"Gelbrich$^2$", 4, "per pixel", "lower", -1e-6), gelbrich, "halves")
)
