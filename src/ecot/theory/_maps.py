"""The linear program of Appendix A.3 over deterministic maps f: X -> Y, by column generation.

    D_cr(R) = min_{p >= 0} sum_f p(f) E d(X, f(X))
              s.t. sum_f p(f) H(f(X)) <= R,   sum_f p(f) P(f(X) = y) = p_Y(y) for all y.

With multipliers lam >= 0 of the rate and mu_y of the output law, the reduced cost of a map is
sum_y [sum_{x in S_y} p_x (d(x, y) - mu_y) + lam phi(P(S_y))], S_y = f^-1(y), phi(m) = -m log2 m: a sum over
the blocks of a partition of X. So the best map of all |Y|^|X| comes from a recursion over subsets of X in
3^|X| |Y| steps, and the multipliers with its reduced cost give a lower bound on D_cr, tight when no reduced
cost is negative.
"""

from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from ecot.theory._arguments import FloatArray
from ecot.theory._linear import minimise

IntArray = NDArray[np.intp]

LISTED_MAPS = 4096  # up to here all maps are listed at the start, and pricing only confirms the optimum
MAX_LETTERS = 13  # of X: 3^13 pairs of subsets take 25 MB
TOLERANCE = 1e-10  # on reduced costs, relative to the largest cost
LOOSE = 1e-7  # where the linear program's own tolerance stands in the way; the lower bound says how much
MAX_ROUNDS = 10_000


class MapProgram:
    """The program for one pair of laws with positive probabilities; maps found for one rate serve the next.

    `p_x` (n,), `p_y` (m,), `cost` (n, m) with entries of order one.
    """

    def __init__(self, p_x: FloatArray, p_y: FloatArray, cost: FloatArray) -> None:
        self.p_x, self.p_y, self.cost = p_x, p_y, cost
        n, m = cost.shape
        if n > MAX_LETTERS:
            raise ValueError(f"p_x: at most {MAX_LETTERS} letters of positive probability, got {n}")
        self._subsets = _Subsets(p_x, cost)
        if m**n <= LISTED_MAPS:
            self.maps = np.array(list(product(range(m), repeat=n)), dtype=np.intp)
        else:  # the constant maps are feasible at every rate
            self.maps = np.repeat(np.arange(m, dtype=np.intp)[:, None], n, axis=1)

    def solve(self, rate: float) -> tuple[FloatArray, float, float]:
        """Probabilities of `self.maps`, the value they attain, and a lower bound on D_cr(rate)."""
        for _ in range(MAX_ROUNDS):
            distortion, entropy, law = self._columns()
            program = minimise(distortion, entropy[None, :], np.array([rate]), law.T, self.p_y)
            lam, mu = max(-float(program.multipliers_ub[0]), 0.0), program.multipliers_eq
            candidate, reduced_cost = self._subsets.best_map(lam, mu)
            known = bool((self.maps == candidate).all(1).any())  # then the multipliers are as good as they get
            if reduced_cost >= (-LOOSE if known else -TOLERANCE):
                lower = float(mu @ self.p_y - lam * rate + reduced_cost)
                return program.x, program.value, min(lower, program.value)
            if known:
                raise ArithmeticError("column generation stalled: the program's multipliers are inaccurate")
            self.maps = np.vstack([self.maps, candidate])
        raise ArithmeticError(f"column generation did not end after {MAX_ROUNDS} rounds")

    def _columns(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Distortion (k,), output entropy in bits (k,) and output law (k, m) of every map."""
        n, m = self.cost.shape
        distortion = self.cost[np.arange(n), self.maps] @ self.p_x
        law = (self.p_x[None, :, None] * (self.maps[:, :, None] == np.arange(m))).sum(1)
        return distortion, entr(law).sum(1) / np.log(2), law


class _Subsets:
    """Pricing: the map of least reduced cost, by recursion over the subsets of X's letters (bit masks)."""

    def __init__(self, p_x: FloatArray, cost: FloatArray) -> None:
        n = p_x.size
        # every pair T within S, as a base-3 number: 0 outside S, 1 in S only, 2 in T
        digits = np.arange(3**n)[:, None] // 3 ** np.arange(n) % 3
        bits = 1 << np.arange(n)
        whole, part = (digits > 0) @ bits, (digits == 2) @ bits
        order = np.argsort(whole, kind="stable")
        self.whole, self.part = whole[order], part[order]
        self.rest = self.whole - self.part
        self.start = np.searchsorted(self.whole, np.arange(2**n))
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
            value = np.minimum.reduceat(value[self.rest] + weight[self.part, y], self.start)
        left, chosen = 2**self.n - 1, np.zeros(self.n, dtype=np.intp)
        for y in reversed(range(mu.size)):
            inside = slice(self.start[left], self.start[left + 1] if left + 1 < 2**self.n else None)
            best = np.argmin(history[y][self.rest[inside]] + weight[self.part[inside], y])
            block = int(self.part[inside][best])
            chosen[(block >> np.arange(self.n)) & 1 == 1] = y
            left -= block
        return chosen, float(value[-1])
