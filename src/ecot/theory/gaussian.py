"""Gaussian sources X ~ N(mu_x, sigma_x^2), Y ~ N(mu_y, sigma_y^2) under squared error (Theorem 8).

Long blocks. Symbols: D_min = (mu_x - mu_y)^2 + (sigma_x - sigma_y)^2 is the squared Wasserstein distance,
D_max = (mu_x - mu_y)^2 + sigma_x^2 + sigma_y^2 the distortion of independent letters. Rates are bits per
letter, a float or an array; results are floats or arrays of its shape. No scheme that codes letter by letter
does better than these curves, so they bound the one-shot problem from below.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ecot.theory._arguments import FloatArray, Values, non_negative, number, one_rate, result

__all__ = [
    "JointPlan",
    "QuantisationPlan",
    "cr_plan",
    "d_cr",
    "d_limited",
    "d_ncr",
    "d_ncr_lower",
    "d_ncr_upper",
    "ncr_plan",
    "r_cr",
    "r_ncr",
]


@dataclass(frozen=True)
class QuantisationPlan:
    """X - X_hat - Y_hat - Y, all Gaussian: X_hat = E[X|X_hat] with deviation `x_hat`, Y_hat the same of Y with
    `y_hat`.

    Y_hat is the increasing affine function of X_hat, which is transport between the two; (65), (66).
    """

    mu_x: float
    sigma_x: float
    mu_y: float
    sigma_y: float
    x_hat: float
    y_hat: float

    @property
    def terms(self) -> tuple[float, float, float]:
        """E (X - X_hat)^2, E (Y - Y_hat)^2 and W2^2(X_hat, Y_hat), the terms of (51)."""
        transport = (self.mu_x - self.mu_y) ** 2 + (self.x_hat - self.y_hat) ** 2
        return self.sigma_x**2 - self.x_hat**2, self.sigma_y**2 - self.y_hat**2, transport


@dataclass(frozen=True)
class JointPlan:
    """The Gaussian joint law of X and Y: `mean` (2,) and `covariance` (2, 2)."""

    mean: FloatArray
    covariance: FloatArray

    @property
    def distortion(self) -> float:
        """E (X - Y)^2."""
        difference = np.array([1.0, -1.0])
        return float((difference @ self.mean) ** 2 + difference @ self.covariance @ difference)


def d_ncr(mu_x: float, sigma_x: float, mu_y: float, sigma_y: float, rate: ArrayLike) -> Values:
    """Least distortion without common randomness, (58): D_min + 2 sigma_x sigma_y 2^(-2R).

    The upper bound (59) from separately optimal quantisers has the same value.

    Parameters
    ----------
    mu_x, mu_y
        Means of X and of Y.
    sigma_x, sigma_y
        Standard deviations of X and of Y, not negative.
    rate
        R in bits per letter, a number or an array.

    Returns
    -------
    The distortion, of the rate's shape.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> d_ncr(0, 1, 1, 2, 1)
    3.0
    """
    _, d_min, product = _sources(mu_x, sigma_x, mu_y, sigma_y)
    return result(d_min + 2 * product * np.exp2(-2 * non_negative("rate", rate)))


def d_ncr_upper(mu_x: float, sigma_x: float, mu_y: float, sigma_y: float, rate: ArrayLike) -> Values:
    """Upper bound (59) on D_ncr: each source's own optimal quantiser, then transport between them; equal to (58).

    The sum of the errors (sigma_x^2 + sigma_y^2) 2^(-2R) and of the distance of N(mu_x, sigma_x^2 (1 - 2^(-2R))) and
    N(mu_y, sigma_y^2 (1 - 2^(-2R))).

    Parameters
    ----------
    mu_x, mu_y
        Means of X and of Y.
    sigma_x, sigma_y
        Standard deviations of X and of Y, not negative.
    rate
        R in bits per letter, a number or an array.

    Returns
    -------
    The distortion, of the rate's shape.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> d_ncr_upper(0, 1, 1, 2, [0, 1]).tolist()
    [6.0, 3.0]
    """
    _sources(mu_x, sigma_x, mu_y, sigma_y)
    t = np.exp2(-2 * non_negative("rate", rate))
    distance = (mu_x - mu_y) ** 2 + (sigma_x - sigma_y) ** 2 * (1 - t)
    return result((sigma_x**2 + sigma_y**2) * t + distance)


def d_ncr_lower(mu_x: float, sigma_x: float, mu_y: float, sigma_y: float, rate: ArrayLike) -> Values:
    """Lower bound (60) on D_ncr, (sigma_x^2 + sigma_y^2) 2^(-2R): no cost of transport.

    Parameters
    ----------
    mu_x, mu_y
        Means of X and of Y.
    sigma_x, sigma_y
        Standard deviations of X and of Y, not negative.
    rate
        R in bits per letter, a number or an array.

    Returns
    -------
    The distortion, of the rate's shape.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> d_ncr_lower(0, 1, 1, 2, 1)
    1.25
    """
    _sources(mu_x, sigma_x, mu_y, sigma_y)
    return result((sigma_x**2 + sigma_y**2) * np.exp2(-2 * non_negative("rate", rate)))


def d_cr(mu_x: float, sigma_x: float, mu_y: float, sigma_y: float, rate: ArrayLike) -> Values:
    """Least distortion with common randomness, (61): D_max - 2 sigma_x sigma_y sqrt(1 - 2^(-2R)).

    Parameters
    ----------
    mu_x, mu_y
        Means of X and of Y.
    sigma_x, sigma_y
        Standard deviations of X and of Y, not negative.
    rate
        R in bits per letter, a number or an array.

    Returns
    -------
    The distortion, of the rate's shape.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> round(d_cr(0, 1, 1, 2, 1), 6)
    2.535898
    """
    _, d_min, product = _sources(mu_x, sigma_x, mu_y, sigma_y)
    # 1 - sqrt(1 - t) = t / (1 + sqrt(1 - t)) keeps the digits of D - D_min at high rate
    t = np.exp2(-2 * non_negative("rate", rate))
    return result(d_min + 2 * product * t / (1 + np.sqrt(1 - t)))


def d_limited(
    mu_x: float, sigma_x: float, mu_y: float, sigma_y: float, rate: ArrayLike, common_rate: ArrayLike
) -> Values:
    """Least distortion with R_c bits of common randomness per letter: between (58), R_c = 0, and (61), R_c = inf.

    (mu_x - mu_y)^2 + sigma_x^2 + sigma_y^2 - 2 sigma_x sigma_y sqrt((1 - 2^(-2R)) (1 - 2^(-2(R + R_c)))). Not in the
    paper, which leaves the question open.

    Proof. A distortion is attained with R_c bits of common randomness if and only if there are X - V - Y that have it
    and I(X;V) <= R, I(Y;V) <= R + R_c (Saldi, Linder, Yuksel 2015). X and Y are independent given V, hence
    Cov(X, Y) = Cov(E[X|V], E[Y|V]) <= sqrt(Var E[X|V] Var E[Y|V]). E[X|V] is an estimate of X from R bits, so
    E (X - E[X|V])^2 >= sigma_x^2 2^(-2R), the Gaussian distortion-rate function, and Var E[X|V] is at most
    sigma_x^2 (1 - 2^(-2R)); likewise for Y with R + R_c bits. Jointly Gaussian X, V, Y attain all three bounds.

    Parameters
    ----------
    mu_x, mu_y
        Means of X and of Y.
    sigma_x, sigma_y
        Standard deviations of X and of Y, not negative.
    rate
        R in bits per letter, a number or an array.
    common_rate
        R_c in bits per letter, a number or an array that broadcasts with the rate; inf for no limit.

    Returns
    -------
    The distortion, of the two rates' common shape.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> [round(d_limited(0, 1, 1, 2, 1, bits), 6) for bits in (0, 1, float("inf"))]
    [3.0, 2.645898, 2.535898]
    """
    _, d_min, product = _sources(mu_x, sigma_x, mu_y, sigma_y)
    R, common = non_negative("rate", rate), non_negative("common_rate", common_rate)
    # 1 - sqrt((1 - t)(1 - u)) = (t + u - tu) / (1 + sqrt(...)) keeps the digits of D - D_min at high rate
    t, u = np.exp2(-2 * R), np.exp2(-2 * (R + common))
    return result(d_min + 2 * product * (t + u - t * u) / (1 + np.sqrt((1 - t) * (1 - u))))


def r_ncr(mu_x: float, sigma_x: float, mu_y: float, sigma_y: float, distortion: ArrayLike) -> Values:
    """Least rate without common randomness at a given distortion, the inverse of (58).

    0 for D >= D_max; infinite for D <= D_min (unless D_min = D_max).

    Parameters
    ----------
    mu_x, mu_y
        Means of X and of Y.
    sigma_x, sigma_y
        Standard deviations of X and of Y, not negative.
    distortion
        D, a number or an array.

    Returns
    -------
    The rate in bits per letter, of the distortion's shape.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> r_ncr(0, 1, 1, 2, 3)
    1.0
    """
    d_max, d_min, product = _sources(mu_x, sigma_x, mu_y, sigma_y)
    D = non_negative("distortion", distortion)
    with np.errstate(divide="ignore", invalid="ignore"):  # outside (D_min, D_max), where R is replaced below
        R = 0.5 * np.log2(2 * product / (D - d_min))
    return result(np.where(d_max <= D, 0.0, np.where(d_min >= D, np.inf, np.maximum(R, 0.0))))


def r_cr(mu_x: float, sigma_x: float, mu_y: float, sigma_y: float, distortion: ArrayLike) -> Values:
    """Least rate with common randomness at a given distortion, the inverse of (61): -log2(1 - xi^2) / 2.

    xi = (D_max - D) / (2 sigma_x sigma_y) is the correlation that D needs. 0 for D >= D_max; infinite for D
    <= D_min (unless D_min = D_max).

    Parameters
    ----------
    mu_x, mu_y
        Means of X and of Y.
    sigma_x, sigma_y
        Standard deviations of X and of Y, not negative.
    distortion
        D, a number or an array.

    Returns
    -------
    The rate in bits per letter, of the distortion's shape.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> round(r_cr(0, 1, 0, 0.8, 0.5), 6)  # a published value of R(D, P), P = 0.04
    0.511131
    """
    d_max, d_min, product = _sources(mu_x, sigma_x, mu_y, sigma_y)
    D = non_negative("distortion", distortion)
    with np.errstate(divide="ignore", invalid="ignore"):  # outside (D_min, D_max), where R is replaced below
        lost = (D - d_min) / (2 * product)  # 1 - xi
        R = -0.5 * np.log2(lost * (2 - lost))
    return result(np.where(d_max <= D, 0.0, np.where(d_min >= D, np.inf, np.maximum(R, 0.0))))


def ncr_plan(mu_x: float, sigma_x: float, mu_y: float, sigma_y: float, rate: float) -> QuantisationPlan:
    """The optimal plan without common randomness, (65) and (66), at one rate.

    Parameters
    ----------
    mu_x, mu_y
        Means of X and of Y.
    sigma_x, sigma_y
        Standard deviations of X and of Y, not negative.
    rate
        R in bits per letter, one number.

    Returns
    -------
    The plan.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> [round(term, 6) for term in ncr_plan(0, 1, 1, 2, 1).terms]  # their sum is d_ncr
    [0.25, 1.0, 1.75]
    """
    _sources(mu_x, sigma_x, mu_y, sigma_y)
    kept = np.sqrt(-np.expm1(-2 * np.log(2) * one_rate(rate)))
    return QuantisationPlan(mu_x, sigma_x, mu_y, sigma_y, float(sigma_x * kept), float(sigma_y * kept))


def cr_plan(mu_x: float, sigma_x: float, mu_y: float, sigma_y: float, rate: float) -> JointPlan:
    """The optimal plan with common randomness (proof of (61)), at one rate: X and Y jointly Gaussian.

    Parameters
    ----------
    mu_x, mu_y
        Means of X and of Y.
    sigma_x, sigma_y
        Standard deviations of X and of Y, not negative.
    rate
        R in bits per letter, one number.

    Returns
    -------
    The plan.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> round(cr_plan(0, 1, 1, 2, 1).distortion, 6)
    2.535898
    """
    _sources(mu_x, sigma_x, mu_y, sigma_y)
    xi = float(np.sqrt(-np.expm1(-2 * np.log(2) * one_rate(rate))))
    covariance = np.array([[sigma_x**2, xi * sigma_x * sigma_y], [xi * sigma_x * sigma_y, sigma_y**2]])
    return JointPlan(np.array([mu_x, mu_y], dtype=np.float64), covariance)


def _sources(mu_x: float, sigma_x: float, mu_y: float, sigma_y: float) -> tuple[float, float, float]:
    """(D_max, D_min, sigma_x sigma_y)."""
    shift = (number("mu_x", mu_x) - number("mu_y", mu_y)) ** 2
    sigma_x, sigma_y = number("sigma_x", sigma_x, 0), number("sigma_y", sigma_y, 0)
    return shift + sigma_x**2 + sigma_y**2, shift + (sigma_x - sigma_y) ** 2, sigma_x * sigma_y
