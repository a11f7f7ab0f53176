"""Checking arguments: every function returns its argument as floats or raises ValueError with its name."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]
Values = float | FloatArray  # a float where the rate was one, otherwise an array of the rate's shape

# Probabilities read from text may be rounded; a sum further from one than this is a mistake.
SUM_TOLERANCE = 1e-9


def array(name: str, values: ArrayLike) -> FloatArray:
    """`values` as float64, without NaN."""
    try:
        result = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: numbers expected, got {values!r}") from error
    if np.isnan(result).any():
        raise ValueError(f"{name}: NaN is not allowed")
    return result


def non_negative(name: str, values: ArrayLike) -> FloatArray:
    """An array of any shape with entries in [0, inf], such as rates in bits or distortions."""
    result = array(name, values)
    if (result < 0).any():
        raise ValueError(f"{name}: must not be negative, got {result.min():g}")
    return result


def number(name: str, value: float, low: float = -math.inf, high: float = math.inf) -> float:
    """One finite number in [low, high]."""
    result = array(name, value)
    if result.ndim != 0:
        raise ValueError(f"{name}: one number expected, got an array of shape {result.shape}")
    if not np.isfinite(result) or not low <= result <= high:
        raise ValueError(f"{name}: must be finite and in [{low:g}, {high:g}], got {float(result):g}")
    return float(result)


def positive(name: str, value: float) -> float:
    """One finite number above zero."""
    result = number(name, value)
    if result <= 0:
        raise ValueError(f"{name}: must be positive, got {result:g}")
    return result


def distribution(name: str, values: ArrayLike) -> FloatArray:
    """A probability vector, shape (letters,), scaled to sum to one exactly."""
    result = non_negative(name, values)
    if result.ndim != 1 or result.size == 0:
        raise ValueError(f"{name}: a vector of probabilities expected, got shape {result.shape}")
    total = float(result.sum())
    if not abs(total - 1) <= SUM_TOLERANCE:
        raise ValueError(f"{name}: probabilities must sum to 1, these sum to {total:.12g}")
    return result / total


def matrix(name: str, values: ArrayLike, shape: tuple[int, int]) -> FloatArray:
    """A finite matrix of the given shape."""
    result = array(name, values)
    if result.shape != shape:
        raise ValueError(f"{name}: shape {shape} expected, got {result.shape}")
    if not np.isfinite(result).all():
        raise ValueError(f"{name}: entries must be finite")
    return result


def result(values: ArrayLike) -> Values:
    """A float for a zero-dimensional array, the array otherwise."""
    out = np.asarray(values, dtype=np.float64)
    return float(out) if out.ndim == 0 else out
