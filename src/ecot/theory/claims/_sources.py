"""The sources that the statements are tried on, and what several checks compute from them."""

import numpy as np
from scipy.special import entr

from ecot.theory import binary
from ecot.theory._arguments import FloatArray
from ecot.theory._transport import optimal_plan

# Figure 3's sources, then both sides of 1/2, both sides of q_x + q_y = 1, equal and nearly constant sources.
BINARY = (
    (0.3, 0.3), (0.3, 0.5), (0.3, 0.6), (0.1, 0.4), (0.4, 0.1), (0.2, 0.9), (0.9, 0.2), (0.7, 0.35), (0.35, 0.7),
    (0.8, 0.6), (0.95, 0.85), (0.5, 0.5), (0.05, 0.45),
)  # fmt: skip
FIGURE_3 = BINARY[:3]
GAUSSIAN = ((0.0, 1.0, 0.0, 1.0), (0.0, 1.0, 1.0, 2.0), (2.0, 0.5, -1.0, 3.0))  # the first two are Figure 8's
UNIFORM = ((2.0, 5.0), (5.0, 2.0), (1.0, 1.0))  # the first is Figure 7's
LETTERS = np.array([0.0, 1.0, 2.0])  # of the sources on three letters, under squared error
TERNARY = (
    (np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])),
    (np.array([0.6, 0.3, 0.1]), np.array([0.25, 0.5, 0.25])),
)
SHARES = np.linspace(0, 1, 21)  # rates of binary sources, as shares of the rate of saturation
HAMMING = 1 - np.eye(2)
SQUARED = (LETTERS[:, None] - LETTERS) ** 2


def binary_curves(q_x: float, q_y: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Lower bound, D_ncr and upper bound up to saturation."""
    R = rates(q_x, q_y)
    lower, D, upper = (curve(q_x, q_y, R) for curve in (binary.d_ncr_lower, binary.d_ncr, binary.d_ncr_upper))
    return np.asarray(lower), np.asarray(D), np.asarray(upper)


def rates(q_x: float, q_y: float) -> FloatArray:
    """Rates from 0 to min(Hb(q_x), Hb(q_y)), where D_ncr saturates."""
    return np.asarray(SHARES * min(float(np.asarray(binary.entropy(q))) for q in (q_x, q_y)))


def law(q: float) -> FloatArray:
    return np.array([1 - q, q])


def entropy(masses: FloatArray) -> float:
    """In bits."""
    return float(entr(masses).sum() / np.log(2))


def transport(p: FloatArray, q: FloatArray, cost: FloatArray) -> float:
    """D(p, q) of (1), by the linear program."""
    return float((optimal_plan(p, q, cost) * cost).sum())
