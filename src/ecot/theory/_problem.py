"""A problem on finite alphabets in the one form that the solvers see, and the way back to the caller's letters.

A cost f(x) + g(y) moves every plan's distortion by the same known number, and letters whose costs differ by a
constant are one letter, drawn in proportion: neither may change what a solver does. So letters of no probability are
left out, the rows' and the columns' means are taken out of the cost (twice: the first time leaves a rounding error of
the size of the means), equal letters are merged, the rest is ordered by probability and scaled to a largest cost of
one.

Why merging is allowed. A plan for the merged letters gives one for all letters, by a random choice inside each group
at the encoder (which X makes by itself) or at the decoder; a plan for all letters gives one for the groups. Neither
changes H(Z), I(X;Z), I(Y;Z), nor, with common randomness, the least H(Z|U): what a side draws for itself may be drawn
in common, and conditioning lowers entropy.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ecot.theory._arguments import FloatArray, IntArray, distribution, matrix

NEVER = 1e-14  # letters with less probability change no result beyond its rounding, and are left out
ROUNDINGS = 8  # of the largest entry: costs closer than that are equal


@dataclass(frozen=True)
class Letters:
    """Groups of a caller's letters: `group` (letters,) with -1 for one left out, `share` (letters,) within the
    group."""

    group: IntArray
    share: FloatArray

    def spread(self, joint: FloatArray) -> FloatArray:
        """A joint law with the groups as rows, as one with the caller's letters as rows."""
        return np.where((self.group >= 0)[:, None], self.share[:, None] * joint[self.group], 0.0)


class Problem:
    """Checked laws and cost, reduced as above: `p_x` (n,), `p_y` (m,), `cost` (n, m) with entries in [-1, 1]."""

    def __init__(self, p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike, merge: bool = True) -> None:
        given_x, given_y = distribution("p_x", p_x), distribution("p_y", p_y)
        given = matrix("cost", cost, (given_x.size, given_y.size))
        kept_x, kept_y = given_x > NEVER, given_y > NEVER
        x, y = given_x[kept_x] / given_x[kept_x].sum(), given_y[kept_y] / given_y[kept_y].sum()
        inside = given[np.ix_(kept_x, kept_y)]
        self.rounding = float(np.abs(inside).max()) * float(np.finfo(float).eps)
        centred, self.offset = _centred(x, y, inside)
        tolerance = ROUNDINGS * self.rounding
        groups_x, groups_y = (
            _groups(c, tolerance) if merge else np.arange(len(c), dtype=np.intp) for c in (centred, centred.T)
        )
        self.letters_x, self.p_x, first_x = _merged(kept_x, x, groups_x)
        self.letters_y, self.p_y, first_y = _merged(kept_y, y, groups_y)
        cost_ = centred[np.ix_(first_x, first_y)]
        largest = float(np.abs(cost_).max())
        # what is left of a cost f(x) + g(y) is rounding: a problem without a choice
        self.scale = largest if largest > tolerance else 1.0
        self.cost = cost_ / self.scale if largest > tolerance else np.zeros_like(cost_)

    @cached_property
    def exchanged(self) -> bool:
        """Whether the problem with source and target exchanged is the standard one of both.

        What is symmetric in them is solved in the standard order, so that both directions give the same result.
        """
        this = (self.cost.shape, tuple(self.p_x), tuple(self.p_y), tuple(np.sort(self.cost, axis=None)))
        other = (self.cost.T.shape, tuple(self.p_y), tuple(self.p_x), tuple(np.sort(self.cost, axis=None)))
        return other < this

    def value(self, scaled: float) -> float:
        """A distortion in the caller's units."""
        return scaled * self.scale + self.offset

    def coupling(self, plan: FloatArray) -> FloatArray:
        """A joint law (n, m) of the reduced letters as one of the caller's."""
        return self.letters_y.spread(self.letters_x.spread(plan).T).T


def _centred(x: FloatArray, y: FloatArray, cost: FloatArray) -> tuple[FloatArray, float]:
    """The cost without its rows' and columns' means, and what these contribute to every plan's distortion."""
    offsets = []
    for _ in range(2):
        rows = cost.mean(1)
        cost = cost - rows[:, None]
        columns = cost.mean(0)
        cost = cost - columns
        offsets += [*(rows * x), *(columns * y)]
    return cost, math.fsum(offsets)


def _groups(cost: FloatArray, tolerance: float) -> IntArray:
    """For each row the first row that equals it up to the tolerance."""
    first = np.arange(len(cost))
    for i in range(len(cost)):
        if first[i] == i:
            equal = (np.abs(cost[i + 1 :] - cost[i]) <= tolerance).all(1) & (first[i + 1 :] > i)
            first[i + 1 :][equal] = i
    return first


def _merged(kept: np.ndarray, p: FloatArray, first: IntArray) -> tuple[Letters, FloatArray, IntArray]:
    """The groups, their law in falling order, and a letter of each group."""
    representatives = np.unique(first)
    law = np.bincount(first, p, minlength=p.size)[representatives].astype(np.float64)
    order = np.argsort(-law, kind="stable")
    position = np.empty(p.size, dtype=np.intp)
    position[representatives[order]] = np.arange(order.size)
    group = np.full(kept.size, -1, dtype=np.intp)
    group[kept] = position[first]
    share = np.zeros(kept.size)
    share[kept] = p / law[order][group[kept]]
    return Letters(group, share), law[order], representatives[order]
