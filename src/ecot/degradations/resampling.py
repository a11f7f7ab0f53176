"""Resampling: Y made `factor` times smaller and brought back to its size, X = A Y A^T (Section B.1)."""

import copy
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ecot.degradations import KINDS, Degradation, DegradationSettings, Kind
from ecot.degradations.messages import factor_does_not_divide

Interpolation = Literal["nearest", "area", "bilinear", "bicubic"]
CUBIC = -0.75  # parameter of the cubic convolution kernel, as torch and OpenCV have it


class ResamplingSettings(DegradationSettings):
    """X is Y made `factor` times smaller and brought back to its size."""

    kind: Literal["resampling"]
    factor: int = Field(4, ge=2, description="how many times smaller each side becomes")
    down: Interpolation = Field("bicubic", description="how the image is made smaller")
    up: Interpolation = Field("bicubic", description="how it is brought back to its size")
    clip: bool = Field(False, description="clip X to [0, 1]")


class Resampling(Degradation):
    """The linear map A, shape (side, side), applied to rows and columns."""

    def __init__(self, settings: ResamplingSettings, side: int) -> None:
        if side % settings.factor:
            raise factor_does_not_divide(settings.factor, side)
        small = side // settings.factor
        down = resize_matrix(small, side, settings.down)
        up = resize_matrix(side, small, settings.up)
        self.matrix: Any = (up @ down).astype(np.float32)
        self.clip = settings.clip

    def apply(self, y: Any, prepared: Any, noise: Any) -> Any:
        x = self.matrix @ y @ self.matrix.T
        return x.clip(0, 1) if self.clip else x

    def to(self, move: Callable[[NDArray[np.float32]], Any]) -> "Resampling":
        moved = copy.copy(self)
        moved.matrix = move(self.matrix)
        return moved


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


KINDS.register(Kind("resampling", ResamplingSettings, Resampling))
