"""Uniform sources X ~ U[0, a], Y ~ U[0, b] under squared error, one-shot (Appendix A.6).

Both sources are cut by the optimal entropy-constrained scalar quantiser of Gyorgy & Linder (2000): of the
unit interval, one cell of length c and N - 1 cells of length c' = (1-c)/(N-1), N = ceil(2^R), with entropy
exactly R. Rates are a float or an array; results are floats or arrays of its shape.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr

from ecot.theory._arguments import FloatArray, Values, non_negative, positive, result

__all__ = [
    "Partition",
    "d_cr_lower",
    "d_ncr_lower",
    "d_ncr_upper",
    "partition",
    "quantiser_error",
    "r_ncr_upper",
    "transport_cost",
    "wasserstein2",
]

# From 2^52 cells on every double is a whole number; far beyond, the cubes of cell lengths underflow.
MAX_RATE = 300.0
BISECTIONS = 70
# The Shannon lower bound of a uniform law of variance s^2: distortion >= SHANNON s^2 2^(-2R).
SHANNON = 6 / (np.pi * np.e)


@dataclass(frozen=True)
class Partition:
    """The quantiser's cells on [0, 1]: the first of length `first`, `n` - 1 more of length `other`."""

    n: FloatArray
    first: FloatArray
    other: FloatArray


def partition(rate: ArrayLike) -> Partition:
    """N = ceil(2^R), c in (0, 1/N] with -c log2 c - (1-c) log2((1-c)/(N-1)) = R, and c' (0 where N = 1).

    Parameters
    ----------
    rate
        R in bits, a number or an array.

    Returns
    -------
    The cells; each array has the rate's shape.

    Raises
    ------
    ValueError
        For a rate that is no number or negative.

    Examples
    --------
    >>> partition(2).first
    array(0.25)
    """
    R = np.minimum(non_negative("rate", rate), MAX_RATE)
    cells = np.exp2(R)
    whole = np.abs(cells - np.rint(cells)) <= 4 * np.finfo(float).eps * cells  # R = log2 N up to rounding
    N = np.where(whole, np.rint(cells), np.ceil(cells))
    c = np.where(whole, 1 / N, _bisect(lambda c: _entropy(c, N) - R, 1 / N))
    return Partition(N, c, (1 - c) / np.maximum(N - 1, 1))


def wasserstein2(a: float, b: float) -> float:
    """Squared 2-Wasserstein distance of the sources, (b-a)^2/3 (39): the limit of D_ncr as R grows.

    Parameters
    ----------
    a, b
        Lengths of the intervals, positive.

    Returns
    -------
    The squared distance.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> wasserstein2(2, 5)
    3.0
    """
    a, b = _lengths(a, b)
    return (b - a) ** 2 / 3


def quantiser_error(a: float, rate: ArrayLike) -> Values:
    """E (X - X_hat)^2 = a^2 [c^3 + (1-c) c'^2] / 12, (46) and, with b in place of a, (47).

    Parameters
    ----------
    a
        Length of the interval, positive.
    rate
        R in bits, a number or an array.

    Returns
    -------
    The distortion, of the rate's shape.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> quantiser_error(2, 1)  # two cells of length one: 1/12
    0.08333333333333333
    """
    cells = partition(rate)
    c, c_ = cells.first, cells.other
    return result(positive("a", a) ** 2 * (c**3 + (1 - c) * c_**2) / 12)


def transport_cost(a: float, b: float, rate: ArrayLike) -> Values:
    """Squared 2-Wasserstein distance of the quantisations X_hat and Y_hat, (50).

    (b-a)^2 [c^3/4 + c^2 c' (N-1) + c c'^2 (N-1)^2 + c'^3 (2N-1)(2N-3)(N-1)/12]

    Parameters
    ----------
    a, b
        Lengths of the intervals, positive.
    rate
        R in bits, a number or an array.

    Returns
    -------
    The distortion, of the rate's shape.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> transport_cost(2, 5, 1)
    2.8125
    """
    a, b = _lengths(a, b)
    cells = partition(rate)
    N, c, c_ = cells.n, cells.first, cells.other
    rest = c_ * (N - 1)
    last = (c_ * (2 * N - 1)) * (c_ * (2 * N - 3)) * rest / 12  # factor by factor: N^3 overflows at high rate
    return result((b - a) ** 2 * (c**3 / 4 + c**2 * rest + c * rest**2 + last))


def d_ncr_upper(a: float, b: float, rate: ArrayLike) -> Values:
    """Upper bound D_ncr^+ on the distortion without common randomness, the sum of (46), (47) and (50).

    For R = log2 N it is (b-a)^2/3 + (ab/6) 2^(-2R), (44). At every rate E[X_hat^2] + E (X - X_hat)^2 = E[X^2] makes
    the sum (b-a)^2/3 + 2ab e, e = [c^3 + (1-c) c'^2] / 12: computed so, nothing cancels at high rates.

    Parameters
    ----------
    a, b
        Lengths of the intervals, positive.
    rate
        R in bits, a number or an array.

    Returns
    -------
    The distortion, of the rate's shape.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> round(d_ncr_upper(2, 5, 1), 6)
    3.416667
    """
    return result(wasserstein2(a, b) + 2 * a * b * np.asarray(quantiser_error(1.0, rate)))


def d_ncr_lower(a: float, b: float, rate: ArrayLike) -> Values:
    """Lower bound on D_ncr, (b-a)^2/3 + (6/(pi e)) (ab/6) 2^(-2R).

    The proof of (58) with the Shannon lower bound in place of the Gaussian rate-distortion function:
    Var X_hat = Var X - E (X - X_hat)^2 <= (1 - k 2^(-2R)) Var X, k = 6/(pi e), likewise for Y, and
    D_ncr >= (E X - E Y)^2 + Var X + Var Y - 2 sqrt(Var X_hat Var Y_hat). Not in the paper.

    Parameters
    ----------
    a, b
        Lengths of the intervals, positive.
    rate
        R in bits, a number or an array.

    Returns
    -------
    The distortion, of the rate's shape.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> round(d_ncr_lower(2, 5, 1), 6)
    3.292749
    """
    R = non_negative("rate", rate)
    return result(wasserstein2(a, b) + SHANNON * a * b / 6 * np.exp2(-2 * R))


def d_cr_lower(a: float, b: float, rate: ArrayLike) -> Values:
    """Lower bound on D_cr, (b-a)^2/3 + (ab/6) (1 - sqrt(1 - k 2^(-2R))), k = 6/(pi e).

    The proof of (61) with the entropy of a uniform law: H(Y|U) <= R implies I(X;Y) <= R, and
    I(X;Y) >= h(X) - log2(2 pi e Var X (1 - xi^2)) / 2 bounds the correlation xi of X and Y. Not in the paper.

    Parameters
    ----------
    a, b
        Lengths of the intervals, positive.
    rate
        R in bits, a number or an array.

    Returns
    -------
    The distortion, of the rate's shape.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> round(d_cr_lower(2, 5, 1), 6)
    3.153437
    """
    t = SHANNON * np.exp2(-2 * non_negative("rate", rate))
    return result(wasserstein2(a, b) + a * b / 6 * t / (1 + np.sqrt(1 - t)))


def r_ncr_upper(a: float, b: float, distortion: ArrayLike) -> Values:
    """Rate at which D_ncr^+ reaches a given distortion, its inverse: an upper bound on R_ncr(D).

    D = (b-a)^2/3 + 2ab e, e = [c^3 + (1-c) c'^2] / 12, is solved for c. 0 for D >= D_ncr^+(0); infinite for
    D <= (b-a)^2/3, which for a != b every D_ncr^+ of more than about 26 bits is, rounded to a double.

    Parameters
    ----------
    a, b
        Lengths of the intervals, positive.
    distortion
        D, a number or an array.

    Returns
    -------
    The rate in bits, of the distortion's shape.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> round(r_ncr_upper(2, 5, 3.416667), 5)
    1.0
    """
    limit = wasserstein2(a, b)
    D = non_negative("distortion", distortion)
    inside = (limit < D) & (limit + a * b / 6 > D)
    e = np.where(inside, (D - limit) / (2 * a * b), 1 / 12)
    cells = 1 / np.sqrt(12 * e)
    N = np.maximum(np.ceil(cells * (1 - 4 * np.finfo(float).eps)), 1)
    spread = np.maximum(N - 1, 1)
    c = _bisect(lambda c: 12 * e - (c**3 + (1 - c) ** 3 / spread**2), 1 / N)
    return result(np.where(limit >= D, np.inf, np.where(inside, _entropy(c, N), 0.0)))


def _lengths(a: float, b: float) -> tuple[float, float]:
    return positive("a", a), positive("b", b)


def _entropy(c: FloatArray, N: FloatArray) -> FloatArray:
    """-c log2 c - (1-c) log2((1-c)/(N-1)), bits; 0 for N = 1."""
    entropy = (entr(c) + entr(1 - c)) / np.log(2) + (1 - c) * np.log2(np.maximum(N - 1, 1))
    return np.where(N > 1, entropy, 0.0)


def _bisect(increasing: Callable[[FloatArray], FloatArray], top: FloatArray) -> FloatArray:
    """The root of an elementwise increasing function on (0, top]."""
    low, high = np.zeros_like(top), np.asarray(top, dtype=np.float64)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        below = increasing(middle) < 0
        low, high = np.where(below, middle, low), np.where(below, high, middle)
    return (low + high) / 2
