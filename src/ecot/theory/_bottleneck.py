"""The one-shot problem without common randomness on finite alphabets (Definition 2): plans and a lower bound.

    D_ncr(R) = min E d(X, Y) over X - Z - Y with the given laws of X and Y and H(Z) <= R.

A plan is a pair of joint laws P = p_XZ (n, k) and Q = p_YZ (m, k) with the same law theta of Z; its
distortion is sum_z P_z' C Q_z / theta_z. The problem is not convex: the search below descends from many
starting points and gives an upper bound; `LargestAtom` gives a lower one.
"""

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import entr

from ecot.theory._arguments import FloatArray
from ecot.theory._linear import InfeasibleError, minimise
from ecot.theory._transport import optimal_plan

STARTS = 24
MAX_STEPS = 200
IMPROVEMENT = 1e-11  # below this, relative to costs of order one, a descent has ended
STEP_SIZES = np.concatenate([[1.0], np.geomspace(0.9, 1e-3, 40)])
ATOM = 1e-13  # an atom of Z with less mass carries nothing
MAX_SPLITS = 60
GAP = 1e-8  # the lower bound stops here, relative to costs of order one
SAFETY = 1e-9  # and allows for the linear programs' own tolerance


@dataclass(frozen=True)
class Plan:
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


def search(p_x: FloatArray, p_y: FloatArray, cost: FloatArray, rate: float) -> Plan:
    """The best plan found with H(Z) <= rate, by descents from STARTS pseudo-random points, always the same."""
    rng = np.random.default_rng(0)
    k = max(p_x.size, p_y.size)  # Z = X and Z = Y are both possible
    plans = (_descend(_start(p_x, p_y, cost, rate, k, rng), p_x, p_y, cost, rate) for _ in range(STARTS))
    best = min(plans, key=lambda plan: plan.distortion(cost))
    return _transport(best, p_x, p_y, cost)  # a linear program meets the marginals to 1e-10, transport to rounding


def entropy(theta: FloatArray) -> float:
    """H in bits."""
    return float(entr(np.maximum(theta, 0)).sum() / np.log(2))


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


@dataclass(frozen=True)
class _Box:
    """a_low <= a <= a_high (n,), b_low <= b <= b_high (m,)."""

    a_low: FloatArray
    a_high: FloatArray
    b_low: FloatArray
    b_high: FloatArray


@dataclass(frozen=True)
class _Relaxed:
    """A box with the value of its linear program, a value attained in it, and cost times the error of each w_xy."""

    box: _Box
    lower: float
    upper: float
    error: FloatArray

    def halves(self) -> tuple[_Box, _Box]:
        """The box cut in two across the coordinate whose width costs most accuracy."""
        box = self.box
        gain_a = self.error.sum(1) * (box.a_high - box.a_low)
        gain_b = self.error.sum(0) * (box.b_high - box.b_low)
        if gain_a.max() >= gain_b.max():
            below, above = _cut(box.a_low, box.a_high, int(gain_a.argmax()))
            return replace(box, a_high=below), replace(box, a_low=above)
        below, above = _cut(box.b_low, box.b_high, int(gain_b.argmax()))
        return replace(box, b_high=below), replace(box, b_low=above)


class LargestAtom:
    """Lower bound on D_ncr(rate): some atom of Z has mass at least mu = `least_largest_atom(rate)`.

    Given that atom X and Y are independent; forgetting the rate for the rest of Z,

        D_ncr >= min a' C b / mu + <C, pi>,  a = p_X - pi 1 >= 0, b = p_Y - pi' 1 >= 0, |a| = |b| = mu, pi >= 0.

    (A larger atom may be split in proportion without changing the value.) a' C b is bounded below by McCormick's
    inequalities on boxes around (a, b), a linear program a box, and the worst box is split until the bound is
    accurate or MAX_SPLITS is reached. For binary sources the bound is (22) itself. Not in the paper.
    """

    def __init__(self, p_x: FloatArray, p_y: FloatArray, cost: FloatArray, rate: float) -> None:
        self.p_x, self.p_y, self.cost = p_x, p_y, cost
        self.mu = least_largest_atom(rate)
        n, m = cost.shape
        # of a matrix w (n, m) laid out in one row: its sums over y and over x, and these again at every (x, y)
        self.sum_y, self.sum_x = np.kron(np.eye(n), np.ones(m)), np.tile(np.eye(m), n)
        self.a_at, self.b_at = np.repeat(self.sum_y, m, axis=0), np.tile(self.sum_x, (n, 1))

    def bound(self) -> float:
        """The least of the boxes' bounds; the boxes cover every (a, b)."""
        rest = 1 - self.mu
        lows = np.maximum(self.p_x - rest, 0), np.maximum(self.p_y - rest, 0)
        highs = np.minimum(self.p_x, self.mu), np.minimum(self.p_y, self.mu)
        boxes = [self._relax(_Box(lows[0], highs[0], lows[1], highs[1]))]
        for _ in range(MAX_SPLITS):
            boxes.sort(key=lambda relaxed: relaxed.lower)
            if boxes[0].upper - boxes[0].lower <= GAP:
                break
            boxes += [self._relax(half) for half in boxes.pop(0).halves()]
        return min(relaxed.lower for relaxed in boxes) - SAFETY

    def _relax(self, box: _Box) -> _Relaxed:
        """McCormick's linear program; variables w = a b' / mu (n, m), then pi (n, m), both by rows."""
        n, m = self.cost.shape
        inequalities: list[FloatArray] = []
        right: list[FloatArray] = []
        for a, b, sign in (
            (box.a_low, box.b_low, 1),
            (box.a_high, box.b_high, 1),
            (box.a_high, box.b_low, -1),
            (box.a_low, box.b_high, -1),
        ):  # sign (mu w_xy - a_x sum_x w - b_y sum_y w + a_x b_y) >= 0
            a_x, b_y = np.repeat(a, m)[:, None], np.tile(b, n)[:, None]
            inequalities.append(-sign * (self.mu * np.eye(n * m) - a_x * self.b_at - b_y * self.a_at))
            right.append(sign * (a_x * b_y)[:, 0])
        inequalities += [np.asarray(sums) for sums in (self.sum_y, -self.sum_y, self.sum_x, -self.sum_x)]
        right += [box.a_high, -box.a_low, box.b_high, -box.b_low]
        on_w = np.vstack(inequalities)
        marginals = np.vstack([np.tile(self.sum_y, 2), np.tile(self.sum_x, 2)])
        mass = np.concatenate([np.ones(n * m), np.zeros(n * m)])
        try:
            program = minimise(
                np.tile(self.cost.ravel(), 2),
                np.hstack([on_w, np.zeros_like(on_w)]),
                np.concatenate(right),
                np.vstack([marginals, mass]),
                np.concatenate([self.p_x, self.p_y, [self.mu]]),
            )
        except InfeasibleError:
            return _Relaxed(box, np.inf, np.inf, np.zeros((n, m)))
        w = program.x[: n * m].reshape(n, m)
        product = w.sum(1)[:, None] * w.sum(0)[None, :] / self.mu
        error = self.cost * (product - w)
        return _Relaxed(box, program.value, program.value + float(error.sum()), np.abs(error))


def _cut(low: FloatArray, high: FloatArray, at: int) -> tuple[FloatArray, FloatArray]:
    """Cut across one coordinate: the upper limits of the lower half, the lower limits of the upper half."""
    below, above = high.copy(), low.copy()
    below[at] = above[at] = (low[at] + high[at]) / 2
    return below, above


def _channel(joint: FloatArray) -> FloatArray:
    """The conditional law of the letter given z; the marginal one where z has no mass."""
    theta = joint.sum(0)
    marginal = np.broadcast_to(joint.sum(1)[:, None], joint.shape)
    return np.where(theta > ATOM, joint / np.maximum(theta, ATOM), marginal)


def _start(p_x: FloatArray, p_y: FloatArray, cost: FloatArray, rate: float, k: int, rng: np.random.Generator) -> Plan:
    """A random law of Z with entropy at most `rate`, a random vertex of the plans with X, transport to Y."""
    theta = rng.dirichlet(np.ones(k))
    low, high = 0.0, 1.0
    for _ in range(50):  # towards one atom until the entropy fits
        share = (low + high) / 2
        mixed = share * theta + (1 - share) * np.eye(k)[0]
        low, high = (share, high) if entropy(mixed) <= rate else (low, share)
    theta = low * theta + (1 - low) * np.eye(k)[0]
    P = optimal_plan(p_x, theta, rng.random((p_x.size, k)))
    return Plan(P, optimal_plan(p_y, theta, cost.T @ _channel(P)))


def _descend(plan: Plan, p_x: FloatArray, p_y: FloatArray, cost: FloatArray, rate: float) -> Plan:
    """Alternate transport for fixed theta with steps that move theta, until neither lowers the distortion."""
    value = plan.distortion(cost)
    for _ in range(MAX_STEPS):
        plan = _transport(plan, p_x, p_y, cost)
        target = _linearised(plan, p_x, p_y, cost, rate)
        steps = [Plan(plan.P + t * (target.P - plan.P), plan.Q + t * (target.Q - plan.Q)) for t in STEP_SIZES]
        plan = min([plan, *steps], key=lambda step: step.distortion(cost))
        before, value = value, plan.distortion(cost)
        if before - value <= IMPROVEMENT:
            break
    return plan


def _transport(plan: Plan, p_x: FloatArray, p_y: FloatArray, cost: FloatArray) -> Plan:
    """For fixed theta the distortion is linear in P and in Q, each an optimal transport: a round of both."""
    theta = np.where(plan.theta > ATOM, plan.theta, 0)
    theta /= theta.sum()
    P = optimal_plan(p_x, theta, cost @ plan.channel_y())
    return Plan(P, optimal_plan(p_y, theta, cost.T @ _channel(P)))


def _linearised(plan: Plan, p_x: FloatArray, p_y: FloatArray, cost: FloatArray, rate: float) -> Plan:
    """The plan of least linearised distortion among those with sum_z theta'_z log2(1/theta_z) <= R.

    This cross-entropy is the tangent of H at theta and lies above H(theta'): every point between the plan and
    the result satisfies the rate.
    """
    (n, k), m = plan.P.shape, p_y.size
    alpha, beta = plan.channel_x(), plan.channel_y()
    shared = (alpha * (cost @ beta)).sum(0) / 2  # d/d theta_z of P' C Q / theta, half to P and half to Q
    gradient = np.concatenate([(cost @ beta - shared).ravel(), (cost.T @ alpha - shared).ravel()])
    sums_p, sums_q = np.kron(np.eye(n), np.ones(k)), np.kron(np.eye(m), np.ones(k))
    laws_p, laws_q = np.tile(np.eye(k), n), np.tile(np.eye(k), m)
    length = np.log2(1 / np.maximum(plan.theta, ATOM))
    program = minimise(
        gradient,
        np.concatenate([length @ laws_p, np.zeros(m * k)])[None, :],
        np.array([max(rate, entropy(plan.theta))]),
        np.block([[sums_p, np.zeros((n, m * k))], [np.zeros((m, n * k)), sums_q], [laws_p, -laws_q]]),
        np.concatenate([p_x, p_y, np.zeros(k)]),
    )
    return Plan(program.x[: n * k].reshape(n, k), program.x[n * k :].reshape(m, k))
