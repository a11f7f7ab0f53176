"""The classifier's features of images, which some measures compare."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

AT_ONCE = 1000  # images: bounds memory


def features_of(classifier: Any, images: Any) -> NDArray[np.float64]:
    """What the classifier's last layer sees of images (n, c, h, w): float64 (n, d)."""
    import torch

    with torch.no_grad():
        parts = [classifier.features(part) for part in torch.split(images, AT_ONCE)]
    features: NDArray[np.float64] = torch.cat(parts).double().cpu().numpy()
    return features
