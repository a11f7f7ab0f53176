"""The one-shot problem without common randomness on finite alphabets (Definition 2): plans, and the search for them.

    D_ncr(R) = min E d(X, Y) over X - Z - Y with the given laws of X and Y and H(Z) <= R.

A plan is a pair of joint laws P = p_XZ (n, k) and Q = p_YZ (m, k) with the same law theta of Z; its
distortion is sum_z P_z' C Q_z / theta_z. The problem is not convex: the search below descends from many
starting points and gives an upper bound; `_branch` gives a lower one, and laws to start further descents from.

A descent takes mixtures, too: with a shared letter U of law w, independent of X, the pair V = (U, Z) is such a plan
in which the columns of P fall into blocks of equal size, one for each u, that sum to w_u p_X. H(Z|U) <= R is
H(V) <= R + H(w). One block is the problem above.
"""

import time
from dataclasses import dataclass

import numpy as np

from ecot.theory._arguments import FloatArray
from ecot.theory._branch import entropy
from ecot.theory._linear import minimise
from ecot.theory._transport import optimal_plan

MAX_STEPS = 200
IMPROVEMENT = 1e-11  # below this, relative to costs of order one, a descent has ended
STEP_SIZES = np.concatenate([[1.0], np.geomspace(0.9, 1e-3, 40)])
ATOM = 1e-13  # an atom of Z with less mass carries nothing
ROUNDING = 1e-9  # bits by which a linear program may miss the rate
BISECTIONS = 50
MOST_LETTERS = 16  # of either source, for descents: each step is a linear program in (n + m) max(n, m) variables
ROUNDS = 10  # of plain transport, for more letters than that
ONE = np.ones(1)


@dataclass(frozen=True)
class Coupling:
    """P = p_XZ (n, k) and Q = p_YZ (m, k)."""

    P: FloatArray
    Q: FloatArray

    @property
    def theta(self) -> FloatArray:
        """Law of Z, shape (k,)."""
        return np.asarray(self.P.sum(0))

    def channel_x(self) -> FloatArray:
        """P(X = x | Z = z), (n, k); the law of X itself where theta_z = 0."""
        return _channel(self.P)

    def channel_y(self) -> FloatArray:
        """P(Y = y | Z = z), (m, k)."""
        return _channel(self.Q)

    def distortion(self, cost: FloatArray) -> float:
        """E d(X, Y)."""
        return float((self.P * (cost @ self.channel_y())).sum())


class Search:
    """Plans for one problem with H(Z) <= rate: `best` is the best found so far, `value` its distortion."""

    def __init__(self, p_x: FloatArray, p_y: FloatArray, cost: FloatArray, rate: float) -> None:
        self.p_x, self.p_y, self.cost, self.rate = p_x, p_y, cost, rate
        self.thorough = max(cost.shape) <= MOST_LETTERS
        self.best = Coupling(p_x[:, None], p_y[:, None])  # one letter of Z: feasible at every rate
        self.value = self.best.distortion(cost)
        for plan in (source_as_it_is(p_x, p_y, cost), target_as_it_is(p_x, p_y, cost)):
            self.improve(plan)

    def improve(self, plan: Coupling) -> None:
        """Merge letters of Z until the plan fits the rate, descend from there, and keep what is better.

        The given plan may miss the marginals: its law of Z and its channel to Y are what counts.
        """
        plan = transport(plan, self.p_x, self.p_y, self.cost)
        plan = merged_to(plan, self.cost, self.rate)
        if self.thorough:
            plan = descend(plan, self.p_x, self.p_y, self.cost, self.rate)
        for _ in range(1 if self.thorough else ROUNDS):
            # a linear program meets the marginals to 1e-10, transport to rounding
            plan = transport(plan, self.p_x, self.p_y, self.cost)
        value = plan.distortion(self.cost)
        if value < self.value and entropy(plan.theta) <= self.rate + ROUNDING:
            self.best, self.value = plan, value

    def start_anywhere(self, starts: int, seed: int, end: float) -> None:
        """Descend from random plans, always the same for a seed, until a time of the processor."""
        rng = np.random.default_rng(seed)
        k = max(self.cost.shape)  # Z = X and Z = Y are both possible
        for _ in range(starts if self.thorough else 0):
            if time.process_time() > end:
                break
            self.improve(_start(self.p_x, self.p_y, self.cost, k, rng))


def source_as_it_is(p_x: FloatArray, p_y: FloatArray, cost: FloatArray) -> Coupling:
    """Z = X, and plain optimal transport."""
    return Coupling(np.diag(p_x), optimal_plan(p_x, p_y, cost).T)


def target_as_it_is(p_x: FloatArray, p_y: FloatArray, cost: FloatArray) -> Coupling:
    """Z = Y, and plain optimal transport."""
    return Coupling(optimal_plan(p_x, p_y, cost), np.diag(p_y))


def merged_to(plan: Coupling, cost: FloatArray, rate: float) -> Coupling:
    """The plan with letters of Z merged, two at a time and the cheapest bit first, until H(Z) <= rate.

    The last two are merged in part only: of the letter z' the share t joins z, so that H(Z) is the rate itself.
    """
    P, Q = plan.P, plan.Q
    while P.shape[1] > 1 and entropy(P.sum(0)) > rate:
        theta = np.maximum(P.sum(0), ATOM)
        crossed = P.T @ cost @ Q  # P_z' C Q_z'
        own = np.diag(crossed) / theta
        total = theta[:, None] + theta
        dearer = (np.diag(crossed)[:, None] + np.diag(crossed) + crossed + crossed.T) / total - own[:, None] - own
        bits = theta[:, None] * np.log2(total / theta[:, None])
        price = dearer / (bits + bits.T)
        np.fill_diagonal(price, np.inf)
        into, away = np.unravel_index(int(price.argmin()), price.shape)
        low, high = 0.0, 1.0
        if entropy(_joined(P, into, away, 1.0).sum(0)) <= rate:
            for _ in range(BISECTIONS):
                t = (low + high) / 2
                low, high = (low, t) if entropy(_joined(P, into, away, t).sum(0)) <= rate else (t, high)
        P, Q = _joined(P, into, away, high), _joined(Q, into, away, high)
        if high == 1.0:
            P, Q = np.delete(P, away, 1), np.delete(Q, away, 1)
        else:
            break
    return Coupling(P, Q)


def _joined(joint: FloatArray, into: np.intp, away: np.intp, share: float) -> FloatArray:
    """The joint law where a share of one letter of Z joins another."""
    moved = joint.copy()
    moved[:, into] += share * joint[:, away]
    moved[:, away] -= share * joint[:, away]
    return moved


def _channel(joint: FloatArray) -> FloatArray:
    """The conditional law of the letter given z; the marginal one where z has no mass."""
    theta = joint.sum(0)
    marginal = np.broadcast_to(joint.sum(1)[:, None], joint.shape)
    return np.where(theta > ATOM, joint / np.maximum(theta, ATOM), marginal)


def _start(p_x: FloatArray, p_y: FloatArray, cost: FloatArray, k: int, rng: np.random.Generator) -> Coupling:
    """A random law of Z, a random vertex of the plans with X, transport to Y."""
    theta = rng.dirichlet(np.ones(k))
    P = optimal_plan(p_x, theta, rng.random((p_x.size, k)))
    return Coupling(P, optimal_plan(p_y, theta, cost.T @ _channel(P)))


def descend(
    plan: Coupling, p_x: FloatArray, p_y: FloatArray, cost: FloatArray, rate: float, w: FloatArray = ONE
) -> Coupling:
    """Alternate transport for fixed theta with steps that move theta, until neither lowers the distortion.

    `rate` bounds the entropy of the law of Z, or of (U, Z) where w has several letters.
    """
    value = plan.distortion(cost)
    for _ in range(MAX_STEPS):
        plan = transport(plan, p_x, p_y, cost, w)
        target = _linearised(plan, p_x, p_y, cost, rate, w)
        steps = [Coupling(plan.P + t * (target.P - plan.P), plan.Q + t * (target.Q - plan.Q)) for t in STEP_SIZES]
        plan = min([plan, *steps], key=lambda step: step.distortion(cost))
        before, value = value, plan.distortion(cost)
        if before - value <= IMPROVEMENT:
            break
    return plan


def transport(plan: Coupling, p_x: FloatArray, p_y: FloatArray, cost: FloatArray, w: FloatArray = ONE) -> Coupling:
    """For fixed theta the distortion is linear in P and in Q, each an optimal transport: a round of both."""
    theta = np.where(plan.theta > ATOM, plan.theta, 0).reshape(w.size, -1)
    theta *= (w / theta.sum(1))[:, None]
    costs = np.split(cost @ plan.channel_y(), w.size, axis=1)
    P = np.hstack([optimal_plan(w_u * p_x, law, c) for w_u, law, c in zip(w, theta, costs, strict=True)])
    return Coupling(P, optimal_plan(p_y, theta.ravel(), cost.T @ _channel(P)))


def _linearised(
    plan: Coupling, p_x: FloatArray, p_y: FloatArray, cost: FloatArray, rate: float, w: FloatArray
) -> Coupling:
    """The plan of least linearised distortion among those with sum_z theta'_z log2(1/theta_z) <= R.

    This cross-entropy is the tangent of H at theta and lies above H(theta'): every point between the plan and
    the result satisfies the rate.
    """
    (n, k), m = plan.P.shape, p_y.size
    alpha, beta = plan.channel_x(), plan.channel_y()
    shared = (alpha * (cost @ beta)).sum(0) / 2  # d/d theta_z of P' C Q / theta, half to P and half to Q
    gradient = np.concatenate([(cost @ beta - shared).ravel(), (cost.T @ alpha - shared).ravel()])
    sums_p, sums_q = np.kron(np.eye(n * w.size), np.ones(k // w.size)), np.kron(np.eye(m), np.ones(k))
    laws_p, laws_q = np.tile(np.eye(k), n), np.tile(np.eye(k), m)
    length = np.log2(1 / np.maximum(plan.theta, ATOM))
    program = minimise(
        gradient,
        np.concatenate([length @ laws_p, np.zeros(m * k)])[None, :],
        np.array([max(rate, entropy(plan.theta))]),
        np.block([[sums_p, np.zeros((n * w.size, m * k))], [np.zeros((m, n * k)), sums_q], [laws_p, -laws_q]]),
        np.concatenate([np.outer(p_x, w).ravel(), p_y, np.zeros(k)]),
    )
    return Coupling(program.x[: n * k].reshape(n, k), program.x[n * k :].reshape(m, k))
