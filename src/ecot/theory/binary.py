"""Bernoulli sources X ~ B(q_x), Y ~ B(q_y) under Hamming distortion (Theorem 4, Appendix A.4).

Symbols: Hb is the binary entropy in bits, h = Hb^-1(R) its inverse on [0, 1/2], D_min = |q_x - q_y| the total
variation distance, D_max = q_x + q_y - 2 q_x q_y the distortion of independent letters. Every function takes
the rate (or distortion) as a float or an array and returns a float or an array of its shape; beyond the rate
at which a curve saturates it stays at its limit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import entr, xlog1py

from ecot.theory._arguments import FloatArray, Values, non_negative, number, one_rate, result

__all__ = [
    "MapMixture",
    "QuantisationPlan",
    "cr_plan",
    "d_cr",
    "d_cr_free",
    "d_mse",
    "d_ncr",
    "d_ncr_asymptotic_lower",
    "d_ncr_free",
    "d_ncr_lower",
    "d_ncr_upper",
    "entropy",
    "inverse_entropy",
    "ncr_plan",
    "r_cr",
    "r_ncr",
]

LN2 = np.log(2)
# Newton's method converges quadratically from its starting points: ten steps leave a rounding error only.
NEWTON_STEPS = 10


@dataclass(frozen=True)
class QuantisationPlan:
    """The plan of Figure 6: (X_hat, Y_hat) = (x_hat[i], y_hat[i]) with probability mass[i], i = 0, 1.

    P(X = 1 | x_hat) = x_hat and P(Y = 1 | y_hat) = y_hat, since X_hat = E[X | X_hat], Y_hat = E[Y | Y_hat].
    """

    mass: FloatArray
    x_hat: FloatArray
    y_hat: FloatArray

    @property
    def distortion(self) -> float:
        """P(X != Y) = sum_i mass_i (x_i + y_i - 2 x_i y_i), the objective of (P)."""
        x, y = self.x_hat, self.y_hat
        return float(self.mass @ (x + y - 2 * x * y))


@dataclass(frozen=True)
class MapMixture:
    """Probabilities of the four maps from {0, 1} to {0, 1} (A.4): f1 = id, f2 = not, f3 = 0, f4 = 1."""

    identity: float
    negation: float
    zero: float
    one: float


def entropy(q: ArrayLike) -> Values:
    """Hb(q) in bits, for q in [0, 1].

    Parameters
    ----------
    q
        Probabilities, a number or an array.

    Returns
    -------
    The entropy in bits, of q's shape.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> entropy(0.5)
    1.0
    """
    q = non_negative("q", q)
    if (q > 1).any():
        raise ValueError(f"q: must be in [0, 1], got {q.max():g}")
    return result(_entropy(q))


def inverse_entropy(rate: ArrayLike) -> Values:
    """h(R), the inverse of Hb on [0, 1/2]; 1/2 for R >= 1. Accurate to rounding over the whole range.

    Parameters
    ----------
    rate
        R in bits, a number or an array.

    Returns
    -------
    h, of the rate's shape.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> round(inverse_entropy(0.5), 6)
    0.110028
    """
    R = np.minimum(non_negative("rate", rate), 1.0)
    return result(np.where(R < 0.5, _inverse_entropy_low(np.minimum(R, 0.5)), _inverse_entropy_high(R)))


def d_mse(q: float, rate: ArrayLike) -> Values:
    """One-shot distortion-rate function of B(q) with real reconstructions, D_mse(B(q), R) of (4).

    (1-q) - (1-q)^2 / (1-h) for q <= 1/2, and the same with q and 1-q exchanged above; 0 for R >= Hb(q).

    Parameters
    ----------
    q
        P(X = 1), in [0, 1].
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
    >>> round(d_mse(0.3, 0.5), 6)
    0.149421
    """
    q = number("q", q, 0, 1)
    q = min(q, 1 - q)
    h = np.minimum(inverse_entropy(rate), q)
    return result((1 - q) * (q - h) / (1 - h))  # (22)'s shape without its cancellation near h = q


def d_ncr(q_x: float, q_y: float, rate: ArrayLike) -> Values:
    """Least distortion without common randomness, (22).

    2 - q_x - q_y - 2 (1-q_x)(1-q_y) / (1-h)  if q_x + q_y <= 1,  q_x + q_y - 2 q_x q_y / (1-h)  otherwise,
    for 0 <= R <= min(Hb(q_x), Hb(q_y)), and D_min beyond.

    Parameters
    ----------
    q_x, q_y
        P(X = 1) and P(Y = 1), in [0, 1].
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
    >>> round(d_ncr(0.3, 0.5, 0.4), 6)
    0.439641
    """
    q_x, q_y = _sources(q_x, q_y)
    d_min = abs(q_x - q_y)
    if q_x + q_y > 1:  # the second line of (22) is the first with the letters 0 and 1 renamed
        q_x, q_y = 1 - q_x, 1 - q_y
    h = np.minimum(inverse_entropy(rate), min(q_x, q_y))
    D = 2 - q_x - q_y - 2 * (1 - q_x) * (1 - q_y) / (1 - h)
    return result(np.maximum(D, d_min))


def d_ncr_upper(q_x: float, q_y: float, rate: ArrayLike) -> Values:
    """Upper bound (5) on D_ncr: each source's own optimal quantiser, then transport between them.

    Equal to (23) for R <= min(Hb(q_x), Hb(q_y)), and given by (5) beyond. X* has two atoms, `gap` apart, the
    upper one with probability m; for two such laws E[X* Y*] under the monotone coupling is
    q_x q_y + gap_x gap_y (min(m_x, m_y) - m_x m_y), and D = q_x + q_y - 2 E[X* Y*].
    At q = 1/2 both orientations of the quantiser are optimal; the one that suits the other source is taken.

    Parameters
    ----------
    q_x, q_y
        P(X = 1) and P(Y = 1), in [0, 1].
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
    >>> round(d_ncr_upper(0.3, 0.6, 0.4), 6)
    0.533754
    """
    q_x, q_y = _sources(q_x, q_y)
    low_x, low_y = q_x < 0.5, q_y < 0.5
    if q_x == 0.5:
        low_x = low_y
    if q_y == 0.5:
        low_y = low_x
    gap_x, m_x = _quantiser(q_x, low_x, rate)
    gap_y, m_y = _quantiser(q_y, low_y, rate)
    cross = q_x * q_y + gap_x * gap_y * (np.minimum(m_x, m_y) - m_x * m_y)
    return result(np.maximum(q_x + q_y - 2 * cross, abs(q_x - q_y)))


def d_ncr_lower(q_x: float, q_y: float, rate: ArrayLike) -> Values:
    """Lower bound (24) on D_ncr, D_mse(B(q_x), R) + D_mse(B(q_y), R), which leaves out the transport.

    Parameters
    ----------
    q_x, q_y
        P(X = 1) and P(Y = 1), in [0, 1].
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
    >>> round(d_ncr_lower(0.3, 0.6, 0.4), 6)
    0.376707
    """
    q_x, q_y = _sources(q_x, q_y)
    return result(np.asarray(d_mse(q_x, rate)) + d_mse(q_y, rate))


def d_cr(q_x: float, q_y: float, rate: ArrayLike) -> Values:
    """Least distortion with common randomness, (25).

    D_max - 2 q_x (1-q_x) R / Hb(q_x) for R <= rho Hb(q_x), rho = min(q_y/q_x, (1-q_y)/(1-q_x)), and D_min
    beyond. Not symmetric in q_x and q_y: it is X that the shared randomness is independent of.

    Parameters
    ----------
    q_x, q_y
        P(X = 1) and P(Y = 1), in [0, 1].
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
    >>> round(d_cr(0.3, 0.5, 0.4), 6)
    0.309371
    """
    q_x, q_y = _sources(q_x, q_y)
    p1 = _identity_probability(q_x, q_y, non_negative("rate", rate))
    return result(np.maximum(_d_max(q_x, q_y) - 2 * q_x * (1 - q_x) * p1, abs(q_x - q_y)))


def d_ncr_asymptotic_lower(q_x: float, q_y: float, rate: ArrayLike) -> Values:
    """Lower bound on the distortion of long blocks without common randomness (Theorem 5); not in the paper.

    D_max - sqrt(v(q_x) v(q_y)) / 2,  v(q) = (1 - 2 Hb^-1(max(Hb(q) - R, 0)))^2 - (1 - 2q)^2, or D_min where it is
    more.

    Proof. With A = P(X = 1|Z), B = P(Y = 1|Z): P(X != Y) = (1 - E(1-2A)(1-2B)) / 2 = D_max - 2 Cov(A, B), and Cov(A,
    B) <= sqrt(Var A Var B). g(t) = (1 - 2 Hb^-1(t))^2 is concave, so E(1-2A)^2 = E g(Hb(A)) <= g(H(X|Z)) <= g(Hb(q_x)
    - R) (g falls), and 4 Var A = E(1-2A)^2 - (1-2q_x)^2; likewise for B. For fair bits it is 2 h (1-h), h = Hb^-1(1 -
    R), which two binary symmetric channels attain.

    Parameters
    ----------
    q_x, q_y
        P(X = 1) and P(Y = 1), in [0, 1].
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
    >>> round(d_ncr_asymptotic_lower(0.5, 0.5, 0.5), 6)
    0.195843
    """
    q_x, q_y = _sources(q_x, q_y)
    R = non_negative("rate", rate)

    def v(q: float) -> FloatArray:
        left = np.maximum(float(np.asarray(entropy(q))) - R, 0.0)
        return np.maximum((1 - 2 * np.asarray(inverse_entropy(left))) ** 2 - (1 - 2 * q) ** 2, 0.0)

    D = _d_max(q_x, q_y) - np.sqrt(v(q_x) * v(q_y)) / 2
    return result(np.maximum(D, abs(q_x - q_y)))


def d_ncr_free(q: float, rate: ArrayLike) -> Values:
    """min over q_y of D_ncr(B(q), B(q_y), R) = max(min(q, 1-q) - h, 0); the alphabet stays {0, 1}.

    Parameters
    ----------
    q
        P(X = 1), in [0, 1].
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
    >>> round(d_ncr_free(0.3, 0.5), 6)
    0.189972
    """
    q = number("q", q, 0, 1)
    return result(np.maximum(min(q, 1 - q) - np.asarray(inverse_entropy(rate)), 0.0))


def d_cr_free(q: float, rate: ArrayLike) -> Values:
    """min over q_y of D_cr(B(q), B(q_y), R) = min(q, 1-q) max(1 - R/Hb(q), 0); the alphabet stays {0, 1}.

    Parameters
    ----------
    q
        P(X = 1), in [0, 1].
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
    >>> round(d_cr_free(0.3, 0.5), 6)
    0.129795
    """
    q = number("q", q, 0, 1)
    R = non_negative("rate", rate)
    if q in (0, 1):
        return result(np.zeros_like(R))
    return result(min(q, 1 - q) * np.maximum(1 - R / _entropy(np.asarray(q)), 0.0))


def r_ncr(q_x: float, q_y: float, distortion: ArrayLike) -> Values:
    """Least rate without common randomness at a given distortion (19), the inverse of (22).

    0 for D >= D_max; infinite for D < D_min, which no rate attains.

    Parameters
    ----------
    q_x, q_y
        P(X = 1) and P(Y = 1), in [0, 1].
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
    >>> round(r_ncr(0.3, 0.5, 0.439641), 5)
    0.4
    """
    q_x, q_y = _sources(q_x, q_y)
    D = non_negative("distortion", distortion)
    d_min, d_max = abs(q_x - q_y), _d_max(q_x, q_y)
    if q_x + q_y > 1:
        q_x, q_y = 1 - q_x, 1 - q_y
    with np.errstate(invalid="ignore"):  # 0 / 0 for q = 0 and 1, where D_min = D_max = 1
        h = 1 - 2 * (1 - q_x) * (1 - q_y) / (2 - q_x - q_y - np.clip(D, d_min, d_max))
    R = _entropy(np.clip(h, 0.0, min(q_x, q_y)))
    return result(np.where(d_min > D, np.inf, np.where(d_max <= D, 0.0, R)))


def r_cr(q_x: float, q_y: float, distortion: ArrayLike) -> Values:
    """Least rate with common randomness at a given distortion (20), Hb(q_x) (D_max - D) / (2 q_x (1-q_x)).

    0 for D >= D_max; infinite for D < D_min, which no rate attains.

    Parameters
    ----------
    q_x, q_y
        P(X = 1) and P(Y = 1), in [0, 1].
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
    >>> round(r_cr(0.3, 0.5, 0.309371), 5)
    0.4
    """
    q_x, q_y = _sources(q_x, q_y)
    D = non_negative("distortion", distortion)
    d_min, d_max = abs(q_x - q_y), _d_max(q_x, q_y)
    variance = q_x * (1 - q_x)
    slope = float(_entropy(np.asarray(q_x))) / (2 * variance) if variance > 0 else 0.0
    return result(np.where(d_min > D, np.inf, slope * np.maximum(d_max - np.maximum(D, d_min), 0.0)))


def ncr_plan(q_x: float, q_y: float, rate: float) -> QuantisationPlan:
    """The optimal plan without common randomness (Figure 6), at one rate.

    For q_x + q_y <= 1: mass 1-h on ((q_x-h)/(1-h), (q_y-h)/(1-h)) and mass h on (1, 1); with the letters
    exchanged otherwise. Its entropy is min(R, Hb(q_x), Hb(q_y)).

    Parameters
    ----------
    q_x, q_y
        P(X = 1) and P(Y = 1), in [0, 1].
    rate
        R in bits, one number.

    Returns
    -------
    The plan.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> ncr_plan(0.3, 0.5, 0.4).mass.round(4).tolist()
    [0.9206, 0.0794]
    """
    q_x, q_y = _sources(q_x, q_y)
    exchanged = q_x + q_y > 1
    if exchanged:
        q_x, q_y = 1 - q_x, 1 - q_y
    h = min(float(inverse_entropy(one_rate(rate))), q_x, q_y)
    x_hat = np.array([(q_x - h) / (1 - h), 1.0])
    y_hat = np.array([(q_y - h) / (1 - h), 1.0])
    if exchanged:
        x_hat, y_hat = 1 - x_hat, 1 - y_hat
    return QuantisationPlan(np.array([1 - h, h]), x_hat, y_hat)


def cr_plan(q_x: float, q_y: float, rate: float) -> MapMixture:
    """The optimal mixture of maps with common randomness, at one rate (proof of (25)).

    p1 = min(R / Hb(q_x), rho), p2 = 0, p3 = 1 - q_y - (1-q_x) p1, p4 = q_y - q_x p1.

    Parameters
    ----------
    q_x, q_y
        P(X = 1) and P(Y = 1), in [0, 1].
    rate
        R in bits, one number.

    Returns
    -------
    The mixture.

    Raises
    ------
    ValueError
        For an argument that is no number in its range; the message names it.

    Examples
    --------
    >>> round(cr_plan(0.3, 0.5, 0.4).identity, 4)
    0.4539
    """
    q_x, q_y = _sources(q_x, q_y)
    p1 = float(_identity_probability(q_x, q_y, np.asarray(one_rate(rate))))
    return MapMixture(p1, 0.0, max(1 - q_y - (1 - q_x) * p1, 0.0), max(q_y - q_x * p1, 0.0))


def _sources(q_x: float, q_y: float) -> tuple[float, float]:
    return number("q_x", q_x, 0, 1), number("q_y", q_y, 0, 1)


def _d_max(q_x: float, q_y: float) -> float:
    return q_x + q_y - 2 * q_x * q_y


def _entropy(q: FloatArray) -> FloatArray:
    return np.asarray((entr(q) - xlog1py(1 - q, -q)) / LN2)


def _inverse_entropy_low(R: FloatArray) -> FloatArray:
    """Newton on Hb(p) = R for R <= 1/2 from a lower bound on p; Hb is concave: the steps stay below the root."""
    with np.errstate(divide="ignore", over="ignore"):  # R = 0: p = 0 / inf = 0 and every step is 0 / inf
        p = R / (2 * np.log2(6 / R))
        for _ in range(NEWTON_STEPS):
            p = p + (R - _entropy(p)) / np.log2((1 - p) / p)
    return np.asarray(p)


def _inverse_entropy_high(R: FloatArray) -> FloatArray:
    """Newton on 1 - Hb((1-t)/2) = 1 - R in t = 1 - 2p, whose root is simple relative to t even at R = 1.

    g(t) = [(1+t) ln(1+t) + (1-t) ln(1-t)] / (2 ln 2) >= t^2 / (2 ln 2) is convex: the steps stay above the
    root.
    """
    deficit = 1 - np.maximum(R, 0.5)
    t = np.sqrt(2 * LN2 * deficit)
    for _ in range(NEWTON_STEPS):
        g = ((1 + t) * np.log1p(t) + (1 - t) * np.log1p(-t)) / (2 * LN2)
        slope = np.arctanh(t) / LN2
        t = t - np.divide(g - deficit, slope, out=np.zeros_like(t), where=slope > 0)
    return np.asarray((1 - t) / 2)


def _quantiser(q: float, low: bool, rate: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Distance of the two atoms of the optimal quantisation X* of B(q), and the mass of the upper one.

    `low`: atoms (q-h)/(1-h) and 1 with masses 1-h and h; otherwise 0 and q/(1-h) with masses h and 1-h.
    """
    h = np.minimum(inverse_entropy(rate), min(q, 1 - q))
    return (np.asarray((1 - q) / (1 - h)), h) if low else (np.asarray(q / (1 - h)), 1 - h)


def _identity_probability(q_x: float, q_y: float, R: FloatArray) -> FloatArray:
    if q_x in (0, 1):  # X is constant: the identity is a constant map, and nothing needs to be sent
        return np.zeros_like(R)
    rho = min(q_y / q_x, (1 - q_y) / (1 - q_x))
    with np.errstate(over="ignore"):  # an entropy near the smallest double
        return np.minimum(R / _entropy(np.asarray(q_x)), rho)
