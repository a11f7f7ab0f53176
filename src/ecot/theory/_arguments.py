"""Checking arguments: every function returns its argument as floats or raises ValueError with its name.

Numbers are those of Python, NumPy and the like: integers, floats, fractions. Text, booleans, complex numbers and None
are none.
"""

import math
from numbers import Real
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.intp]
Values: TypeAlias = float | FloatArray  # a float where the rate was one, otherwise an array of the rate's shape

# Probabilities read from text may be rounded; a sum further from one than this is a mistake.
SUM_TOLERANCE = 1e-9
LARGEST = 1e150  # the square of a larger number is no double


def array(name: str, values: ArrayLike) -> FloatArray:
    """`values` as float64, without NaN."""
    # as objects, since NumPy would silently turn [0.1, True] into floats and [0.1, "0.2"] into text
    given = np.asarray(values if hasattr(values, "__array__") else np.asarray(values, dtype=object))
    if given.dtype.kind == "O":
        wrong = [value for value in given.flat if isinstance(value, bool) or not isinstance(value, Real)]
    else:
        wrong = [] if given.dtype.kind in "iuf" else [given.tolist()]
    if wrong:
        raise ValueError(f"{name}: numbers expected, got {wrong[0]!r}")
    try:
        result = given.astype(np.float64)
    except OverflowError as error:
        raise ValueError(f"{name}: a number is too large") from error
    if np.isnan(result).any():
        raise ValueError(f"{name}: NaN is not allowed")
    return result


def non_negative(name: str, values: ArrayLike) -> FloatArray:
    """An array of any shape with entries in [0, inf], such as rates in bits or distortions."""
    result = array(name, values)
    if (result < 0).any():
        raise ValueError(f"{name}: must not be negative, got {result.min():g}")
    return result


def number(name: str, value: ArrayLike, low: float = -LARGEST, high: float = LARGEST) -> float:
    """One number in [low, high]."""
    result = array(name, value)
    if result.ndim != 0:
        raise ValueError(f"{name}: one number expected, got an array of shape {result.shape}")
    if not low <= result <= high:
        raise ValueError(f"{name}: must be finite and in [{low:g}, {high:g}], got {float(result):g}")
    return float(result)


def positive(name: str, value: ArrayLike, high: float = LARGEST) -> float:
    """One number in (0, high]."""
    result = number(name, value, high=high)
    if result <= 0:
        raise ValueError(f"{name}: must be positive, got {result:g}")
    return result


def one_rate(rate: ArrayLike) -> float:
    """One rate in bits, in [0, inf]."""
    return number("rate", rate, 0, math.inf)


def whole(name: str, value: ArrayLike, low: int = 0) -> int:
    """One whole number of at least `low`."""
    result = number(name, value)
    if result != round(result) or result < low:
        raise ValueError(f"{name}: a whole number of at least {low} expected, got {result:g}")
    return int(result)


def distribution(name: str, values: ArrayLike) -> FloatArray:
    """A probability vector, shape (letters,), scaled to sum to one exactly.

    A law in single precision may miss the sum by that precision.
    """
    result = non_negative(name, values)
    if result.ndim != 1 or result.size == 0:
        raise ValueError(f"{name}: a vector of probabilities expected, got shape {result.shape}")
    dtype = np.asarray(values).dtype
    rounding = result.size * float(np.finfo(dtype).eps) if dtype.kind == "f" else 0.0
    total = math.fsum(result)
    if not abs(total - 1) <= max(SUM_TOLERANCE, rounding):
        raise ValueError(f"{name}: probabilities must sum to 1, these sum to {total:.12g}")
    return result / total


def matrix(name: str, values: ArrayLike, shape: tuple[int, int]) -> FloatArray:
    """A finite matrix of the given shape."""
    result = array(name, values)
    if result.shape != shape:
        raise ValueError(f"{name}: shape {shape} expected, got {result.shape}")
    if not (np.abs(result) <= LARGEST).all():
        raise ValueError(f"{name}: entries must be finite and in [{-LARGEST:g}, {LARGEST:g}]")
    return result


def result(values: ArrayLike) -> Values:
    """A float for a zero-dimensional array, the array otherwise."""
    out = np.asarray(values, dtype=np.float64)
    return float(out) if out.ndim == 0 else out
