"""The kernel distance of features."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecot.coding import randomness
from ecot.quantities import Measure, Quantity, register

SUBSETS, SUBSET = 10, 1000  # how many random subsets, and of how many images at most


def kernel_distance(outputs: Any, clean: Any, context: Any) -> float:
    """The unbiased squared maximum mean discrepancy of the classifier's features (Binkowski et al., 2018).

    The kernel is (x'y / d + 1)^3 for d features, and the mean over random subsets counts. Being unbiased, it may be a
    little below 0.
    """
    import torch

    from ecot.evaluation.measures.features import features_of

    a, b = features_of(context.classifier, outputs), features_of(context.classifier, clean)
    generator = torch.Generator().manual_seed(randomness.torch_seed(randomness.key(context.seed, "subsets")))
    size = min(len(a), len(b), SUBSET)
    # All images in another order would be the same subset once more.
    subsets = 1 if size == len(a) == len(b) else SUBSETS
    distances = []
    for _ in range(subsets):
        of_clean = torch.randperm(len(b), generator=generator)[:size].numpy()
        of_outputs = torch.randperm(len(a), generator=generator)[:size].numpy()
        distances.append(_discrepancy(b[of_clean], a[of_outputs]))
    return float(np.mean(distances))


def _discrepancy(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """The unbiased estimate from two sets of features (m, d) each."""
    m, d = x.shape
    xx, yy, xy = ((a @ b.T / d + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    within = (xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)) / (m * (m - 1))
    return float(within - 2 * xy.mean())


MEASURE = register(
    Measure(
        Quantity("kernel_distance", "kernel", "kernel", 3, "of features", "lower"), kernel_distance, "halves", True
    )
)
