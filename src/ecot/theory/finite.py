"""Any finite source and any cost: X on n letters, Y on m letters, d(x, y) an (n, m) matrix, rates in bits.

| least distortion | one shot | long blocks |
|---|---|---|
| with common randomness | `d_cr` (Definition 3) | `d_cr_asymptotic` (Theorem 7) |
| without | `d_ncr` (Definition 2) | `d_ncr_asymptotic` (Theorem 5) |
| with so many bits of it | `d_limited` | `d_limited_asymptotic` |
| any rate | `transport` (Definition 1) | the same |
| any output law | | `distortion_rate` |

`solve_...` of each returns the plan as well, at one rate; `r_cr` and `r_ncr` are the least rates at a distortion
(19), (20). A cost may have any sign and any offset: f(x) + g(y) only moves the result. Single-letter squared error
has more to it: see `ecot.theory.squared`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from ecot.theory._arguments import (
    FloatArray,
    Values,
    array,
    distribution,
    matrix,
    non_negative,
    number,
    one_rate,
    positive,
    result,
    whole,
)
from ecot.theory._bottleneck import Coupling, Search, source_as_it_is, target_as_it_is
from ecot.theory._branch import BranchAndBound, enough_letters, entropy
from ecot.theory._limited import LimitedSearch, Mixture, alone, as_plan, rounded, together
from ecot.theory._long_blocks import best_coupling
from ecot.theory._maps import MapProgram, is_exact
from ecot.theory._posteriors import posterior_bound
from ecot.theory._problem import Problem
from ecot.theory._results import Bracket, CommonRandomnessSolution, JointLaw, Plan, PlanMixture
from ecot.theory._transport import informed_plan, optimal_plan
from ecot.theory._unconstrained import least_cost

__all__ = [
    "Bracket",
    "CommonRandomnessSolution",
    "JointLaw",
    "Plan",
    "PlanMixture",
    "d_cr",
    "d_cr_asymptotic",
    "d_limited",
    "d_limited_asymptotic",
    "d_ncr",
    "d_ncr_asymptotic",
    "distortion_rate",
    "r_cr",
    "r_ncr",
    "solve_cr",
    "solve_cr_asymptotic",
    "solve_distortion_rate",
    "solve_limited",
    "solve_limited_asymptotic",
    "solve_ncr",
    "solve_ncr_asymptotic",
    "solve_transport",
    "squared_error",
    "transport",
]

MOST_CR_LETTERS = 32  # of either source, for `d_cr`
MOST_ASYMPTOTIC_LETTERS = 256  # of either source, for everything that is not exact
MOST_VARIABLES = 2000  # of a relaxation without common randomness; beyond, a single one takes seconds
MOST_BLOCK_LETTERS = 16  # of either source, for column generation in long blocks
AGREEMENT = 1e-7  # by so much of the largest cost a lower value may exceed an upper one: the solvers' tolerance
FIRST_SHARE = 0.25  # of the time limit, for branching before the random starts
FIRST_STEPS = 30  # of the search for the first letter of Z alone
MOST_STEPS = 1_000_000
MOST_BITS = 30  # of common randomness: what more of them would change is below the solvers' tolerance

Progress = Callable[[int, int], object]


def squared_error(x: ArrayLike, y: ArrayLike) -> FloatArray:
    """The cost d(x, y) = |x - y|^2 between points.

    Parameters
    ----------
    x, y
        Points of the letters of X and of Y: numbers, shapes (n,) and (m,), or vectors, shapes (n, d) and (m, d).

    Returns
    -------
    The matrix of squared distances, shape (n, m).

    Raises
    ------
    ValueError
        For points that are no numbers or of different dimensions.

    Examples
    --------
    >>> squared_error([0, 1, 2], [0, 2])
    array([[0., 4.],
           [1., 1.],
           [4., 0.]])
    """
    X, Y = _points("x", x), _points("y", y)
    if X.shape[1] != Y.shape[1]:
        raise ValueError(f"y: points of {X.shape[1]} coordinates expected, as in x, got {Y.shape[1]}")
    return np.asarray(((X[:, None] - Y) ** 2).sum(2))


def transport(p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike) -> float:
    """Plain optimal transport, D(p_X, p_Y) of Definition 1, (1): min E d(X, Y) over all joint laws.

    Parameters
    ----------
    p_x, p_y
        Probabilities of X and of Y, shapes (n,) and (m,); at most 256 letters each.
    cost
        d(x, y), shape (n, m).

    Returns
    -------
    The distortion: what every curve of this module ends in as the rate grows, with one letter or many.

    Raises
    ------
    ValueError
        For an argument that is no law or no such matrix; the message names it.

    Examples
    --------
    >>> transport([0.5, 0.5], [0.2, 0.8], [[0, 1], [1, 0]])
    0.3
    """
    return solve_transport(p_x, p_y, cost).distortion


def solve_transport(p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike) -> JointLaw:
    """`transport` with the best joint law. Parameters and errors as there.

    Examples
    --------
    >>> solve_transport([0.5, 0.5], [0.2, 0.8], [[0, 1], [1, 0]]).p_xy
    array([[0.2, 0.3],
           [0. , 0.5]])
    """
    problem = Problem(p_x, p_y, cost)
    _check_size(problem, MOST_ASYMPTOTIC_LETTERS)
    plan = optimal_plan(problem.p_x, problem.p_y, problem.cost)
    value = problem.value(float((plan * problem.cost).sum()))
    return JointLaw(value, value, problem.coupling(plan))


def d_cr(p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike, rate: ArrayLike) -> Values:
    """Least distortion with common randomness, D_cr(p_X, p_Y, R) of Definition 3, by the program of A.3.

    min over mixtures p of maps f of sum_f p(f) E d(X, f(X)), with sum_f p(f) H(f(X)) <= R and output law p_Y.

    Parameters
    ----------
    p_x, p_y
        Probabilities of X and of Y, shapes (n,) and (m,); at most 32 letters each. The value is the optimum for up
        to 13 letters of X, and for two letters of Y; for more it is attained by the best mixture found, and
        `solve_cr` says how far from the optimum it may be.
    cost
        d(x, y), shape (n, m).
    rate
        R in bits, a number or an array; inf for no constraint.

    Returns
    -------
    The distortion, of the rate's shape.

    Raises
    ------
    ValueError
        For an argument that is no law, no such matrix or no rate; the message names it.
    ArithmeticError
        If a solver fails.

    Examples
    --------
    >>> round(d_cr([0.7, 0.3], [0.5, 0.5], [[0, 1], [1, 0]], 0.4), 6)
    0.309371
    """
    R, problem = non_negative("rate", rate), _WithCommon(p_x, p_y, cost)
    return _each(lambda r: problem.solve(r).distortion, R)


def solve_cr(p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike, rate: float) -> CommonRandomnessSolution:
    """`d_cr` at one rate, with the mixture of maps and a lower bound. Parameters and errors as there.

    Examples
    --------
    >>> found = solve_cr([0.7, 0.3], [0.5, 0.5], [[0, 1], [1, 0]], 0.4)
    >>> found.maps.tolist()
    [[0, 0], [0, 1], [1, 1]]
    >>> found.probabilities.round(4).tolist()
    [0.1823, 0.4539, 0.3638]
    """
    R = one_rate(rate)
    return _WithCommon(p_x, p_y, cost).solve(R)


def r_cr(p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike, distortion: ArrayLike) -> Values:
    """Least rate with common randomness at a given distortion, R_cr(p_X, p_Y, D) of (20), in bits.

    Parameters
    ----------
    p_x, p_y, cost
        As for `d_cr`.
    distortion
        D, a number or an array, of either sign.

    Returns
    -------
    The rate, of the distortion's shape: 0 where independent letters will do, infinite below plain transport.

    Raises
    ------
    ValueError, ArithmeticError
        As `d_cr`.

    Examples
    --------
    >>> round(r_cr([0.7, 0.3], [0.5, 0.5], [[0, 1], [1, 0]], 0.309371), 4)
    0.4
    """
    D, problem = array("distortion", distortion), _WithCommon(p_x, p_y, cost)
    return _each(problem.least_rate, D)


def d_ncr(
    p_x: ArrayLike,
    p_y: ArrayLike,
    cost: ArrayLike,
    rate: ArrayLike,
    *,
    tolerance: float = 1e-7,
    time_limit: float = 2.0,
    starts: int = 24,
    seed: int = 0,
    progress: Progress | None = None,
) -> Bracket:
    """Least distortion without common randomness, D_ncr(p_X, p_Y, R) of Definition 2, between two bounds.

    min E d(X, Y) over X - Z - Y with the given laws and H(Z) <= R, which is not convex. `upper` is attained by the
    best plan found; `lower`, which holds for every plan, comes from branch and bound, and from `d_cr` in both
    directions. They meet for sources of three or four letters after seconds, as a rule. Each rate starts from the
    plan of the one below it. Source and target may be exchanged: the result is the same,
    but for what the time allows.

    Parameters
    ----------
    p_x, p_y
        Probabilities of X and of Y, shapes (n,) and (m,); at most 256 letters each. Branch and bound takes up to
        about ten letters each, descents 16; beyond, the bracket is made of bounds that scale, as `note` says.
    cost
        d(x, y), shape (n, m).
    rate
        R in bits, a number or an array; inf for no constraint.
    tolerance
        The search ends where upper - lower is less, relative to the largest entry of the cost without its rows' and
        columns' means.
    time_limit
        Seconds of the processor for each rate, after which the bracket is what has been found; the first bounds are
        always computed.
    starts
        Random plans to descend from where branch and bound does not settle the matter before.
    seed
        Of these plans.
    progress
        Called after each rate with the number of rates done and the number of all.

    Returns
    -------
    The bracket, of the rate's shape. Along the rates both its sides fall.

    Raises
    ------
    ValueError
        For an argument that is no law, no such matrix or no rate; the message names it.
    ArithmeticError
        If a solver fails, or if the bounds contradict each other.

    Examples
    --------
    >>> found = d_ncr([0.7, 0.3], [0.5, 0.5], [[0, 1], [1, 0]], [0.4, 0.8])
    >>> found.upper.round(5).tolist(), found.lower.round(5).tolist()
    ([0.43964, 0.27529], [0.43964, 0.27529])
    """
    R = non_negative("rate", rate)
    effort = _Effort(tolerance, time_limit, starts, seed)
    problem = _Without(p_x, p_y, cost)
    found = problem.one_shot(R, effort, progress)
    upper = np.minimum.accumulate([plan.upper for plan in found])
    # what no plan at a higher rate goes below, none at a lower rate does
    lower = np.maximum.accumulate([plan.lower for plan in found][::-1])[::-1]
    lower = np.array([problem.agreeing(low, high) for low, high in zip(lower, upper, strict=True)])
    order = np.argsort(np.argsort(R.ravel(), kind="stable"))
    notes = dict.fromkeys(plan.note for plan in found)
    return Bracket(
        result(np.reshape(upper[order], R.shape)), result(np.reshape(lower[order], R.shape)), " / ".join(notes)
    )


def solve_ncr(
    p_x: ArrayLike,
    p_y: ArrayLike,
    cost: ArrayLike,
    rate: float,
    *,
    tolerance: float = 1e-7,
    time_limit: float = 2.0,
    starts: int = 24,
    seed: int = 0,
) -> Plan:
    """`d_ncr` at one rate, with the plan that attains the upper value. Parameters and errors as there.

    Examples
    --------
    >>> plan = solve_ncr([0.7, 0.3], [0.5, 0.5], [[0, 1], [1, 0]], 0.4)
    >>> round(plan.entropy, 6)
    0.4
    >>> plan.p_z.round(4).tolist()
    [0.9206, 0.0794]
    """
    R = one_rate(rate)
    return _Without(p_x, p_y, cost).one_shot(np.array(R), _Effort(tolerance, time_limit, starts, seed), None)[0]


def r_ncr(
    p_x: ArrayLike,
    p_y: ArrayLike,
    cost: ArrayLike,
    distortion: ArrayLike,
    *,
    resolution: float = 1e-3,
    time_limit: float = 0.5,
) -> Bracket:
    """Least rate without common randomness at a given distortion, R_ncr(p_X, p_Y, D) of (19), between two bounds.

    Parameters
    ----------
    p_x, p_y, cost
        As for `d_ncr`.
    distortion
        D, a number or an array, of either sign.
    resolution
        Bits to which either side is searched, by halving.
    time_limit
        Seconds of the processor for each rate that is tried: about log2(largest rate / resolution) of them for each
        distortion.

    Returns
    -------
    A bracket of the distortion's shape: at `upper` a plan with this distortion was found, below `lower` there is
    none. 0 where independent letters will do, infinite below plain transport.

    Raises
    ------
    ValueError, ArithmeticError
        As `d_ncr`.

    Examples
    --------
    >>> found = r_ncr([0.7, 0.3], [0.5, 0.5], [[0, 1], [1, 0]], 0.439641)
    >>> found.upper - found.lower < 2e-3, round(found.upper, 2)
    (True, 0.4)
    """
    D, problem = array("distortion", distortion), _Without(p_x, p_y, cost)
    step = positive("resolution", resolution)
    found = [problem.least_rates(float(d), step, _Effort(1e-7, time_limit, 8, 0)) for d in D.flat]
    upper, lower = (np.reshape([pair[i] for pair in found], D.shape) for i in (0, 1))
    return Bracket(
        result(upper), result(lower), "rates at which the bracket of d_ncr lies below or above the distortion"
    )


def d_limited(
    p_x: ArrayLike,
    p_y: ArrayLike,
    cost: ArrayLike,
    rate: float,
    bits: ArrayLike,
    *,
    tolerance: float = 1e-7,
    time_limit: float = 2.0,
    starts: int = 8,
    seed: int = 0,
    progress: Progress | None = None,
) -> Bracket:
    """Least distortion with k fair bits of common randomness, between two bounds; not in the paper.

    min (1/2^k) sum_u E d(X, Y_u) over 2^k plans X - Z_u - Y_u, one for each value u of the shared bits, with
    (1/2^k) sum_u H(Z_u) <= R and output law p_Y on the average over u. It is `d_ncr` for k = 0, falls with k (a
    mixture may name each of its plans twice), and tends to `d_cr`, which mixes with any weights.

    `upper` is attained by the best mixture found. `lower` is that of `d_ncr` for k = 0 and `d_cr` otherwise, since
    any mixture of plans is one of Definition 3. A few bits need not attain it: the bracket may be open. Two more
    bounds hold and have not been seen above `d_cr`, hence are not computed: `d_ncr` at rate R + k, since V = (U, Z)
    is a plan with H(V) <= R + k; and `d_limited_asymptotic` at R_c = k, since I(X;V) = I(X;Z|U) <= R, U being
    independent of X, and I(Y;V) <= H(V) <= R + k.

    Parameters
    ----------
    p_x, p_y
        Probabilities of X and of Y, shapes (n,) and (m,); at most 32 letters each.
    cost
        d(x, y), shape (n, m).
    rate
        R in bits, one number; inf for no constraint.
    bits
        k, a whole number or an array of them; inf for `d_cr`.
    tolerance
        The search ends where upper - lower is less, relative to the largest entry of the cost without its rows' and
        columns' means.
    time_limit
        Seconds of the processor for `d_ncr`, and for the search at each number of bits.
    starts
        Random mixtures to descend from.
    seed
        Of these.
    progress
        Called after each number of bits with the number of them done and of all.

    Returns
    -------
    The bracket, of the shape of `bits`. Along the bits both its sides fall.

    Raises
    ------
    ValueError
        For an argument that is no law, no such matrix, no rate or no number of bits; the message names it.
    ArithmeticError
        If a solver fails, or if the bounds contradict each other.

    Examples
    --------
    >>> found = d_limited([0.5, 0.5], [0.5, 0.5], [[0, 1], [1, 0]], 0.5, [0, 1, 2])
    >>> found.upper.round(4).tolist(), found.lower.round(4).tolist()
    ([0.4382, 0.25, 0.25], [0.4382, 0.25, 0.25])
    """
    R, k = one_rate(rate), _bits(bits)
    found = _Limited(p_x, p_y, cost).solve(R, np.unique(k), _Effort(tolerance, time_limit, starts, seed), progress)
    where = np.unique(k, return_inverse=True)[1].reshape(k.shape)
    upper = np.minimum.accumulate([mixture.upper for mixture in found])
    # what no mixture of more plans goes below, none of fewer does
    lower = np.maximum.accumulate([mixture.lower for mixture in found][::-1])[::-1]
    notes = dict.fromkeys(mixture.note for mixture in found)
    return Bracket(result(upper[where]), result(np.minimum(lower, upper)[where]), " / ".join(notes))


def solve_limited(
    p_x: ArrayLike,
    p_y: ArrayLike,
    cost: ArrayLike,
    rate: float,
    bits: float,
    *,
    tolerance: float = 1e-7,
    time_limit: float = 2.0,
    starts: int = 8,
    seed: int = 0,
) -> PlanMixture:
    """`d_limited` at one number of bits, with the plans. Parameters and errors as there.

    Examples
    --------
    >>> found = solve_limited([0.5, 0.5], [0.5, 0.5], [[0, 1], [1, 0]], 0.5, 1)
    >>> found.weights.tolist(), round(found.entropy, 6)
    ([0.5, 0.5], 0.5)
    """
    R, k = one_rate(rate), _bits(number("bits", bits, 0, np.inf))
    return _Limited(p_x, p_y, cost).solve(R, k.reshape(1), _Effort(tolerance, time_limit, starts, seed), None)[0]


def d_cr_asymptotic(p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike, rate: ArrayLike) -> Values:
    """Least distortion of long blocks with common randomness (Theorem 7): min E d(X, Y) with I(X;Y) <= R.

    An entropic optimal transport whose regularisation is searched for I = R. For equal laws this is the
    rate-distortion-perception function at perfect perceptual quality, read as distortion over rate.

    Parameters
    ----------
    p_x, p_y
        Probabilities of X and of Y, shapes (n,) and (m,); at most 256 letters each.
    cost
        d(x, y), shape (n, m).
    rate
        R in bits per letter, a number or an array; inf for no constraint.

    Returns
    -------
    The distortion, of the rate's shape.

    Raises
    ------
    ValueError
        For an argument that is no law, no such matrix or no rate; the message names it.
    ArithmeticError
        If the solver fails.

    Examples
    --------
    >>> round(d_cr_asymptotic([0.5, 0.5], [0.5, 0.5], [[0, 1], [1, 0]], 0.5), 6)  # Hb^-1(1 - R)
    0.110028
    """
    R, problem = non_negative("rate", rate), _Without(p_x, p_y, cost)
    return _each(lambda r: problem.with_common(r).distortion, R)


def solve_cr_asymptotic(p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike, rate: float) -> JointLaw:
    """`d_cr_asymptotic` at one rate, with the joint law and a lower bound. Parameters and errors as there.

    Examples
    --------
    >>> solve_cr_asymptotic([0.5, 0.5], [0.5, 0.5], [[0, 1], [1, 0]], 0.5).p_xy.round(3)
    array([[0.445, 0.055],
           [0.055, 0.445]])
    """
    R = one_rate(rate)
    return _Without(p_x, p_y, cost).with_common(R)


def d_ncr_asymptotic(p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike, rate: ArrayLike) -> Bracket:
    """Least distortion of long blocks without common randomness (Theorem 5), between two bounds.

    min E d(X, Y) over X - Z - Y with max{I(X;Z), I(Y;Z)} <= R. `upper` is attained; it comes from a linear program
    whose columns are searched until it is within 1e-5 of the largest cost of what the search believes to be the
    optimum, and was the optimum wherever one is known. `lower` holds for every plan: the asymptotic value with common
    randomness, or a bound from how far X and Y can be known from Z, which is exact for fair bits.

    Parameters
    ----------
    p_x, p_y
        Probabilities of X and of Y, shapes (n,) and (m,); at most 256 letters each. Beyond 16 letters `upper` is
        that of a one-shot plan, as `note` says.
    cost, rate
        As for `d_cr_asymptotic`.

    Returns
    -------
    The bracket, of the rate's shape.

    Raises
    ------
    ValueError, ArithmeticError
        As `d_ncr`.

    Examples
    --------
    >>> found = d_ncr_asymptotic([0.5, 0.5], [0.5, 0.5], [[0, 1], [1, 0]], 0.5)  # 2 h (1 - h), h = Hb^-1(1 - R)
    >>> round(found.upper, 5), round(found.lower, 5)
    (0.19584, 0.19584)
    """
    R, problem = non_negative("rate", rate), _Without(p_x, p_y, cost)
    found = [problem.long_blocks(float(r)) for r in R.flat]
    upper, lower = (np.reshape([getattr(plan, side) for plan in found], R.shape) for side in ("upper", "lower"))
    return Bracket(result(upper), result(lower), " / ".join(dict.fromkeys(plan.note for plan in found)))


def solve_ncr_asymptotic(p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike, rate: float) -> Plan:
    """`d_ncr_asymptotic` at one rate, with the plan that attains the upper value. Parameters and errors as there.

    Examples
    --------
    >>> plan = solve_ncr_asymptotic([0.5, 0.5], [0.5, 0.5], [[0, 1], [1, 0]], 0.5)
    >>> [round(bits, 4) for bits in plan.information]
    [0.5, 0.5]
    """
    R = one_rate(rate)
    return _Without(p_x, p_y, cost).long_blocks(R)


def d_limited_asymptotic(
    p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike, rate: float, common_rate: ArrayLike
) -> Bracket:
    """Least distortion of long blocks with R_c bits of common randomness per letter, between two bounds.

    min E d(X, Y) over X - V - Y with I(X;V) <= R and I(Y;V) <= R + R_c: the region of Saldi, Linder and Yuksel,
    "Output constrained lossy source coding with limited common randomness" (2015). At R_c = 0 it is Theorem 5; from
    R + R_c >= H(Y) on, where V = Y is allowed, it is Theorem 7. Not in the paper, which leaves the question open.

    `upper` is attained, by the linear program of `d_ncr_asymptotic`; `lower` holds for every V: `d_cr_asymptotic`,
    since I(X;Y) <= I(X;V), or how far X can be known from R bits and Y from R + R_c.

    Parameters
    ----------
    p_x, p_y
        Probabilities of X and of Y, shapes (n,) and (m,); at most 256 letters each. Beyond 16 letters `upper` is the
        better one of Z = Y part of the time and of a one-shot plan without common randomness, as `note` says.
    cost
        d(x, y), shape (n, m).
    rate
        R in bits per letter, one number; inf for no constraint.
    common_rate
        R_c in bits per letter, a number or an array; inf for no limit.

    Returns
    -------
    The bracket, of the common rate's shape. Along it both sides fall.

    Raises
    ------
    ValueError, ArithmeticError
        As `d_ncr`.

    Examples
    --------
    >>> found = d_limited_asymptotic([0.5, 0.5], [0.5, 0.5], [[0, 1], [1, 0]], 0.5, [0, 0.2, 0.5])
    >>> found.upper.round(4).tolist(), found.lower.round(4).tolist()  # (1 - (1 - 2 h(R)) (1 - 2 h(R + R_c))) / 2
    ([0.1958, 0.1516, 0.11], [0.1958, 0.1516, 0.11])
    """
    R, common = one_rate(rate), non_negative("common_rate", common_rate)
    problem = _Without(p_x, p_y, cost)
    rates, where = np.unique(common, return_inverse=True)
    found = [problem.long_blocks(R, float(c)) for c in rates]
    upper = np.minimum.accumulate([plan.upper for plan in found])[where].reshape(common.shape)
    lower = np.maximum.accumulate([plan.lower for plan in found][::-1])[::-1][where].reshape(common.shape)
    return Bracket(
        result(upper), result(np.minimum(lower, upper)), " / ".join(dict.fromkeys(plan.note for plan in found))
    )


def solve_limited_asymptotic(
    p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike, rate: float, common_rate: float
) -> Plan:
    """`d_limited_asymptotic` at one common rate, with the plan, whose Z is V. Parameters and errors as there.

    Examples
    --------
    >>> plan = solve_limited_asymptotic([0.5, 0.5], [0.5, 0.5], [[0, 1], [1, 0]], 0.5, 0.2)
    >>> [round(bits, 4) for bits in plan.information]
    [0.5, 0.7]
    """
    R, common = one_rate(rate), number("common_rate", common_rate, 0, np.inf)
    return _Without(p_x, p_y, cost).long_blocks(R, common)


def distortion_rate(p_x: ArrayLike, cost: ArrayLike, rate: ArrayLike) -> Values:
    """The plain distortion-rate function: min E d(X, Y) with I(X;Y) <= R and any law of Y on its letters.

    Parameters
    ----------
    p_x
        Probabilities of X, shape (n,).
    cost
        d(x, y), shape (n, m).
    rate
        R in bits per letter, a number or an array; inf for no constraint.

    Returns
    -------
    The distortion, of the rate's shape: never above `d_cr_asymptotic` for any law of Y.

    Raises
    ------
    ValueError
        For an argument that is no law, no such matrix or no rate; the message names it.

    Examples
    --------
    >>> round(distortion_rate([0.5, 0.5], [[0, 1], [1, 0]], 0.5), 6)  # fair bits: R = 1 - Hb(D)
    0.110028
    """
    R = non_negative("rate", rate)
    return _each(lambda r: solve_distortion_rate(p_x, cost, r).distortion, R)


def solve_distortion_rate(p_x: ArrayLike, cost: ArrayLike, rate: float) -> JointLaw:
    """`distortion_rate` at one rate, with the joint law and a lower bound. Parameters and errors as there.

    Examples
    --------
    >>> found = solve_distortion_rate([0.8, 0.2], [[0, 1], [1, 0]], 0.2)
    >>> found.p_xy.sum(0).round(3).tolist()  # the law of Y is not that of X
    [0.892, 0.108]
    """
    R, p = one_rate(rate), distribution("p_x", p_x)
    d = array("cost", cost)
    if d.ndim != 2 or d.shape[0] != p.size or d.shape[1] == 0:
        raise ValueError(f"cost: shape ({p.size}, m) expected, got {d.shape}")
    d = matrix("cost", d, (p.size, d.shape[1]))
    kept = p > 0
    least = d.min(1, keepdims=True)
    scale = float(np.ptp(d - least)) or 1.0
    joint, lower = least_cost(p[kept], (d - least)[kept] / scale, R)
    p_xy = np.zeros_like(d)
    p_xy[kept] = joint
    offset = float(p @ least[:, 0])
    return JointLaw(float((joint * (d - least)[kept]).sum()) + offset, lower * scale + offset, p_xy)


class _WithCommon:
    """The problem of `d_cr`, its letters in the caller's order of probability; maps found for one rate serve
    others."""

    def __init__(self, p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike) -> None:
        self.problem = Problem(p_x, p_y, cost, merge=False)
        _check_size(self.problem, MOST_CR_LETTERS)
        self.cheapest = array("cost", cost).argmin(1)
        self.program = MapProgram(self.problem.p_x, self.problem.p_y, self.problem.cost)

    def solve(self, rate: float) -> CommonRandomnessSolution:
        problem, program = self.problem, self.program
        p, value, lower = program.solve(min(rate, np.log2(problem.p_y.size)))  # H(f(X)) <= log2 m
        note = "optimum of the linear program over all maps, and its dual"
        if not program.exact:
            lower = informed_plan(problem.p_x, problem.p_y, problem.cost, rate)[1]
            note = "best mixture of the maps found, and the value of long blocks (Theorem 7)"
        active = p > 1e-12
        # a letter that X never takes may go anywhere: to the cheapest output
        maps = np.tile(self.cheapest, (int(active.sum()), 1))
        x, y = problem.letters_x.group, problem.letters_y.group
        output = np.argsort(np.where(y < 0, y.size, y), kind="stable")  # the caller's letter of each reduced one
        maps[:, x >= 0] = output[program.maps[active]][:, x[x >= 0]]
        return CommonRandomnessSolution(
            problem.value(value), problem.value(_agreeing(lower, value)), note, maps, p[active] / p[active].sum()
        )

    def least_rate(self, distortion: float) -> float:
        problem = self.problem
        scaled = (distortion - problem.offset) / problem.scale
        if scaled >= float(problem.p_x @ problem.cost @ problem.p_y):
            return 0.0
        plan = optimal_plan(problem.p_x, problem.p_y, problem.cost)
        if scaled < float((plan * problem.cost).sum()) - _rounding(problem):
            return np.inf
        return max(self.program.least_rate(scaled), 0.0)


class _Effort:
    """How long to search for a plan, and how closely."""

    def __init__(self, tolerance: float, time_limit: float, starts: int, seed: int) -> None:
        self.tolerance = number("tolerance", tolerance, 0)
        self.seconds = positive("time_limit", time_limit, np.inf)
        self.starts, self.seed = whole("starts", starts), whole("seed", seed)


QUICK = _Effort(1e-7, 0.5, 4, 0)  # for what a rounded mixture of maps leaves over


class _Limited:
    """The problem of `d_limited`; not symmetric, since U is independent of X."""

    def __init__(self, p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike) -> None:
        self.problem = Problem(p_x, p_y, cost)
        _check_size(self.problem, MOST_CR_LETTERS)
        self.p_x, self.p_y, self.cost = self.problem.p_x, self.problem.p_y, self.problem.cost
        self.without = _Without(self.p_x, self.p_y, self.cost)

    def solve(self, rate: float, bits: FloatArray, effort: _Effort, progress: Progress | None) -> list[PlanMixture]:
        """A mixture for each number of bits in rising order, each search starting from the mixture before."""
        rate = min(rate, entropy(self.p_x))  # at which X is sent as it is
        common = solve_cr(self.p_x, self.p_y, self.cost, rate)
        without = self.without.one_shot(np.array(rate), effort, None)[0]
        best = alone(_coupling(without))
        mixtures: list[PlanMixture] = []
        for k in bits:
            lower, note = common.lower_bound, "upper: best of the descents; lower: common randomness (d_cr)"
            if k == 0:
                lower, note = without.lower, without.note
            elif np.isinf(k):
                maps = [as_plan(f, self.p_x, self.p_y.size) for f in common.maps]
                best, note = together(list(zip(common.probabilities.tolist(), maps, strict=True))), common.note
            elif lower < best.plan.distortion(self.cost) - effort.tolerance:
                best = self._search(rate, int(k), common, best, effort)
            mixtures.append(self._mixture(best, lower, note))
            if progress:
                progress(len(mixtures), len(bits))
        return mixtures

    def _search(
        self, rate: float, bits: int, common: CommonRandomnessSolution, known: Mixture, effort: _Effort
    ) -> Mixture:
        end = time.process_time() + effort.seconds
        search = LimitedSearch(self.p_x, self.p_y, self.cost, rate, bits, known)
        search.improve(rounded(common.maps, common.probabilities, self.p_x, self.p_y, rate, bits, self._leftover))
        if common.lower_bound < search.value - effort.tolerance:
            search.start_anywhere(common.maps, common.probabilities, effort.starts, effort.seed, end)
        return search.best

    def _leftover(self, law: FloatArray, rate: float) -> Coupling:
        """A plan without common randomness for what a rounded mixture of maps leaves over."""
        return _coupling(_Without(self.p_x, law, self.cost).one_shot(np.array(rate), QUICK, None)[0])

    def _mixture(self, mixture: Mixture, lower: float, note: str) -> PlanMixture:
        """In the caller's letters and units."""
        problem, plan, g = self.problem, mixture.plan, mixture.w.size
        value = plan.distortion(self.cost)
        P, Q = (
            np.stack(np.split(letters.spread(joint), g, axis=1)) / mixture.w[:, None, None]
            for letters, joint in ((problem.letters_x, plan.P), (problem.letters_y, plan.Q))
        )
        bounds = problem.value(value), problem.value(_agreeing(lower, value, _rounding(problem)))
        return PlanMixture(*bounds, note, mixture.w, P, Q)


class _Without:
    """The problems that are symmetric in source and target, in their standard direction."""

    def __init__(self, p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike) -> None:
        problem = Problem(p_x, p_y, cost)
        self.exchanged = problem.exchanged
        self.problem = Problem(p_y, p_x, array("cost", cost).T) if self.exchanged else problem
        _check_size(self.problem, MOST_ASYMPTOTIC_LETTERS)
        self.p_x, self.p_y, self.cost = self.problem.p_x, self.problem.p_y, self.problem.cost
        n, m = self.cost.shape
        self.branching = n * m * enough_letters(n, m) <= MOST_VARIABLES
        self._directions: list[MapProgram] | None = None

    def one_shot(self, R: FloatArray, effort: _Effort, progress: Progress | None) -> list[Plan]:
        """A plan for each rate in rising order, each search starting from the plan before."""
        plans: list[Plan] = []
        warm: Coupling | None = None
        for rate in np.sort(R, axis=None):
            warm, lower, note = self._one_shot(float(rate), effort, warm)
            plans.append(self._plan(warm, lower, note))
            if progress:
                progress(len(plans), R.size)
        return plans

    def _one_shot(self, rate: float, effort: _Effort, warm: Coupling | None) -> tuple[Coupling, float, str]:
        """The best plan found, a lower bound, and what the two are."""
        end = time.process_time() + effort.seconds
        for p, as_it_is in ((self.p_x, source_as_it_is), (self.p_y, target_as_it_is)):
            if entropy(p) <= rate:
                plan = as_it_is(self.p_x, self.p_y, self.cost)
                return plan, plan.distortion(self.cost), "exact: plain transport, a source is sent as it is"
        search = Search(self.p_x, self.p_y, self.cost, rate)
        if rate == 0:
            return search.best, search.value, "exact: independent letters"
        if warm:
            search.improve(warm)
        lower, origin = self._without_branching(rate)
        trees = [
            BranchAndBound(self.p_x, self.p_y, self.cost, rate, first) for first in (True, False) if self.branching
        ]
        half_time = end - (1 - FIRST_SHARE) * effort.seconds
        for until, starts in ((half_time, effort.starts), (end, 0)):
            for tree, steps in zip(trees, (FIRST_STEPS, MOST_STEPS), strict=False):
                if lower < search.value - effort.tolerance:
                    # the first letter alone is searched whatever the time
                    _branch(tree, search, effort.tolerance, steps, np.inf if tree.first_only else until)
                    if tree.lower > lower:
                        lower, origin = tree.lower, "branch and bound"
            if lower < search.value - effort.tolerance:
                search.start_anywhere(starts, effort.seed, end)
        found = "best of the descents" if search.thorough else "merged from plain transport"
        return search.best, lower, f"upper: {found}; lower: {origin}"

    def _without_branching(self, rate: float) -> tuple[float, str]:
        """The largest of the other lower bounds: common randomness in either direction, long blocks, posteriors."""
        if self._directions is None:
            sides = ((self.p_x, self.p_y, self.cost), (self.p_y, self.p_x, self.cost.T))
            small = max(self.cost.shape) <= MOST_CR_LETTERS or min(self.cost.shape) <= 2
            self._directions = [MapProgram(*side) for side in sides if small and is_exact(*side[2].shape)]
        bounds = []
        for program in self._directions:
            try:
                bounds.append((program.solve(min(rate, np.log2(program.p_y.size)))[2], "common randomness (d_cr)"))
            except ArithmeticError:  # a stalled program takes nothing from the other bounds
                continue
        if not self.branching or not bounds:
            plan = informed_plan(self.p_x, self.p_y, self.cost, rate)
            bounds.append((plan[1], "common randomness in long blocks (d_cr_asymptotic)"))
            bounds.append((posterior_bound(self.p_x, self.p_y, self.cost, rate), "posteriors"))
        return max(bounds)

    def agreeing(self, lower: float, upper: float) -> float:
        """`_agreeing` in the caller's units."""
        problem = self.problem
        low, high = ((value - problem.offset) / problem.scale for value in (lower, upper))
        _agreeing(low, high, _rounding(problem))
        return min(lower, upper)

    def least_rates(self, distortion: float, step: float, effort: _Effort) -> tuple[float, float]:
        """The least rate at which a plan was found, and the largest below which there is none."""
        scaled = (distortion - self.problem.offset) / self.problem.scale
        slack = _rounding(self.problem)
        if scaled >= float(self.p_x @ self.cost @ self.p_y) - slack:
            return 0.0, 0.0
        if scaled < source_as_it_is(self.p_x, self.p_y, self.cost).distortion(self.cost) - slack:
            return np.inf, np.inf
        most = min(entropy(self.p_x), entropy(self.p_y))
        known: dict[float, tuple[float, float]] = {}

        def bracket(rate: float) -> tuple[float, float]:
            if rate not in known:
                plan, lower, _ = self._one_shot(rate, effort, None)
                known[rate] = plan.distortion(self.cost), lower
            return known[rate]

        ends = []
        for side in (0, 1):  # where the upper value falls to the distortion, and where the lower one does
            low, high = 0.0, most
            while high - low > step:
                rate = (low + high) / 2
                low, high = (low, rate) if bracket(rate)[side] <= scaled + slack else (rate, high)
            ends.append((low, high))
        return ends[0][1], ends[1][0]

    def with_common(self, rate: float) -> JointLaw:
        plan, lower = informed_plan(self.p_x, self.p_y, self.cost, rate)
        value = float((plan * self.cost).sum())
        p_xy = self.problem.coupling(plan)
        bounds = self.problem.value(value), self.problem.value(_agreeing(lower, value))
        return JointLaw(*bounds, p_xy.T if self.exchanged else p_xy)

    def long_blocks(self, rate: float, common_rate: float = 0.0) -> Plan:
        """I(X;Z) <= rate, I(Y;Z) <= rate + common_rate."""
        at_most = (rate + common_rate, rate) if self.exchanged else (rate, rate + common_rate)
        sources = self.p_x, self.p_y
        for p, as_it_is in zip(sources, (source_as_it_is, target_as_it_is), strict=True):
            if entropy(p) <= rate:
                plan = as_it_is(self.p_x, self.p_y, self.cost)
                return self._plan(
                    plan, plan.distortion(self.cost), "exact: plain transport, a source is sent as it is"
                )
        search = Search(self.p_x, self.p_y, self.cost, rate)
        if rate == 0:
            return self._plan(search.best, search.value, "exact: independent letters")
        with_common = informed_plan(self.p_x, self.p_y, self.cost, rate)[1]
        best, note = search.best, "upper: a one-shot plan"
        if common_rate > 0:
            erased = self._erased(rate, common_rate)
            if erased.distortion(self.cost) < search.value:
                best, note = erased, "upper: the source that common randomness helps, sent part of the time"
            if entropy(sources[0 if self.exchanged else 1]) <= rate + common_rate:  # Z = Y all the time
                return self._plan(best, with_common, "exact: as with unlimited common randomness")
        if max(self.cost.shape) <= MOST_BLOCK_LETTERS:
            best, note = best_coupling(best, self.p_x, self.p_y, self.cost, at_most), "upper: column generation"
        lower, origin = max(
            (posterior_bound(self.p_x, self.p_y, self.cost, *at_most), "posteriors"),
            (with_common, "common randomness (d_cr_asymptotic)"),
        )
        return self._plan(best, lower, f"{note}; lower: {origin}")

    def _erased(self, rate: float, common_rate: float) -> Coupling:
        """Z is Y for a share of the time, as I(Y;Z) allows, and says nothing otherwise."""
        source, target, cost = self.p_x, self.p_y, self.cost
        if self.exchanged:
            source, target, cost = target, source, cost.T
        share = min((rate + common_rate) / entropy(target), 1.0)
        joint = informed_plan(source, target, cost, rate / share)[0]
        P = np.column_stack([share * joint, (1 - share) * source])
        Q = np.column_stack([share * np.diag(joint.sum(0)), (1 - share) * target])
        return Coupling(Q, P) if self.exchanged else Coupling(P, Q)

    def _plan(self, plan: Coupling, lower: float, note: str) -> Plan:
        """In the caller's letters and units."""
        value = plan.distortion(self.cost)
        P, Q = self.problem.letters_x.spread(plan.P), self.problem.letters_y.spread(plan.Q)
        carried = plan.theta > 0
        P, Q = P[:, carried], Q[:, carried]
        return Plan(
            self.problem.value(value),
            self.problem.value(_agreeing(lower, value)),
            note,
            *((Q, P) if self.exchanged else (P, Q)),
        )


def _branch(tree: BranchAndBound, search: Search, tolerance: float, most: int, end: float) -> None:
    """Branch until the bound meets the best plan or the time is over; descend from the laws that turn up."""
    for step in range(most):
        if step & (step + 1) == 0:  # before the steps 1, 2, 4, 8, ...
            W = tree.next_laws()
            if W is not None:
                search.improve(Coupling(W.sum(2).T, W.sum(1).T))
        if time.process_time() > end or not tree.step(search.value, tolerance):
            break


def _agreeing(lower: float, upper: float, rounding: float = 0.0) -> float:
    """The lower value, which the solvers' tolerance may put above the upper one, but no more than that."""
    if lower > upper + AGREEMENT + rounding:
        raise ArithmeticError(f"bounds contradict each other: {lower:.12g} from below, {upper:.12g} attained")
    return min(lower, upper)


def _rounding(problem: Problem) -> float:
    """What the rounding of a distortion in the caller's units may be in scaled ones, and the solvers' own."""
    return 1e-12 + 16 * problem.rounding / problem.scale


def _coupling(plan: Plan) -> Coupling:
    return Coupling(plan.p_xz, plan.p_yz)


def _bits(bits: ArrayLike) -> FloatArray:
    """Whole numbers of shared bits, or infinite ones."""
    found = non_negative("bits", bits)
    for value in found[np.isfinite(found)]:
        if value != round(value) or value > MOST_BITS:
            raise ValueError(f"bits: a whole number of at most {MOST_BITS}, or inf, expected, got {value:g}")
    return found


def _each(solve: Callable[[float], float], values: FloatArray) -> Values:
    """A solver for one value applied to every entry."""
    return result(np.reshape([solve(float(value)) for value in values.flat], values.shape))


def _points(name: str, points: ArrayLike) -> FloatArray:
    """Points as rows, shape (letters, d)."""
    found = array(name, points)
    if found.ndim not in (1, 2) or found.size == 0 or not np.isfinite(found).all():
        raise ValueError(f"{name}: finite points expected, shape (letters,) or (letters, d), got {found.shape}")
    return found if found.ndim == 2 else found[:, None]


def _check_size(problem: Problem, most: int) -> None:
    for name, size in zip(("p_x", "p_y"), problem.cost.shape, strict=True):
        if size > most:
            raise ValueError(f"{name}: at most {most} letters of positive probability, got {size}")
