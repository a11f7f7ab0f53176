"""The linear program of Appendix A.3 over deterministic maps f: X -> Y, by column generation.

    D_cr(R) = min_{p >= 0} sum_f p(f) E d(X, f(X))
              s.t. sum_f p(f) H(f(X)) <= R,   sum_f p(f) P(f(X) = y) = p_Y(y) for all y.

With multipliers lam >= 0 of the rate and mu_y of the output law, the reduced cost of a map is
sum_y [sum_{x in S_y} p_x (d(x, y) - mu_y) + lam phi(P(S_y))], S_y = f^-1(y), phi(m) = -m log2 m: a sum over
the blocks of a partition of X. So the best map of all |Y|^|X| comes from a recursion over subsets of X in
3^|X| |Y| steps, and the multipliers with its reduced cost give a lower bound on D_cr, tight when no reduced
cost is negative.

Most maps are found as entropy-coded quantisers are designed: given lengths l_y, the best map sends x to the y of
least d(x, y) - mu_y + lam l_y; given the map, the best lengths are -log2 P(f(X) = y); then single letters are moved
while that pays. The recursion is asked only when this alternation finds no map that improves. For |Y| = 2 the best
map is a threshold on d(x, 0) - d(x, 1), for any |X|. For more letters than the recursion can take the value is still
attained, but that no better map exists is not known.
"""

from itertools import product
from typing import Protocol

import numpy as np
from scipy.special import entr

from ecot.theory._arguments import FloatArray, IntArray
from ecot.theory._linear import minimise

LISTED_MAPS = 4096  # up to here all maps are listed at the start, and pricing only confirms the optimum
EXACT_LETTERS = 13  # of X, for the recursion: 3^13 pairs of subsets take 20 MB, and a step over them as much again
TOLERANCE = 1e-10  # on reduced costs, relative to the largest cost
LOOSE = 1e-7  # where the linear program's own tolerance stands in the way; the lower bound says how much
LEAST_PRICE = 1e-9  # of a unit of distortion, in bits
MAX_ROUNDS = 10_000
STARTS = 64  # of the alternation
ALTERNATIONS = 30
MOVES = 100


def is_exact(n: int, m: int) -> bool:
    """Whether the best map from n letters to m is found for certain."""
    return n <= EXACT_LETTERS or m <= 2


class MapProgram:
    """The program for one pair of laws with positive probabilities; maps found for one rate serve the next.

    `p_x` (n,), `p_y` (m,), `cost` (n, m) with entries of order one.
    """

    def __init__(self, p_x: FloatArray, p_y: FloatArray, cost: FloatArray) -> None:
        self.p_x, self.p_y, self.cost = p_x, p_y, cost
        n, m = cost.shape
        self.exact = is_exact(n, m)
        self._quick = _Lengths(p_x, cost)
        self._sure: _Pricing = (_Thresholds if m <= 2 else _Subsets if self.exact else _Lengths)(p_x, cost)
        if m**n <= LISTED_MAPS:
            self.maps = np.array(list(product(range(m), repeat=n)), dtype=np.intp)
        else:  # the constant maps are feasible at every rate
            self.maps = np.repeat(np.arange(m, dtype=np.intp)[:, None], n, axis=1)

    def solve(self, rate: float) -> tuple[FloatArray, float, float]:
        """Probabilities of `self.maps`, the value they attain, and a lower bound on D_cr(rate).

        The lower bound is -inf where pricing is not exact.
        """
        return self._optimum(rate, inverse=False)

    def least_rate(self, distortion: float) -> float:
        """R_cr(D), (20), for D_cr(inf) <= D <= D_cr(0): the same program with objective and constraint exchanged."""
        _, least, _ = self.solve(np.log2(self.p_y.size))  # its maps make the other program feasible
        return self._optimum(max(distortion, least), inverse=True)[1]

    def _optimum(self, limit: float, inverse: bool) -> tuple[FloatArray, float, float]:
        for _ in range(MAX_ROUNDS):
            distortion, entropy, law = self._columns()
            objective, limited = (entropy, distortion) if inverse else (distortion, entropy)
            program = minimise(objective, limited[None, :], np.array([limit]), law.T, self.p_y)
            price, mu = max(-float(program.multipliers_ub[0]), 0.0), program.multipliers_eq
            unit = max(price, LEAST_PRICE) if inverse else 1.0  # weight of the distortion in the reduced cost
            lam = (1.0 if inverse else price) / unit
            candidate, reduced_cost = self._quick.best_map(lam, mu / unit)
            if unit * reduced_cost >= -TOLERANCE or self._known(candidate):
                candidate, reduced_cost = self._sure.best_map(lam, mu / unit)
            known = self._known(candidate)  # then the multipliers are as good as they get
            if unit * reduced_cost >= (-LOOSE if known else -TOLERANCE):
                lower = float(mu @ self.p_y - price * limit + unit * reduced_cost) if self.exact else -np.inf
                return program.x, program.value, lower
            if known:
                raise ArithmeticError("column generation stalled: the program's multipliers are inaccurate")
            self.maps = np.vstack([self.maps, candidate])
        raise ArithmeticError(f"column generation did not end after {MAX_ROUNDS} rounds")

    def _known(self, candidate: IntArray) -> bool:
        return bool((self.maps == candidate).all(1).any())

    def _columns(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Distortion (k,), output entropy in bits (k,) and output law (k, m) of every map."""
        distortion, law = _of_maps(self.maps, self.p_x, self.cost)
        return distortion, entr(law).sum(1) / np.log(2), law


class _Pricing(Protocol):
    def best_map(self, lam: float, mu: FloatArray) -> tuple[IntArray, float]:
        """The map of least reduced cost, and that cost."""


class _Subsets:
    """Exact pricing, by recursion over the subsets of X's letters (bit masks)."""

    def __init__(self, p_x: FloatArray, cost: FloatArray) -> None:
        n = p_x.size
        whole, part = np.zeros(1, dtype=np.int32), np.zeros(1, dtype=np.int32)
        for x in range(n):  # every pair T within S: a letter is in neither, in S only, or in both
            bit = np.int32(1 << x)
            whole, part = np.concatenate([whole, whole | bit, whole | bit]), np.concatenate([part, part, part | bit])
        order = np.argsort(whole, kind="stable")
        whole, self.part = whole[order], part[order]
        self.rest = whole - self.part
        self.start = np.searchsorted(whole, np.arange(2**n))
        members = (np.arange(2**n)[:, None] >> np.arange(n)) & 1
        self.mass = members @ p_x
        self.distortion = members @ (p_x[:, None] * cost)  # (2^n, m): sum over the subset of p_x d(x, y)
        self.phi = entr(self.mass) / np.log(2)
        self.n = n

    def best_map(self, lam: float, mu: FloatArray) -> tuple[IntArray, float]:
        """The map minimising the reduced cost, and that cost."""
        weight = self.distortion - self.mass[:, None] * mu + lam * self.phi[:, None]
        value = np.full(2**self.n, np.inf)  # value[S]: the best split of S among the letters y seen so far
        value[0] = 0.0
        history = []
        for y in range(mu.size):
            history.append(value)
            split = value[self.rest]
            split += weight[self.part, y]
            value = np.minimum.reduceat(split, self.start)
        left, chosen = 2**self.n - 1, np.zeros(self.n, dtype=np.intp)
        for y in reversed(range(mu.size)):
            inside = slice(self.start[left], self.start[left + 1] if left + 1 < 2**self.n else None)
            best = np.argmin(history[y][self.rest[inside]] + weight[self.part[inside], y])
            block = int(self.part[inside][best])
            chosen[(block >> np.arange(self.n)) & 1 == 1] = y
            left -= block
        return chosen, float(value[-1])


class _Thresholds:
    """Exact pricing for two letters of Y: x goes to the second letter from some value of d(x, 0) - d(x, 1) on."""

    def __init__(self, p_x: FloatArray, cost: FloatArray) -> None:
        self.p_x, self.cost = p_x, cost
        rank = np.argsort(np.argsort(cost[:, 0] - cost[:, -1]))
        self.maps = (rank >= np.arange(p_x.size + 1)[:, None]).astype(np.intp) * (cost.shape[1] - 1)

    def best_map(self, lam: float, mu: FloatArray) -> tuple[IntArray, float]:
        """The map minimising the reduced cost, and that cost."""
        return _cheapest(self.maps, self.p_x, self.cost, lam, mu)


class _Lengths:
    """Pricing by alternation between maps and code lengths, from STARTS random output laws."""

    def __init__(self, p_x: FloatArray, cost: FloatArray) -> None:
        self.p_x, self.cost = p_x, cost
        m = cost.shape[1]
        laws = np.random.default_rng(0).dirichlet(np.full(m, 0.3), STARTS)
        self.laws = np.vstack([np.full(m, 1 / m), laws])

    def best_map(self, lam: float, mu: FloatArray) -> tuple[IntArray, float]:
        """The best map found, and its reduced cost."""
        laws = self.laws
        for _ in range(ALTERNATIONS):
            lengths = -np.log2(np.maximum(laws, 1e-300))
            maps = (self.cost - mu + lam * lengths[:, None]).argmin(2)
            laws = _of_maps(maps, self.p_x, self.cost)[1]
        return _cheapest(self._moved(maps, lam, mu), self.p_x, self.cost, lam, mu)

    def _moved(self, maps: IntArray, lam: float, mu: FloatArray) -> IntArray:
        """The maps after moving single letters of X, the most profitable first, as long as that pays."""
        p = self.p_x[:, None]
        every, n = np.arange(len(maps)), self.p_x.size
        maps = maps.copy()
        for _ in range(MOVES):
            law = _of_maps(maps, self.p_x, self.cost)[1]
            here = np.take_along_axis(law, maps, 1)
            leave = entr(np.maximum(here - self.p_x, 0)) - entr(here)
            enter = entr(law[:, None] + p) - entr(law)[:, None]
            own = (self.cost - mu)[np.arange(n), maps]
            change = p * (self.cost - mu - own[:, :, None]) + lam / np.log(2) * (leave[:, :, None] + enter)
            np.put_along_axis(change, maps[:, :, None], 0.0, 2)  # to stay changes nothing
            x, y = np.unravel_index(change.reshape(len(maps), -1).argmin(1), self.cost.shape)
            if change[every, x, y].min() >= -TOLERANCE:
                break
            maps[every, x] = y
        return maps


def _cheapest(
    maps: IntArray, p_x: FloatArray, cost: FloatArray, lam: float, mu: FloatArray
) -> tuple[IntArray, float]:
    """The map of least reduced cost among some, and that cost."""
    distortion, laws = _of_maps(maps, p_x, cost)
    reduced = distortion - laws @ mu + lam * entr(laws).sum(1) / np.log(2)
    best = int(reduced.argmin())
    return maps[best], float(reduced[best])


def _of_maps(maps: IntArray, p_x: FloatArray, cost: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Distortion (k,) and output law (k, m) of each map (k, n)."""
    n, m = cost.shape
    distortion = cost[np.arange(n), maps] @ p_x
    law = (p_x[None, :, None] * (maps[:, :, None] == np.arange(m))).sum(1)
    return distortion, law
