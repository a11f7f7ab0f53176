"""The one-shot problem with k bits of common randomness on finite alphabets: mixtures of 2^k plans, and their search.

    D_k(R) = min (1/N) sum_u E d(X, Y_u),  X - Z_u - Y_u for u = 1, ..., N = 2^k,
             s.t. (1/N) sum_u H(Z_u) <= R,  (1/N) sum_u P(Y_u = y) = p_Y(y) for all y.

The shared letter u is uniform: k fair bits. N = 1 is Definition 2. With any law of u and any number of its values it
is Definition 3, whose optimum mixes at most m + 1 maps with weights of any size (`_maps`).

A mixture is kept as plans with weights that are multiples of 1/N, of which a weight c / N stands for c equal plans;
V = (U, Z) is one plan in the sense of `_bottleneck`. Three kinds of mixtures are tried, and descended from:

- the best one known for fewer bits: its weights are multiples of 1/N as well;
- the optimal mixture of maps, its weights p_f rounded down to multiples of 1/N. The J <= m plans that are left over
  have to have the rest of the output law and of the rate in the mean; each of them does it alone, as a problem of
  Definition 2. For N = 1 this is that problem itself, and the excess over Definition 3 is at most J / N times the
  range of the cost;
- N maps drawn from the optimal mixture, or N random plans, made to fit.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import entr

from ecot.theory._arguments import FloatArray, IntArray
from ecot.theory._bottleneck import ROUNDING, Coupling, descend, transport
from ecot.theory._branch import entropy
from ecot.theory._transport import optimal_plan

MOST_VARIABLES = 600  # of a descent's linear program; beyond, equal plans are not told apart
BISECTIONS = 50
WHOLE = 1e-9  # a weight that misses a multiple of 1/N by less is one: the linear program's tolerance
SPREAD = 0.5  # of the random laws of Z


@dataclass(frozen=True)
class Mixture:
    """Plans with weights w (g,); `plan` is that of (U, Z), its columns in g blocks of equal size."""

    w: FloatArray
    plan: Coupling

    @property
    def rate(self) -> float:
        """H(Z|U) in bits."""
        return entropy(self.plan.theta) - entropy(self.w)

    @property
    def letters(self) -> int:
        """The number of letters of Z."""
        return int(self.plan.P.shape[1] // self.w.size)


def alone(plan: Coupling) -> Mixture:
    """A plan without common randomness."""
    return Mixture(np.ones(1), plan)


def together(parts: list[tuple[float, Coupling]]) -> Mixture:
    """The mixture of some plans with weights that sum to one."""
    letters = max(plan.P.shape[1] for _, plan in parts)
    P, Q = (
        np.hstack([w * np.pad(joint, ((0, 0), (0, letters - joint.shape[1]))) for w, joint in sides])
        for sides in ([(w, plan.P) for w, plan in parts], [(w, plan.Q) for w, plan in parts])
    )
    return Mixture(np.array([w for w, _ in parts]), Coupling(P, Q))


def as_plan(f: IntArray, p_x: FloatArray, m: int) -> Coupling:
    """The plan Z = Y = f(X) of a map (n,)."""
    P = p_x[:, None] * (f[:, None] == np.arange(m))
    return Coupling(P, np.diag(P.sum(0)))


def rounded(
    maps: IntArray,
    p: FloatArray,
    p_x: FloatArray,
    p_y: FloatArray,
    rate: float,
    bits: int,
    leftover: Callable[[FloatArray, float], Coupling],
) -> Mixture:
    """The mixture of maps (f, n) with probabilities p (f,), rounded to multiples of 2^-bits.

    `leftover` gives a plan without common randomness to an output law, at a rate: for what the rounding leaves over.
    """
    plans = 2**bits
    counts = np.floor(p * plans + WHOLE)
    laws = np.stack([np.bincount(f, p_x, p_y.size) for f in maps])
    spent = float(counts @ (entr(laws).sum(1) / np.log(2)))
    parts = [(c / plans, as_plan(f, p_x, p_y.size)) for f, c in zip(maps, counts, strict=True) if c > 0]
    rest = plans - int(counts.sum())
    if rest > 0:
        law = np.maximum(plans * p_y - counts @ laws, 0)
        plan = leftover(law / law.sum(), max(plans * rate - spent, 0) / rest)
        parts += [(1 / plans, plan)] * rest
    return together(parts)


class LimitedSearch:
    """Mixtures of N = 2^bits plans with H(Z|U) <= rate: `best` is the best found so far, `value` its distortion.

    Laws (n,) and (m,) are positive, the cost (n, m) is of order one.
    """

    def __init__(
        self, p_x: FloatArray, p_y: FloatArray, cost: FloatArray, rate: float, bits: int, known: Mixture
    ) -> None:
        self.p_x, self.p_y, self.cost, self.rate, self.plans = p_x, p_y, cost, rate, 2**bits
        self.best, self.value = known, known.plan.distortion(cost)
        self.improve(known)

    def improve(self, mixture: Mixture) -> None:
        """Make a mixture fit the rate, descend from there, and keep what is better.

        It may miss the output law: its plans' laws of Z and channels to Y are what counts.
        """
        mixture = self._fitting(self._told_apart(mixture))
        w, plan = mixture.w, transport(mixture.plan, self.p_x, self.p_y, self.cost, mixture.w)
        if self._descends(w.size, mixture.letters):
            plan = descend(plan, self.p_x, self.p_y, self.cost, self.rate + entropy(w), w)
            plan = transport(plan, self.p_x, self.p_y, self.cost, w)  # meets the marginals to rounding
        mixture, value = Mixture(w, plan), plan.distortion(self.cost)
        if value < self.value and mixture.rate <= self.rate + ROUNDING:
            self.best, self.value = mixture, value

    def start_anywhere(self, maps: IntArray, p: FloatArray, starts: int, seed: int, end: float) -> None:
        """Descend from N maps drawn with probabilities p (f,) and from N random plans, until a processor time."""
        rng = np.random.default_rng(seed)
        letters = max(self.cost.shape)
        for start in range(starts if self._descends(self.plans, letters) else 0):
            if time.process_time() > end:
                break
            if start % 2 == 0:
                drawn = maps[rng.choice(p.size, self.plans, p=p)]
                plans = [as_plan(f, self.p_x, self.p_y.size) for f in drawn]
            else:
                plans = [self._random(letters, rng) for _ in range(self.plans)]
            self.improve(together([(1 / self.plans, plan) for plan in plans]))

    def _random(self, letters: int, rng: np.random.Generator) -> Coupling:
        theta = rng.dirichlet(np.full(letters, SPREAD))
        P = optimal_plan(self.p_x, theta, rng.random((self.p_x.size, letters)))
        return Coupling(P, optimal_plan(self.p_y, theta, rng.random((self.p_y.size, letters))))

    def _descends(self, plans: int, letters: int) -> bool:
        return plans * letters * sum(self.cost.shape) <= MOST_VARIABLES

    def _told_apart(self, mixture: Mixture) -> Mixture:
        """The same mixture with a plan of weight c / N as c plans, where a descent can take so many."""
        counts = np.rint(mixture.w * self.plans).astype(np.intp)
        if not self._descends(self.plans, mixture.letters):
            return mixture
        P, Q = (
            np.hstack(
                [
                    np.tile(block / count, count)
                    for block, count in zip(np.split(joint, mixture.w.size, axis=1), counts, strict=True)
                ]
            )
            for joint in (mixture.plan.P, mixture.plan.Q)
        )
        return Mixture(np.full(self.plans, 1 / self.plans), Coupling(P, Q))

    def _fitting(self, mixture: Mixture) -> Mixture:
        """The mixture after a share of each plan's letters of Z has joined its likeliest one, the least that will do.

        Entropy is concave, and zero where all have joined it: from the share where the rate is met on, it is kept.
        """
        if mixture.rate <= self.rate:
            return mixture
        theta = mixture.plan.theta.reshape(mixture.w.size, -1)
        likeliest = theta.argmax(1) + mixture.letters * np.arange(mixture.w.size)
        into = np.eye(theta.size)[np.repeat(likeliest, mixture.letters)]

        def joined(share: float) -> Mixture:
            move = (1 - share) * np.eye(theta.size) + share * into
            return Mixture(mixture.w, Coupling(mixture.plan.P @ move, mixture.plan.Q @ move))

        low, high = 0.0, 1.0
        for _ in range(BISECTIONS):
            t = (low + high) / 2
            low, high = (low, t) if joined(t).rate <= self.rate else (t, high)
        return joined(high)
