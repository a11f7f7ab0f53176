"""The Frechet distance of features."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecot.quantities import Measure, Quantity, register
from ecot.theory import images as theory


def frechet_distance(outputs: Any, clean: Any, context: Any) -> float:
    """The Frechet distance of the classifier's features (Heusel et al., 2017, with other features).

    It is the squared Gelbrich distance of the features, whose covariances are divided by n - 1 as is customary. Each
    feature has variance 1 on clean images.
    """
    from ecot.evaluation.measures.features import features_of

    a, b = (_unbiased(features_of(context.classifier, images)) for images in (outputs, clean))
    moments = theory.moments(a, b)
    return theory.gelbrich_floor(moments) * moments.dimension


def _unbiased(features: NDArray[np.float64]) -> NDArray[np.float64]:
    """Features (n, d) stretched about their mean, so that dividing by n gives the covariance that n - 1 gives."""
    mean, n = features.mean(0), len(features)
    stretched: NDArray[np.float64] = mean + (features - mean) * np.sqrt(n / (n - 1))
    return stretched


MEASURE = register(
    Measure(
        Quantity("frechet_distance", "Frechet", "Fr\\'echet", 2, "of features", "lower", -1e-3),
        frechet_distance,
        "halves",
        needs_labels=True,
    )
)
