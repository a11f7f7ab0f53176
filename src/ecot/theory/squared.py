"""Finite sources of points under squared error: the quantisers and the bounds of Theorems 1 and 6.

X takes the points x (n,) or (n, d) with probabilities p_x, Y the points y with p_y, d(x, y) = |x - y|^2. The optimum
itself, D_ncr, is `finite.d_ncr(p_x, p_y, finite.squared_error(x, y), rate)`; here are its parts, the bounds between
which it lies, (8) and (56), and a lower bound that is sharper than theirs. Rates are bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from ecot.theory._arguments import FloatArray, Values, array, distribution, non_negative, one_rate, result
from ecot.theory._mixtures import scalar_mixture
from ecot.theory._partitions import MOST_LETTERS, best_quantiser
from ecot.theory._results import Quantisation
from ecot.theory._transport import optimal_plan

__all__ = [
    "Quantisation",
    "d_mse",
    "d_mse_asymptotic",
    "d_ncr_asymptotic_lower",
    "d_ncr_asymptotic_upper",
    "d_ncr_lower",
    "d_ncr_lower_sharper",
    "d_ncr_upper",
    "solve_mse",
    "solve_mse_asymptotic",
]

Solver: TypeAlias = Callable[[ArrayLike, ArrayLike, float], Quantisation]


def d_mse(p: ArrayLike, points: ArrayLike, rate: ArrayLike) -> Values:
    """One-shot distortion-rate function with real reconstructions, D_mse(p, R) of (4): the optimum, by enumeration.

    min E |X - X_hat|^2 over channels with H(X_hat) <= R, where X_hat = E[X|X_hat].

    Parameters
    ----------
    p
        Probabilities, shape (n,); at most 8 of them positive.
    points
        The letters, shape (n,) or (n, d).
    rate
        R in bits, a number or an array; inf for no constraint.

    Returns
    -------
    The distortion, of the rate's shape.

    Raises
    ------
    ValueError
        For an argument that is no law, no such points or no rate; the message names it.

    Examples
    --------
    >>> round(d_mse([0.7, 0.3], [0, 1], 0.5), 6)
    0.149421
    """
    return _each(lambda r: solve_mse(p, points, r).distortion, rate)


def solve_mse(p: ArrayLike, points: ArrayLike, rate: float) -> Quantisation:
    """`d_mse` at one rate, with the joint law of X and its cell. Parameters and errors as there.

    Examples
    --------
    >>> solve_mse([0.7, 0.3], [0, 1], 0.5).p_xz.round(4)  # a part of the ones has a cell of its own
    array([[0.7 , 0.  ],
           [0.19, 0.11]])
    """
    law, x, R = *_source("p", p, "points", points), one_rate(rate)
    kept = law > 0
    _check_letters("p", law)
    joint = best_quantiser(law[kept], x[kept] - law @ x, R)
    p_xz = np.zeros((law.size, joint.shape[1]))
    p_xz[kept] = joint
    value = _error(p_xz, x)
    return Quantisation(value, value, p_xz)


def d_mse_asymptotic(p: ArrayLike, points: ArrayLike, rate: ArrayLike) -> Values:
    """Distortion-rate function of long blocks with real reconstructions, D_mse(p, R) of (52).

    min E (X - X_hat)^2 over channels with I(X;X_hat) <= R.

    Parameters
    ----------
    p
        Probabilities, shape (n,).
    points
        The letters, numbers, shape (n,).
    rate
        R in bits per letter, a number or an array; inf for no constraint.

    Returns
    -------
    The distortion, of the rate's shape; `solve_mse_asymptotic` bounds its error: 1e-6 of the squared range as a rule,
    1e-4 at rates of a hundredth of a bit.

    Raises
    ------
    ValueError
        For an argument that is no law, no such points or no rate; the message names it.

    Examples
    --------
    >>> round(d_mse_asymptotic([0.5, 0.5], [0, 1], 0.5), 6)  # h (1 - h), h = Hb^-1(1 - R)
    0.097922
    """
    return _each(lambda r: solve_mse_asymptotic(p, points, r).distortion, rate)


def solve_mse_asymptotic(p: ArrayLike, points: ArrayLike, rate: float) -> Quantisation:
    """`d_mse_asymptotic` at one rate, with the joint law and a lower bound. Parameters and errors as there.

    Examples
    --------
    >>> found = solve_mse_asymptotic([0.5, 0.5], [0, 1], 0.5)
    >>> 0 <= found.distortion - found.lower_bound < 1e-6
    True
    """
    law, x, R = *_source("p", p, "points", points), one_rate(rate)
    if x.shape[1] != 1:
        raise ValueError(f"points: numbers expected, shape (n,), got vectors of {x.shape[1]}")
    kept = law > 0
    found = scalar_mixture(law[kept], x[kept, 0], R)
    p_xz = np.zeros((law.size, found.p_xs.shape[1]))
    p_xz[kept] = found.p_xs
    return Quantisation(found.distortion, found.lower, p_xz)


def d_ncr_upper(p_x: ArrayLike, x: ArrayLike, p_y: ArrayLike, y: ArrayLike, rate: ArrayLike) -> Values:
    """Upper bound (5) on D_ncr: D_mse(p_X, R) + D_mse(p_Y, R) + W2^2 between the two optimal quantisations.

    Where a source has several optimal quantisers, one of them is taken.

    Parameters
    ----------
    p_x, x, p_y, y
        Laws and points of X and of Y, as for `d_mse`.
    rate
        R in bits, a number or an array.

    Returns
    -------
    The bound, of the rate's shape.

    Raises
    ------
    ValueError
        As `d_mse`.

    Examples
    --------
    >>> round(d_ncr_upper([0.7, 0.3], [0, 1], [0.4, 0.6], [0, 1], 0.4), 6)  # (23)
    0.533754
    """
    return _each(lambda r: _separate(solve_mse, p_x, x, p_y, y, r), rate)


def d_ncr_lower(p_x: ArrayLike, x: ArrayLike, p_y: ArrayLike, y: ArrayLike, rate: ArrayLike) -> Values:
    """Lower bound (6) on D_ncr: D_mse(p_X, R) + D_mse(p_Y, R), without the transport.

    Parameters and errors as for `d_ncr_upper`.

    Examples
    --------
    >>> round(d_ncr_lower([0.7, 0.3], [0, 1], [0.4, 0.6], [0, 1], 0.4), 6)  # (24)
    0.376707
    """
    return _each(lambda r: sum(solve_mse(*source, r).lower_bound for source in _sources(p_x, x, p_y, y)), rate)


def d_ncr_lower_sharper(p_x: ArrayLike, x: ArrayLike, p_y: ArrayLike, y: ArrayLike, rate: ArrayLike) -> Values:
    """Lower bound on D_ncr that adds to (6) what the transport costs at least; not in the paper.

    (6) + |E X - E Y|^2 + (sqrt(Var X - D_mse(p_X, R)) - sqrt(Var Y - D_mse(p_Y, R)))^2. Proof: with X_hat = E[X|Z]
    and Y_hat = E[Y|Z], E |X - Y|^2 = |E X - E Y|^2 + Var X + Var Y - 2 Cov(X_hat, Y_hat), the covariance is at most
    sqrt(Var X_hat Var Y_hat), and Var X_hat = Var X - E |X - X_hat|^2 <= Var X - D_mse(p_X, R), likewise for Y.

    Parameters and errors as for `d_ncr_upper`.

    Examples
    --------
    >>> round(d_ncr_lower_sharper([0.7, 0.3], [0, 1], [0.4, 0.6], [0, 1], 0.4), 6)
    0.467569
    """
    sources = _sources(p_x, x, p_y, y)
    means, variances = zip(*(_mean_and_variance(*source) for source in sources), strict=True)
    shift = float(((means[0] - means[1]) ** 2).sum())

    def bound(r: float) -> float:
        least = [solve_mse(*source, r).distortion for source in sources]
        kept = [np.sqrt(max(variance - error, 0.0)) for variance, error in zip(variances, least, strict=True)]
        return float(sum(least) + shift + (kept[0] - kept[1]) ** 2)

    return _each(bound, rate)


def d_ncr_asymptotic_upper(p_x: ArrayLike, x: ArrayLike, p_y: ArrayLike, y: ArrayLike, rate: ArrayLike) -> Values:
    """Upper bound (53) on the distortion of long blocks: (5) with the quantisers of `d_mse_asymptotic`.

    Parameters and errors as for `d_mse_asymptotic`, for X and for Y.

    Examples
    --------
    >>> round(d_ncr_asymptotic_upper([0.5, 0.5], [0, 1], [0.5, 0.5], [0, 1], 0.5), 5)  # 2 h (1 - h)
    0.19584
    """
    return _each(lambda r: _separate(solve_mse_asymptotic, p_x, x, p_y, y, r), rate)


def d_ncr_asymptotic_lower(p_x: ArrayLike, x: ArrayLike, p_y: ArrayLike, y: ArrayLike, rate: ArrayLike) -> Values:
    """Lower bound (54) on the distortion of long blocks: (6) with the certified lower bounds of `d_mse_asymptotic`.

    Parameters and errors as for `d_mse_asymptotic`, for X and for Y.

    Examples
    --------
    >>> round(d_ncr_asymptotic_lower([0.5, 0.5], [0, 1], [0.5, 0.5], [0, 1], 0.5), 5)
    0.19584
    """
    return _each(
        lambda r: sum(solve_mse_asymptotic(*source, r).lower_bound for source in _sources(p_x, x, p_y, y)), rate
    )


def _separate(solve: Solver, p_x: ArrayLike, x: ArrayLike, p_y: ArrayLike, y: ArrayLike, rate: float) -> float:
    """Both errors and the transport between both quantisations."""
    (law_x, points_x), (law_y, points_y) = _sources(p_x, x, p_y, y)
    X, Y = solve(law_x, points_x, rate), solve(law_y, points_y, rate)
    centres_x, centres_y = _centres(X.p_xz, points_x), _centres(Y.p_xz, points_y)
    cost = ((centres_x[:, None] - centres_y) ** 2).sum(2)
    distance = float((optimal_plan(X.p_xz.sum(0), Y.p_xz.sum(0), cost) * cost).sum())
    return X.distortion + Y.distortion + distance


def _sources(
    p_x: ArrayLike, x: ArrayLike, p_y: ArrayLike, y: ArrayLike
) -> tuple[tuple[FloatArray, FloatArray], tuple[FloatArray, FloatArray]]:
    """Laws and points of both sources."""
    X, Y = _source("p_x", p_x, "x", x), _source("p_y", p_y, "y", y)
    if X[1].shape[1] != Y[1].shape[1]:
        raise ValueError(f"y: points of {X[1].shape[1]} coordinates expected, as in x, got {Y[1].shape[1]}")
    return X, Y


def _check_letters(name: str, law: FloatArray) -> None:
    letters = int((law > 0).sum())
    if letters > MOST_LETTERS:
        raise ValueError(f"{name}: at most {MOST_LETTERS} letters of positive probability, got {letters}")


def _source(name: str, p: ArrayLike, of: str, points: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """The law (n,) and the points (n, d)."""
    law, x = distribution(name, p), array(of, points)
    if x.ndim not in (1, 2) or len(x) != law.size or x.size == 0 or not np.isfinite(x).all():
        raise ValueError(f"{of}: {law.size} finite points expected, shape (n,) or (n, d), got {x.shape}")
    return law, x if x.ndim == 2 else x[:, None]


def _mean_and_variance(p: FloatArray, points: FloatArray) -> tuple[FloatArray, float]:
    mean = p @ points
    return mean, float(p @ ((points - mean) ** 2).sum(1))


def _centres(joint: FloatArray, points: FloatArray) -> FloatArray:
    """E[X|Z = z], (k, d)."""
    return np.asarray(joint.T @ points / joint.sum(0)[:, None])


def _error(joint: FloatArray, points: FloatArray) -> float:
    """E |X - E[X|Z]|^2."""
    return float((joint * ((points[:, None] - _centres(joint, points)) ** 2).sum(2)).sum())


def _each(solve: Callable[[float], float], rate: ArrayLike) -> Values:
    R = non_negative("rate", rate)
    return result(np.reshape([solve(float(r)) for r in R.flat], R.shape))
