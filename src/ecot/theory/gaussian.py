"""Gaussian sources X ~ N(mu_x, sigma_x^2), Y ~ N(mu_y, sigma_y^2) under squared error (Theorem 8).

Long blocks. Symbols: D_min = (mu_x - mu_y)^2 + (sigma_x - sigma_y)^2 is the squared Wasserstein distance,
D_max = (mu_x - mu_y)^2 + sigma_x^2 + sigma_y^2 the distortion of independent letters. Rates are bits a
letter, a float or an array; results are floats or arrays of its shape. No scheme that codes letter by letter
does better than these curves, so they bound the one-shot problem from below.
"""

import numpy as np
from numpy.typing import ArrayLike

from ecot.theory._arguments import Values, non_negative, number, result


def d_ncr(mu_x: float, sigma_x: float, mu_y: float, sigma_y: float, rate: ArrayLike) -> Values:
    """Least distortion without common randomness, (58): D_min + 2 sigma_x sigma_y 2^(-2R).

    The upper bound (59) from separately optimal quantisers has the same value.
    """
    _, d_min, product = _sources(mu_x, sigma_x, mu_y, sigma_y)
    return result(d_min + 2 * product * np.exp2(-2 * non_negative("rate", rate)))


def d_ncr_lower(mu_x: float, sigma_x: float, mu_y: float, sigma_y: float, rate: ArrayLike) -> Values:
    """Lower bound (60) on D_ncr, (sigma_x^2 + sigma_y^2) 2^(-2R): no cost of transport."""
    variances = _sources(mu_x, sigma_x, mu_y, sigma_y)
    return result((sigma_x**2 + sigma_y**2) * np.exp2(-2 * non_negative("rate", rate)))


def d_cr(mu_x: float, sigma_x: float, mu_y: float, sigma_y: float, rate: ArrayLike) -> Values:
    """Least distortion with common randomness, (61): D_max - 2 sigma_x sigma_y sqrt(1 - 2^(-2R))."""
    _, d_min, product = _sources(mu_x, sigma_x, mu_y, sigma_y)
    # 1 - sqrt(1 - t) = t / (1 + sqrt(1 - t)) keeps the digits of D - D_min at high rate
    t = np.exp2(-2 * non_negative("rate", rate))
    return result(d_min + 2 * product * t / (1 + np.sqrt(1 - t)))


def r_ncr(mu_x: float, sigma_x: float, mu_y: float, sigma_y: float, distortion: ArrayLike) -> Values:
    """Least rate without common randomness at a given distortion, the inverse of (58).

    0 for D >= D_max; infinite for D <= D_min (unless D_min = D_max).
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
    """
    d_max, d_min, product = _sources(mu_x, sigma_x, mu_y, sigma_y)
    D = non_negative("distortion", distortion)
    with np.errstate(divide="ignore", invalid="ignore"):  # outside (D_min, D_max), where R is replaced below
        lost = (D - d_min) / (2 * product)  # 1 - xi
        R = -0.5 * np.log2(lost * (2 - lost))
    return result(np.where(d_max <= D, 0.0, np.where(d_min >= D, np.inf, np.maximum(R, 0.0))))


def _sources(mu_x: float, sigma_x: float, mu_y: float, sigma_y: float) -> tuple[float, float, float]:
    """(D_max, D_min, sigma_x sigma_y)."""
    shift = (number("mu_x", mu_x) - number("mu_y", mu_y)) ** 2
    sigma_x, sigma_y = number("sigma_x", sigma_x, 0), number("sigma_y", sigma_y, 0)
    return shift + sigma_x**2 + sigma_y**2, shift + (sigma_x - sigma_y) ** 2, sigma_x * sigma_y
