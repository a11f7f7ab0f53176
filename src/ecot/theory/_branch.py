"""A certified lower bound for the one-shot problem without common randomness, by branch and bound.

    D_ncr(R) = min sum_z theta_z alpha_z' C beta_z  over the law theta of Z and the conditional laws alpha_z of X and
               beta_z of Y given Z = z, with sum_z theta_z alpha_z = p_X, sum_z theta_z beta_z = p_Y, H(theta) <= R.

How many letters of Z suffice. There is an optimal plan with at most min(n + m/2, m + n/2) of them, for any cost.
Proof. Fix the beta_z of an optimal plan. In P = (theta_z alpha_xz) the objective and the n + m - 1 independent
equations (the law of X; the law of Y through beta) are linear, and H(theta) <= R excludes a convex set, since H is
concave. A linear function on a polytope without a convex set is least on an edge of the polytope (Hillestad and
Jacobsen 1980), where at most n + m entries of P are positive. Now fix the new alpha_z: in the same way at most n + m
entries of Q = (theta_z beta_yz) are positive, and those of P remain so. (This alone gives n + m letters.) Two letters
of Z with the same beta_z may be merged: the distortion stays, H falls, no entry becomes positive that was not;
likewise for alpha_z. Then at most m letters have a beta_z with a single positive entry, and the others have two or
more: 2 k - m <= n + m. In the same way 2 k - n <= n + m. For binary sources these are three letters, as in A.4.

The first letter alone. Some letter of Z has at least the mass mu = `least_largest_atom(rate)`. A larger one may be
split in proportion without changing the value, so there is a letter of mass mu; with the rate forgotten for the rest
of Z this is a search over alpha_1 and beta_1 only, and (22) itself for binary sources.

The boxes. A node of the search holds K letters of Z in boxes, theta_1 >= ... >= theta_K, and the rest of Z, whose
letters have at most the mass theta_K each. Its relaxation is a linear program in W_zxy = theta_z alpha_xz beta_yz and
in the coupling of the rest, of which only the laws are kept:

    alpha_low sum_x W_zxy <= W_zxy <= alpha_high sum_x W_zxy,  likewise for beta: exact for a box that is a point;
    the entropy of theta_z by its chord on the box, and that of the rest by mass * log2(1 / largest atom): both from
    below, since -t log t is concave and zero at zero.

Branching cuts the box that the solution violates most, or takes one more letter of Z out of the rest. The bound is
computed from the programs' multipliers, so that no tolerance of the solver can make it too large: W has total mass
one, hence the least reduced cost, if negative, is its worst error.
"""

import heapq
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_array
from scipy.special import entr

from ecot.theory._arguments import FloatArray

BATCH = 8  # nodes whose programs are solved as one: most of a small program's time is spent on the way to the solver
PENALTY = 100.0  # of the artificial variable that keeps every program feasible, relative to costs of order one
SLACK = 1e-11  # bits by which the rate is relaxed, above the rounding of an entropy
NOTHING = 1e-12  # widths and masses below this count as zero
CERTAIN = 1e-6  # a letter of at least this conditional probability limits the mass of z
CENTRAL = 0.2  # a box is cut no closer to its ends than this share of its width


def enough_letters(n: int, m: int) -> int:
    """So many letters of Z suffice for laws on n and m letters."""
    return int(min(n + m / 2, m + n / 2))


def entropy(theta: FloatArray) -> float:
    """H in bits; rounding below zero does no harm."""
    return float(_phi(theta).sum())


def least_largest_atom(rate: float) -> float:
    """The least max_z theta_z that a law with H(theta) <= rate can have.

    With the largest mass m given, entropy is least for floor(1/m) atoms of mass m and one for the rest; that
    minimum falls as m grows, so the m sought is where it meets the rate. Rounded down.
    """
    low, high = 0.0, 1.0
    for _ in range(60):
        m = (low + high) / 2
        full = np.floor(1 / m)
        least = full * entropy(np.array([m])) + entropy(np.array([1 - full * m]))
        low, high = (low, m) if least <= rate else (m, high)
    return low


@dataclass
class Box:
    """Limits of theta (K,), alpha (n, K) and beta (m, K)."""

    theta: list[FloatArray]  # low, high
    alpha: list[FloatArray]
    beta: list[FloatArray]

    def copy(self) -> "Box":
        return Box(*([limit.copy() for limit in pair] for pair in (self.theta, self.alpha, self.beta)))

    def halves(self, kind: str, at: tuple[int, ...], point: float) -> list["Box"]:
        """Both parts of the box, cut across one coordinate at a point."""
        below, above = self.copy(), self.copy()
        getattr(below, kind)[1][at] = point
        getattr(above, kind)[0][at] = point
        return [below, above]

    def grown(self) -> "Box":
        """The same box with one more letter of Z, taken out of the rest."""
        new = self.copy()
        most = min(float(self.theta[1][-1]), 1 - float(self.theta[0].sum()))
        new.theta = [np.append(self.theta[0], 0.0), np.append(self.theta[1], most)]
        for pair in (new.alpha, new.beta):
            for end, fill in enumerate((0.0, 1.0)):
                pair[end] = np.hstack([pair[end], np.full((len(pair[end]), 1), fill)])
        return new


@dataclass
class Node:
    """A box, the lower bound on every plan in it, what to split it into, and the laws W that its program found."""

    lower: float
    children: list[Box]
    W: FloatArray  # (K, n, m), with the coupling of the rest as a further letter of Z


@dataclass(frozen=True)
class _Program:
    """min c.x with A x <= b, E x = e, x >= 0 for one box; `entropy_row` is that of the rate, `chord` its pieces."""

    box: Box
    A: FloatArray
    b: FloatArray
    E: FloatArray
    c: FloatArray
    slope: FloatArray
    offset: FloatArray
    price_of_rest: float


class BranchAndBound:
    """The search for one problem: laws (n,), (m,) without zeros, cost (n, m) of order one, R < H(X), H(Y).

    `first_only` searches for the first letter alone, as above: quick, and not always tight.
    """

    def __init__(
        self, p_x: FloatArray, p_y: FloatArray, cost: FloatArray, rate: float, first_only: bool = False
    ) -> None:
        self.p_x, self.p_y, self.cost, self.rate, self.first_only = p_x, p_y, cost, rate, first_only
        n, m = self.shape = cost.shape
        self.letters = enough_letters(n, m)
        one = np.eye(n * m).reshape(n, m, n * m)
        self.one = {"alpha": one, "beta": one.transpose(1, 0, 2)}  # row of (x, y) and of (y, x): W_xy itself
        self.sums = {"alpha": one.sum(0)[None], "beta": one.sum(1)[None]}  # and the sum of W over the first index
        self.e = np.concatenate([p_x, p_y[:-1]])
        self.E = np.concatenate([one.sum(1), one.sum(0)[:-1]])
        # what a bit is worth at least, to weigh a violated entropy against a wrong product
        self.worth = 0.3 * float(np.abs(cost).mean()) / max(rate, NOTHING)
        self.heap: list[tuple[float, int, Node]] = []
        self.closed = np.inf  # the least bound of the nodes that were given up: good enough, or not solved
        self.ticket = count()
        mu, ones = np.array([least_largest_atom(rate)]), (np.ones((n, 1)), np.ones((m, 1)))
        theta = [mu, mu.copy() if first_only else np.ones(1)]
        root = Box(theta, *([np.zeros_like(one), one] for one in ones))
        self._add([root], np.inf, -np.inf)

    @property
    def lower(self) -> float:
        """No plan costs less."""
        return min(self.heap[0][0] if self.heap else np.inf, self.closed)

    def next_laws(self) -> FloatArray | None:
        """W of the node with the least bound: somewhere to look for a better plan. None where no node is left."""
        return self.heap[0][2].W if self.heap else None

    def step(self, upper: float, tolerance: float) -> bool:
        """Split the most promising nodes; False when every plan costs at least upper - tolerance."""
        boxes: list[Box] = []
        parents: list[float] = []
        while self.heap and len(boxes) < BATCH and self.heap[0][0] < upper - tolerance:
            lower, _, node = heapq.heappop(self.heap)
            boxes += node.children
            parents.append(lower)
        if boxes:
            self._add(boxes, upper - tolerance, min(parents))
        return bool(boxes)

    def _add(self, boxes: list[Box], enough: float, parent: float) -> None:
        """Bound the boxes and put them on the heap; those above `enough` need no more work."""
        programs = [program for box in boxes if self._narrow(box) for program in [self._program(box)]]
        for node in self._solve(programs) if programs else []:
            node.lower = max(node.lower, parent)
            if node.lower >= enough or not node.children:
                self.closed = min(self.closed, node.lower)
            else:
                heapq.heappush(self.heap, (node.lower, next(self.ticket), node))

    def _narrow(self, box: Box) -> bool:
        """Limits that follow from the others, in place; False for a box without a plan."""
        for _ in range(2):
            low, high = box.theta
            high = np.minimum.accumulate(np.minimum(high, 1 - (low.sum() - low)))
            low = np.maximum.accumulate(low[::-1])[::-1]
            if low.size == self.letters:
                low = np.maximum(low, 1 - (high.sum() - high))
            for (least, most), p in ((box.alpha, self.p_x), (box.beta, self.p_y)):
                mass = np.maximum(low, NOTHING)
                np.minimum(most, p[:, None] / mass, out=most)
                np.maximum(least, 1 - (1 - p[:, None]) / mass, out=least)
                np.minimum(most, 1 - (least.sum(0) - least), out=most)
                np.maximum(least, 1 - (most.sum(0) - most), out=least)
                if (least > most + NOTHING).any():
                    return False
                np.maximum(most, least, out=most)  # rounding
                used = least * low
                room = p[:, None] - (used.sum(1, keepdims=True) - used) + NOTHING
                taken = least > CERTAIN
                high = np.minimum(high, np.where(taken, room / np.where(taken, least, 1.0), np.inf).min(0))
            if (low > high + NOTHING).any():
                return False
            box.theta = [low, np.maximum(low, high)]
        return True

    def _program(self, box: Box) -> _Program:
        (low, high), K, nm = box.theta, box.theta[0].size, self.cost.size
        rest = self.letters > K
        blocks = K + rest
        rows, right = [], []
        for kind in ("alpha", "beta"):
            one, sums = self.one[kind], self.sums[kind]
            least, most = getattr(box, kind)
            for limit, sign, idle in ((most, 1.0, most >= 1), (least, -1.0, least <= 0)):
                for i, z in np.argwhere(~idle):
                    block = np.zeros((one.shape[1], blocks, nm))
                    block[:, z] = sign * (one[i] - limit[i, z] * sums[0])
                    rows.append(block.reshape(-1, blocks * nm))
                    right.append(np.zeros(len(block)))
        masses = np.repeat(np.eye(K, blocks), nm, axis=1)
        rows += [masses, -masses, masses[1:] - masses[:-1]]
        right += [high, -low, np.zeros(K - 1)]
        width = high - low
        phi_low, phi_high = _phi(low), _phi(high)
        wide = width > NOTHING
        slope = np.where(wide, (phi_high - phi_low) / np.where(wide, width, 1.0), 0.0)
        offset = np.where(wide, phi_low - slope * low, np.minimum(phi_low, phi_high))
        largest = min(float(high[-1]), 1 - float(low.sum()))
        price = float(np.log2(1 / max(largest, NOTHING))) if rest and not self.first_only else 0.0
        rows.append(np.repeat(np.append(slope, [price] * rest), nm)[None])
        right.append(np.array([self.rate + SLACK - float(offset.sum())]))
        return _Program(
            box,
            np.vstack(rows),
            np.concatenate(right),
            np.tile(self.E, blocks),
            np.tile(self.cost.ravel(), blocks),
            slope,
            offset,
            price,
        )

    def _solve(self, programs: list[_Program]) -> list[Node]:
        """All programs as one, each with an artificial variable that makes it feasible at a penalty."""
        A = _diagonal([np.column_stack([program.A, program.b]) for program in programs])
        E = _diagonal([np.column_stack([program.E, self.e]) for program in programs])
        solved = linprog(
            np.concatenate([np.append(program.c, PENALTY) for program in programs]),
            A_ub=A,
            b_ub=np.concatenate([program.b for program in programs]),
            A_eq=E,
            b_eq=np.tile(self.e, len(programs)),
            method="highs",
        )
        if solved.status != 0 and len(programs) > 1:
            return [node for program in programs for node in self._solve([program])]
        if (
            solved.status != 0 or solved.x is None
        ):  # no bound of its own, and nothing to split by: that of its parent stays
            return [Node(-np.inf, [], np.zeros((0, *self.shape)))]
        x = np.split(solved.x, np.cumsum([program.c.size + 1 for program in programs])[:-1])
        on_A = np.split(solved.ineqlin.marginals, np.cumsum([program.b.size for program in programs])[:-1])
        on_E = np.split(solved.eqlin.marginals, len(programs))
        return [self._node(*parts) for parts in zip(programs, x, on_A, on_E, strict=True)]

    def _node(self, program: _Program, x: FloatArray, on_A: FloatArray, on_E: FloatArray) -> Node:
        on_A = np.minimum(on_A, 0)
        reduced = program.c - on_A @ program.A - on_E @ program.E
        lower = float(on_A @ program.b + on_E @ self.e + min(0.0, reduced.min()))
        W = np.maximum(x[:-1], 0).reshape(-1, *self.shape)
        return Node(lower, self._children(program, W, max(-float(on_A[-1]), self.worth)), W)

    def _children(self, program: _Program, W: FloatArray, worth: float) -> list[Box]:
        """Where the solution is furthest from a plan: a product, an entropy, or the rest of Z."""
        box = program.box
        K = box.theta[0].size
        theta = W.sum((1, 2))
        a, b = W.sum(2).T, W.sum(1).T  # (n, K + rest), (m, K + rest)
        error = self.cost * (np.einsum("xz,yz->zxy", a, b / np.maximum(theta, NOTHING)) - W)
        product = np.maximum(error.sum((1, 2)), 0)
        missing = worth * np.maximum(_phi(theta[:K]) - program.offset - program.slope * theta[:K], 0)
        z, t = int(product[:K].argmax()), int(missing.argmax())
        scores = [product[z], missing[t]]
        if len(W) > K and not self.first_only:
            scores.append(product[K] + worth * max(float(_phi(theta[K])) - program.price_of_rest * theta[K], 0.0))
        kind = int(np.argmax(scores))
        if kind == 2:
            return [box.grown()]
        if kind == 1:
            return box.halves("theta", (t,), _central(box.theta, (t,), float(theta[t])))
        error_z = np.abs(error[z])
        gain_a = error_z.sum(1) * (box.alpha[1] - box.alpha[0])[:, z]
        gain_b = error_z.sum(0) * (box.beta[1] - box.beta[0])[:, z]
        name, gain, joint = ("alpha", gain_a, a) if gain_a.max() >= gain_b.max() else ("beta", gain_b, b)
        at = int(gain.argmax()), z
        return box.halves(name, at, _central(getattr(box, name), at, float(joint[at] / max(theta[z], NOTHING))))


def _phi(t: FloatArray) -> FloatArray:
    """-t log2 t."""
    return np.asarray(entr(np.maximum(t, 0)) / np.log(2))


def _central(limits: list[FloatArray], at: tuple[int, ...], point: float) -> float:
    low, high = float(limits[0][at]), float(limits[1][at])
    return float(np.clip(point, low + CENTRAL * (high - low), high - CENTRAL * (high - low)))


def _diagonal(blocks: list[FloatArray]) -> Any:  # linprog's annotations know no sparse matrices
    """A sparse matrix with the blocks on its diagonal."""
    rows, columns, values = [], [], []
    below, right = 0, 0
    for block in blocks:
        i, j = np.nonzero(block)
        rows.append(i + below)
        columns.append(j + right)
        values.append(block[i, j])
        below, right = below + block.shape[0], right + block.shape[1]
    where = np.concatenate(rows), np.concatenate(columns)
    return coo_array((np.concatenate(values), where), shape=(below, right))
