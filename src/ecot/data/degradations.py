"""How X is made from Y: linear, so that one description serves NumPy, torch and the analytic bounds."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecot.config import Degradation, GaussianNoise, Interpolation
from ecot.errors import EcotError

CUBIC = -0.75  # parameter of the cubic convolution kernel, as torch and OpenCV have it


@dataclass(frozen=True)
class Operator:
    """X = A Y A^T + noise_std N, clipped to [0, 1] if `clip`.

    `matrix` is A, shape (side, side), or None for the identity: a NumPy array or, for torch images,
    a tensor on their device. `noise_std` is in units of images in [0, 1].
    """

    matrix: Any
    noise_std: float
    clip: bool

    def __call__(self, y: Any, noise: Any = None) -> Any:
        """X for images y (..., side, side) in [0, 1]; `noise` is standard normal, shape of y."""
        x = y if self.matrix is None else self.matrix @ y @ self.matrix.T
        if self.noise_std:
            x = x + self.noise_std * noise
        return x.clip(0, 1) if self.clip else x


def operator(settings: Degradation, side: int) -> Operator:
    """The degradation of square images of a given side. EcotError if the factor does not divide it."""
    if isinstance(settings, GaussianNoise):
        return Operator(None, settings.std / 255, settings.clip)
    if side % settings.factor:
        raise EcotError(f"degradation.factor: {settings.factor} does not divide the image side {side}")
    small = side // settings.factor
    down = resize_matrix(small, side, settings.interpolation)
    up = resize_matrix(side, small, settings.interpolation)
    return Operator((up @ down).astype(np.float32), 0.0, settings.clip)


def resize_matrix(n_out: int, n_in: int, interpolation: Interpolation) -> NDArray[np.float64]:
    """The linear map, shape (n_out, n_in), that resizes a line of samples, without antialiasing.

    Sample i lies at (i + 1/2) / n; beyond the border the last sample repeats. The same as
    `torch.nn.functional.interpolate` with align_corners=False.
    """
    matrix = np.zeros((n_out, n_in))
    for i in range(n_out):
        if interpolation == "area":
            first, last = i * n_in // n_out, -(-(i + 1) * n_in // n_out)
            matrix[i, first:last] = 1 / (last - first)
            continue
        position = (i + 0.5) * n_in / n_out - 0.5
        if interpolation == "nearest":
            weights = {i * n_in // n_out: 1.0}
        elif interpolation == "bilinear":
            left = int(np.floor(position))
            weights = {left: 1 - (position - left), left + 1: position - left}
        else:
            left = int(np.floor(position))
            weights = {j: _cubic(abs(position - j)) for j in range(left - 1, left + 3)}
        for j, weight in weights.items():
            matrix[i, min(max(j, 0), n_in - 1)] += weight
    return matrix


def _cubic(t: float) -> float:
    """The cubic convolution kernel at distance t >= 0 (Keys, 1981)."""
    a = CUBIC
    if t <= 1:
        return (a + 2) * t**3 - (a + 3) * t**2 + 1
    return a * (t**3 - 5 * t**2 + 8 * t - 4) if t < 2 else 0.0
