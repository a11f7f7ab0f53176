"""The plain distortion-rate function of a finite source: any output law on the letters of Y.

    D(R) = min E d(X, Y) over channels from X to Y with I(X;Y) <= R.

For a slope lam the least of E d + lam I, in nats, is the minimum over output laws q of -lam sum_x p_x log Z_x, Z_x =
sum_y q_y exp(-d(x, y) / lam). From any q, no channel has less than that value - lam log max_y c_y, c_y = sum_x p_x
exp(-d(x, y) / lam) / Z_x (Blahut 1972, Csiszar 1974). Each row of the cost has the least entry zero.
"""

import numpy as np
from scipy.optimize import brentq
from scipy.special import xlogy

from ecot.theory._arguments import FloatArray
from ecot.theory._mixtures import best_masses

SHARPEST, FLATTEST = 1e-4, 1e3  # slopes tried, relative to the range of costs


def least_cost(p: FloatArray, cost: FloatArray, rate: float) -> tuple[FloatArray, float]:
    """The best joint law found, (n, m), with I <= rate, and a lower bound; p (n,) positive, cost (n, m)."""
    cheapest = np.zeros_like(cost)
    cheapest[np.arange(p.size), cost.argmin(1)] = p
    least = float((cheapest * cost).sum())
    constant = np.zeros_like(cost)
    constant[:, int((p @ cost).argmin())] = p
    if _information(cheapest) <= rate:
        return cheapest, least
    if rate == 0:
        return constant, float((constant * cost).sum())
    width = float(np.ptp(cost))

    def bits(log_lam: float) -> float:
        return _information(_at_slope(p, cost, float(np.exp(log_lam)))[0])

    low, high = np.log(SHARPEST * width), np.log(FLATTEST * width)
    log_lam = (
        high if bits(high) >= rate else low
    )  # a rate of less than rounding, or more than the sharpest slope asks
    if bits(high) < rate < bits(low):
        log_lam = float(brentq(lambda t: bits(t) - rate, low, high, xtol=1e-10))
    lam = float(np.exp(log_lam))
    joint, bound = _at_slope(p, cost, lam)
    lower = bound - lam * np.log(2) * rate
    spent = _information(joint)
    share = (
        min(rate / spent, 1.0) if spent > 0 else 1.0
    )  # information is convex: the rest of the time nothing is sent
    joint = share * joint + (1 - share) * constant
    return joint, min(max(lower, least), float((joint * cost).sum()))


def _at_slope(p: FloatArray, cost: FloatArray, lam: float) -> tuple[FloatArray, float]:
    """The joint law at a slope, and a lower bound on E d + lam I."""
    kernel = np.exp(-cost / lam)
    at, nu = best_masses(p, kernel, np.unique(cost.argmin(1)))
    q = np.zeros(cost.shape[1])
    q[at] = nu
    Z = kernel @ q
    bound = -lam * float(p @ np.log(Z) + np.log(((p / Z) @ kernel).max()))
    return p[:, None] * q * kernel / Z[:, None], bound


def _information(joint: FloatArray) -> float:
    """I in bits."""
    parts = (
        xlogy(joint, joint).sum(),
        xlogy(joint.sum(1), joint.sum(1)).sum(),
        xlogy(joint.sum(0), joint.sum(0)).sum(),
    )
    return float((parts[0] - parts[1] - parts[2]) / np.log(2))
