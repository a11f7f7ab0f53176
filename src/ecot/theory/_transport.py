"""Optimal transport between finite laws, plain and entropic: the only module that knows POT."""

import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp

from ecot.theory._arguments import FloatArray

MARGINAL_TOLERANCE = 1e-10  # total violation of the marginals by an entropic plan
NEWTON_STEPS = 200
SMALLEST_STEP = 1e-9
RIDGE = 0.1
ROUNDING = 1e-14  # of the dual's value, relative to the potential
# Regularisations tried, relative to the range of costs; a plan of the smallest one costs next to nothing more than
# the optimal one, and the lower bound says how much.
SMALLEST, LARGEST = 1e-5, 1e6
WALK = np.log(4.0)  # from one to the next, towards the rate


@contextmanager
def _without_backends() -> Iterator[None]:
    """POT imports torch, jax and others where it finds them; seconds and a dependency that no bound needs."""
    names = [f"POT_BACKEND_DISABLE_{name}" for name in ("PYTORCH", "JAX", "CUPY", "TENSORFLOW")]
    added = [name for name in names if name not in os.environ]
    os.environ.update(dict.fromkeys(added, "1"))
    try:
        yield
    finally:
        for name in added:
            del os.environ[name]


with _without_backends():
    import ot

_emd: Callable[..., FloatArray] = ot.emd  # POT has no type annotations
_sliced: Callable[..., float] = ot.sliced_wasserstein_distance


def optimal_plan(p: FloatArray, q: FloatArray, cost: FloatArray) -> FloatArray:
    """The plan in Gamma(p, q) of least <cost, plan>, (1); p (n,), q (m,), cost (n, m), result (n, m)."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the network simplex reports failure by a warning
        try:
            return np.asarray(_emd(p, q * (p.sum() / q.sum()), cost, numItermax=10_000_000))
        except UserWarning as problem:
            raise ArithmeticError(f"optimal transport not solved: {problem}") from problem


def sliced_cost(x: FloatArray, y: FloatArray, directions: FloatArray) -> float:
    """Mean over `directions` (d, k) of W2^2 between the laws of x and y, (n, d) and (m, d), projected on them."""
    return float(_sliced(x, y, projections=directions, p=2)) ** 2


def entropic_plan(
    p: FloatArray, q: FloatArray, cost: FloatArray, epsilon: float, g: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """The plan in Gamma(p, q) of least <cost, plan> + epsilon KL(plan | p q'), and its potential of Y, shape (m,).

    Newton's method on the semi-dual, which is concave in g: maximise q.g + p.f with
    f_x = -epsilon log sum_y q_y exp((g_y - cost_xy) / epsilon), from the given g. (At the small regularisations that
    high rates ask for, Sinkhorn's iterations need too many rounds.) ArithmeticError if the marginals are missed.
    """
    logits = np.log(q) - cost / epsilon

    def dual(g: FloatArray) -> tuple[float, FloatArray]:
        exponent = logits + g / epsilon
        normaliser = logsumexp(exponent, axis=1, keepdims=True)
        return float(q @ g - epsilon * (p @ normaliser[:, 0])), np.exp(exponent - normaliser)

    value, channel = dual(g)
    for _ in range(NEWTON_STEPS):
        marginal = p @ channel
        gradient = q - marginal
        violation = float(np.abs(gradient).sum())
        if violation <= MARGINAL_TOLERANCE:
            return p[:, None] * channel, g
        hessian = (np.diag(marginal) - channel.T @ (p[:, None] * channel)) / epsilon
        # adding a constant to g changes nothing; a little more keeps nearly deterministic plans solvable
        hessian += np.ones_like(hessian) * hessian.trace() / q.size**2 + np.diag(
            RIDGE * violation * marginal / epsilon
        )
        step = _solve(hessian, gradient)
        size = 1.0
        while size > SMALLEST_STEP:
            trial, trial_channel = dual(g + size * step)
            if trial >= value + 1e-4 * size * float(gradient @ step) - ROUNDING * np.abs(g).max():
                break
            size /= 2
        g, value, channel = g + size * step, trial, trial_channel
        g = g - q @ g  # a constant in g changes nothing but the rounding
    raise ArithmeticError(f"entropic transport at regularisation {epsilon:g} misses the marginals by {violation:.1e}")


def _solve(hessian: FloatArray, gradient: FloatArray) -> FloatArray:
    """Newton's step; the shortest one where letters of tiny probability make the matrix singular."""
    try:
        return np.asarray(np.linalg.solve(hessian, gradient))
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.lstsq(hessian, gradient)[0])


def information(plan: FloatArray) -> float:
    """I(X;Y) of a joint law (n, m), bits."""
    x, y = np.nonzero(plan > 0)
    joint = plan[x, y]
    return float((joint * (np.log2(joint) - np.log2(plan.sum(1)[x]) - np.log2(plan.sum(0)[y]))).sum())


def informed_plan(p: FloatArray, q: FloatArray, cost: FloatArray, rate: float) -> tuple[FloatArray, float]:
    """The plan in Gamma(p, q) of least <cost, plan> with I <= rate, and a lower bound on that least cost.

    The optimum is an entropic plan whose regularisation epsilon makes I = rate. For any epsilon, the least of
    <cost, plan> + epsilon (KL - rate) is a lower bound (Lagrange); mixing a plan with p q' until I <= rate
    makes it feasible, since I is convex.
    """
    best = optimal_plan(p, q, cost)
    least = float((cost * best).sum())
    product = np.outer(p, q)
    if information(best) <= rate:
        return best, least
    if rate == 0 or np.ptp(cost) == 0:
        return product, float((cost * product).sum())
    epsilon, plan, bits = _regularise(p, q, cost, rate)
    lower = float((cost * plan).sum()) + epsilon * np.log(2) * (bits - rate)
    share = 1 - rate / bits if bits > rate else 0.0
    feasible = (1 - share) * plan + share * product
    return feasible, min(max(lower, least), float((cost * feasible).sum()))


def _regularise(p: FloatArray, q: FloatArray, cost: FloatArray, rate: float) -> tuple[float, FloatArray, float]:
    """The epsilon whose entropic plan has I = rate (or the smallest one tried, where I stays below), plan and I."""
    scale = float(np.ptp(cost))
    g = np.zeros(q.size)

    def solve(log_epsilon: float) -> tuple[FloatArray, float]:
        nonlocal g  # each solution is the next one's starting point
        plan, g = entropic_plan(p, q, cost, float(np.exp(log_epsilon)), g)
        return plan, information(plan)

    low, high = np.log(SMALLEST * scale), np.log(LARGEST * scale)
    log_epsilon = np.log(scale)
    plan, bits = solve(log_epsilon)
    step = WALK if bits > rate else -WALK
    while (bits > rate) == (step > 0) and low < log_epsilon + step < high:  # larger epsilon, less information
        log_epsilon += step
        plan, bits = solve(log_epsilon)
    if (bits > rate) != (step > 0):
        ends = (log_epsilon - step, log_epsilon)
        try:
            log_epsilon = float(brentq(lambda t: solve(t)[1] - rate, *ends, xtol=1e-11))
        except ValueError:  # so few bits that I, solved for again, came out on the other side of the rate
            return float(np.exp(log_epsilon)), plan, bits
        plan, bits = solve(log_epsilon)
    return float(np.exp(log_epsilon)), plan, bits
