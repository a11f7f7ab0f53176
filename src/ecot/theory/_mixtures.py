"""The distortion-rate function of a finite scalar source under squared error, with real reconstructions (52).

    D(R) = min E (X - s)^2 over channels from X to points s on the line with I(X; s) <= R.

For a slope lam the least of E (X - s)^2 + lam I(X; s), in nats, is the minimum over laws nu of s of

    F(nu) = -lam sum_x p_x log Z_x,   Z_x = sum_s nu_s exp(-(x - s)^2 / lam):

the likelihood of a mixture of normal laws of variance lam / 2. At most n points are needed (Caratheodory). They are
found on a grid, then on a finer one around them, by the constrained Newton method of Wang (2007). Whatever nu is, no
law has less than F(nu) - lam log max_s c(s), c(s) = sum_x p_x exp(-(x - s)^2 / lam) / Z_x (Csiszar): the lower bound.
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq, nnls
from scipy.special import xlogy

from ecot.theory._arguments import FloatArray, IntArray

STEPS = 100
REFINEMENTS = 1
LEAST = 1e-200
AROUND = np.linspace(-1.5, 1.5, 61)  # points of a finer grid, in units of the first one's spacing
ENOUGH = 1e-11  # log max c at which a law is the best one on the grid
WEIGHTY = 1e3  # of the equation that the masses sum to one
GRID = np.linspace(0, 1, 501)
FINE = np.linspace(0, 1, 4001)  # for the lower bound; between the points the curvature of c bounds it
SHARPEST, FLATTEST = 1e-5, 4.0  # slopes tried, relative to the squared range; above the second one point is best


@dataclass(frozen=True)
class Mixture:
    """p_xs (n, k) with I <= R attains `distortion`; no channel with I <= R has less than `lower`."""

    distortion: float
    lower: float
    p_xs: FloatArray


def scalar_mixture(p: FloatArray, x: FloatArray, rate: float) -> Mixture:
    """The optimum for p (n,) positive and distinct values x (n,), n >= 1, and 0 <= rate <= inf."""
    if rate >= -float(xlogy(p, p).sum()) / np.log(2):
        return Mixture(0.0, 0.0, np.diag(p))
    width = float(np.ptp(x))
    trivial = Mixture(float(p @ (x - p @ x) ** 2), float(p @ (x - p @ x) ** 2), p[:, None])
    if rate == 0 or width == 0:
        return trivial
    z = (x - x.min()) / width
    found: dict[float, tuple[FloatArray, FloatArray]] = {}

    def bits(log_lam: float) -> float:
        found[log_lam] = _climb(p, z, float(np.exp(log_lam)))
        return _information(p, found[log_lam][1])

    low, high = np.log(SHARPEST), np.log(FLATTEST)
    log_lam = float(low)
    if bits(high) >= rate:  # a rate of less than rounding
        log_lam = float(high)
    elif bits(low) > rate:
        log_lam = float(brentq(lambda t: bits(t) - rate, low, high, xtol=1e-7, maxiter=60))
    points, channel = found.get(log_lam) or _climb(p, z, float(np.exp(log_lam)))
    joint = p[:, None] * channel
    spent = _information(p, channel)
    if spent > rate:  # a part of the time the point says nothing of X: information is convex in the channel
        joint = joint * (rate / spent)
        joint = np.column_stack([joint, p * (1 - rate / spent)])
    centres = joint.T @ z / joint.sum(0)
    D = float((joint * (z[:, None] - centres) ** 2).sum())
    lower = _lower(p, z, points, joint.sum(0)[: points.size], float(np.exp(log_lam)), rate)
    return Mixture(D * width**2, max(min(lower, D), 0.0) * width**2, joint)


def best_masses(p: FloatArray, kernel: FloatArray, at: IntArray) -> tuple[IntArray, FloatArray]:
    """The columns of kernel (n, k), and their masses nu, of largest sum_x p_x log (kernel nu)_x.

    The constrained Newton method of Wang (2007), from equal masses on the columns `at`.
    """
    nu = np.full(at.size, 1 / at.size)
    for _ in range(STEPS):
        Z = np.maximum(kernel[:, at] @ nu, LEAST)  # a rare letter may have lost its column: c brings it back
        c = (p / Z) @ kernel
        if np.log(c.max()) <= ENOUGH:
            break
        padded = np.concatenate([[-np.inf], c, [-np.inf]])
        peaks = np.setdiff1d(np.flatnonzero((c >= padded[:-2]) & (c >= padded[2:]) & (c > 1)), at)
        at, nu = np.concatenate([at, peaks]), np.pad(nu, (0, peaks.size))
        # least squares with the second derivatives of the logarithm at Z, over all masses
        S = np.sqrt(p)[:, None] * kernel[:, at] / Z[:, None]
        target, _ = nnls(np.vstack([S, np.full(at.size, WEIGHTY)]), np.append(2 * np.sqrt(p), WEIGHTY))
        step, value, size = target / target.sum() - nu, float(p @ np.log(Z)), 1.0
        while size > 1e-6 and p @ np.log(np.maximum(kernel[:, at] @ (nu + size * step), LEAST)) < value:
            size /= 2
        nu = np.maximum(nu + size * step, 0)
        at, nu = at[nu > 0], nu[nu > 0] / nu.sum()
    return at, nu


def _climb(p: FloatArray, z: FloatArray, lam: float) -> tuple[FloatArray, FloatArray]:
    """The points and the channel (n, k) of largest likelihood: on a grid, then on finer grids around its points."""
    points = GRID[np.unique(np.rint(z * (GRID.size - 1)).astype(np.intp))]
    grid = GRID
    for _ in range(1 + REFINEMENTS):
        at, nu = best_masses(p, np.exp(-((z[:, None] - grid) ** 2) / lam), np.searchsorted(grid, points))
        points = grid[at]
        finer = np.clip(points[:, None] + AROUND * (GRID[1] - GRID[0]), 0, 1)
        grid = np.unique(np.append(finer, points))
    joint = nu * np.exp(-((z[:, None] - points) ** 2) / lam)
    return points, joint / joint.sum(1, keepdims=True)


def _information(p: FloatArray, channel: FloatArray) -> float:
    """I in bits."""
    joint = p[:, None] * channel
    return float((xlogy(joint, channel) - xlogy(joint, p @ channel)).sum() / np.log(2))


def _lower(p: FloatArray, z: FloatArray, points: FloatArray, nu: FloatArray, lam: float, rate: float) -> float:
    """Csiszar's bound at this law, made safe between the points of a grid by |c''| <= 2 / lam sum_x p_x / Z_x."""
    Z = (nu / nu.sum() * np.exp(-((z[:, None] - points) ** 2) / lam)).sum(1)
    weight = p / Z
    c = float((weight @ np.exp(-((z[:, None] - FINE) ** 2) / lam)).max())
    c += float(weight.sum()) * 2 / lam * (1 / (FINE.size - 1)) ** 2 / 8
    return float(-lam * (p @ np.log(Z)) - lam * np.log(c) - lam * np.log(2) * rate)
