"""A dithered scalar quantiser between scalar sources, designed numerically: what simple coding attains.

The encoder sends Z = Q(f(X) + U), the nearest of L points linspace(-1, 1, L), with a dither U uniform on
[-delta, delta], delta = 1/(L-1), half the spacing. The decoder forms W = Z - U with common randomness (14),
or W = Z - U' with a dither of its own without (16), and outputs Y = g(W), g = F_Y^-1 o F_W, which has law p_Y
exactly. Of all g with that law this monotone one is the best for a given W. The encoder's map is

    f(x) = s (2 Phi(t Phi^-1(F_X(x))) - 1),

with s in (0, 1] and t > 0 chosen for the least distortion (t = 1: uniform in probability; t -> 0: linear in a
Gaussian x).

Between the two, the sides share k bits: U = V + P with V one of 2^k equally spaced values, known to both, and P
uniform on [-delta 2^-k, delta 2^-k], the encoder's own. The decoder forms W = Z - V - P' with a P' of its own. k = 0
is (16), k = inf is (14). The rate is the entropy that a variable-length code approaches, H(Z|V).

What is computed here is the distortion of this scheme, which bounds the least one from above.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import cumulative_trapezoid
from scipy.optimize import minimize
from scipy.special import entr, ndtr, ndtri

from ecot.theory._arguments import FloatArray, number, whole

GRID = 4001  # points of each quadrature
DITHERS = 200  # dithers over which H(Z|U) is averaged
TINY = 1e-15  # quantiles are taken no nearer to 0 and 1
MOST_CELLS = 2048  # values of Z - V: a table of GRID rows for each

__all__ = ["Scheme", "Source", "Transmission", "design", "transmit"]


class Source(Protocol):
    """A continuous law with finite variance, such as scipy.stats.norm(mu, sigma)."""

    def ppf(self, q: FloatArray, /) -> FloatArray:
        """Quantiles F^-1(q)."""

    def cdf(self, x: FloatArray, /) -> FloatArray:
        """F(x)."""

    def mean(self) -> float:
        """Mean."""

    def var(self) -> float:
        """Variance."""


@dataclass(frozen=True)
class Scheme:
    """One quantiser and decoder, as `design` makes them.

    `levels` is L, `shared_bits` is k: 0 for a dither of each side's own, inf for a common one. Its rate is at most
    log2 L bits, what a code of fixed length takes.
    """

    source: Source
    target: Source
    levels: int
    shared_bits: float
    s: float
    t: float

    @property
    def common(self) -> bool:
        """Whether the decoder knows all of the encoder's dither."""
        return bool(np.isinf(self.shared_bits))

    @property
    def delta(self) -> float:
        """Half the spacing of the points."""
        return 1 / (self.levels - 1)

    @property
    def own(self) -> float:
        """Half the range of the part of the dither that each side has for itself, delta 2^-k."""
        return float(self.delta * 2**-self.shared_bits)

    @property
    def shared(self) -> FloatArray:
        """The values of V, shape (2^k,), for finite k."""
        values = int(2**self.shared_bits)
        return self.delta * ((2 * np.arange(values) + 1) / values - 1)

    @property
    def points(self) -> FloatArray:
        """The quantiser's points, shape (L,)."""
        return np.linspace(-1, 1, self.levels)

    def encode(self, x: FloatArray, dither: FloatArray) -> NDArray[np.intp]:
        """Index of Q(f(x) + U), in 0..L-1, for letters and dithers of one shape; no overload, since |f| <= 1."""
        index = np.rint((self._f(self.source.cdf(x)) + dither + 1) / (2 * self.delta))
        return np.clip(index, 0, self.levels - 1).astype(np.intp)

    def decode(self, index: NDArray[np.intp], dither: FloatArray) -> FloatArray:
        """g(Z - U): letters whose law is the target's. Without common randomness U is V + P', the decoder's."""
        w, F = self._law_of_w
        return np.asarray(self.target.ppf(np.interp(self.points[index] - dither, w, F)))

    @cached_property
    def rate(self) -> float:
        """H(Z|V) in bits: H(Z|U) with common randomness, H(Z) without."""
        if not self.common:
            laws = self._law_of_centres.reshape(self.levels, -1) * self.shared.size  # of Z, a column for each V
            return float(entr(laws).sum(0).mean() / np.log(2))
        dither = self.delta * (2 * (np.arange(DITHERS) + 0.5) / DITHERS - 1)
        edges = np.concatenate([[-np.inf], self.points[:-1] + self.delta, [np.inf]])
        law = np.diff(self._law_of_f(edges - dither[:, None]), axis=1)
        return float(entr(law).sum(1).mean() / np.log(2))

    @cached_property
    def distortion(self) -> float:
        """E (X - Y)^2 = (E X - E Y)^2 + Var X + Var Y - 2 Cov(X, Y), by quadrature over F_X(X)."""
        u, weight = _probabilities()
        x = np.asarray(self.source.ppf(u)) - self.source.mean()
        covariance = float(weight @ (x * self._expected_output(self._f(u))))
        shift = (self.source.mean() - self.target.mean()) ** 2
        return float(shift + self.source.var() + self.target.var() - 2 * covariance)

    def _f(self, u: FloatArray) -> FloatArray:
        """f as a function of u = F_X(x)."""
        return np.asarray(self.s * (2 * ndtr(self.t * ndtri(u)) - 1))

    def _law_of_f(self, v: FloatArray) -> FloatArray:
        """P(f(X) <= v)."""
        return np.asarray(ndtr(ndtri((np.clip(v / self.s, -1, 1) + 1) / 2) / self.t))

    @cached_property
    def _centres(self) -> FloatArray:
        """The values of Z - V in rising order, L 2^k points 2 delta 2^-k apart: those of one Z stand together."""
        return np.asarray((self.points[:, None] - self.shared[::-1]).ravel())

    @cached_property
    def _law_of_centres(self) -> FloatArray:
        """P(Z - V = centre), the encoder's own dither averaged out."""
        u, weight = _probabilities()
        return np.asarray(weight @ self._hats(self._f(u)))

    def _hats(self, f: FloatArray) -> FloatArray:
        """P(Z - V = centre | f), shape (len(f), L 2^k): hats for k = 0, flat at the top for more."""
        distance = np.abs(f[:, None] - self._centres)
        return np.clip((self.delta + self.own - distance) / (2 * self.own), 0, 1) / self.shared.size

    @cached_property
    def _law_of_w(self) -> tuple[FloatArray, FloatArray]:
        """Points w and P(W <= w), to be interpolated linearly."""
        if not self.common:  # uniform around every centre
            edges = np.append(self._centres - self.own, self._centres[-1] + self.own)
            return edges, np.append(0.0, np.cumsum(self._law_of_centres)) / self._law_of_centres.sum()
        v = np.linspace(-1 - 2 * self.delta, 1 + 2 * self.delta, 2 * GRID)
        integral = cumulative_trapezoid(self._law_of_f(v), v, initial=0)
        w = np.linspace(-self.s - self.delta, self.s + self.delta, GRID)
        F = (np.interp(w + self.delta, v, integral) - np.interp(w - self.delta, v, integral)) / (2 * self.delta)
        return w, np.clip(F, 0, 1)

    def _expected_output(self, f: FloatArray) -> FloatArray:
        """E[Y | f(X) = f]."""
        w, F = self._law_of_w
        fine = np.linspace(w[0], w[-1], 4 * GRID)
        y = np.asarray(self.target.ppf(np.clip(np.interp(fine, w, F), TINY, 1 - TINY)))
        integral = cumulative_trapezoid(y, fine, initial=0)
        if not self.common:
            each = np.diff(np.interp(w, fine, integral)) / (2 * self.own)
            return np.asarray(self._hats(f) @ each)
        ends = np.interp(f + self.delta, fine, integral) - np.interp(f - self.delta, fine, integral)
        return np.asarray(ends / (2 * self.delta))


def design(source: Source, target: Source, levels: int, shared_bits: float) -> Scheme:
    """The scheme of least distortion over s and t (Nelder-Mead from s = 0.9, t = 0.7).

    Parameters
    ----------
    source, target
        Laws of X and of Y, such as scipy.stats.uniform(0, 2).
    levels
        L, at least 2. A code of fixed length takes log2 L bits.
    shared_bits
        k, a whole number, 0 for no common randomness; inf for a common dither. L 2^k is at most 2048.

    Returns
    -------
    The scheme; its `rate` and its `distortion` are computed when they are asked for.

    Raises
    ------
    ValueError
        For numbers outside these ranges; the message names them.
    ArithmeticError
        If the minimisation does not end.

    Examples
    --------
    >>> from scipy.stats import uniform
    >>> schemes = [design(uniform(0, 2), uniform(0, 5), 4, bits) for bits in (0, 1, float("inf"))]
    >>> [round(scheme.distortion, 3) for scheme in schemes]
    [3.153, 3.095, 3.07]
    """
    levels = whole("levels", levels, 2)
    shared_bits = number("shared_bits", shared_bits, 0, np.inf)
    if np.isfinite(shared_bits) and levels * 2 ** whole("shared_bits", shared_bits) > MOST_CELLS:
        raise ValueError(f"shared_bits: L 2^k must be at most {MOST_CELLS}, got {levels * 2**shared_bits:g}")

    def scheme(v: FloatArray) -> Scheme:
        return Scheme(source, target, levels, shared_bits, s=float(v[0]), t=float(v[1]))

    def distortion(v: FloatArray) -> float:
        return scheme(v).distortion

    start = np.array([0.9, 0.7])
    limits = [(0.05, 1.0), (0.05, 30.0)]
    found = minimize(distortion, start, method="Nelder-Mead", bounds=limits, options={"xatol": 1e-3, "fatol": 1e-7})
    if not found.success:
        raise ArithmeticError(f"the design of a quantiser with {levels} levels did not end: {found.message}")
    return scheme(np.asarray(found.x))


@dataclass(frozen=True)
class Transmission:
    """What went through a scheme: inputs, indices, the encoder's dithers and outputs, each of shape (n,)."""

    x: FloatArray
    index: NDArray[np.intp]
    dither: FloatArray
    y: FloatArray


def transmit(scheme: Scheme, n: int, rng: np.random.Generator) -> Transmission:
    """Send n independent letters of the source.

    Parameters
    ----------
    scheme
        What encodes and decodes.
    n
        How many letters, at least 1.
    rng
        Where letters and dithers come from.

    Returns
    -------
    What went through.

    Raises
    ------
    ValueError
        For another n.

    Examples
    --------
    >>> from scipy.stats import norm
    >>> sent = transmit(design(norm(0, 1), norm(1, 2), 4, 0), 10_000, np.random.default_rng(0))
    >>> round(float(sent.y.mean()), 1), round(float(sent.y.std()), 1)  # the target's law, whatever was sent
    (1.0, 2.0)
    """
    n = whole("n", n, 1)
    x = np.asarray(scheme.source.ppf(rng.random(n)))
    dither, other = scheme.delta * (2 * rng.random((2, n)) - 1)
    if not scheme.common:
        shared = rng.choice(scheme.shared, n)
        dither, other = shared + dither * 2**-scheme.shared_bits, shared + other * 2**-scheme.shared_bits
    index = scheme.encode(x, dither)
    return Transmission(x, index, dither, scheme.decode(index, dither if scheme.common else other))


def _probabilities() -> tuple[FloatArray, FloatArray]:
    """Nodes in (0, 1) and their weights, dense near 0 and 1, where quantiles may grow without bound."""
    v = (np.arange(GRID) + 0.5) / GRID
    u = v**3 * (10 - 15 * v + 6 * v**2)
    weight = 30 * v**2 * (1 - v) ** 2 / GRID
    return u, weight / weight.sum()
