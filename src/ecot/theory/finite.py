"""Any finite source and any cost: X on n letters, Y on m letters, d(x, y) an (n, m) matrix, rates in bits."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ecot.theory._arguments import FloatArray, Values, distribution, matrix, non_negative, number, result
from ecot.theory._bottleneck import ATOM, LargestAtom, Plan, entropy, search
from ecot.theory._long_blocks import least_distortion
from ecot.theory._maps import IntArray, MapProgram
from ecot.theory._transport import informed_plan, optimal_plan

NEVER = 1e-14  # letters with less probability change no result beyond its rounding, and are left out


@dataclass(frozen=True)
class CommonRandomnessSolution:
    """The solution of the linear program of A.3 at one rate.

    With probability probabilities[k] the shared randomness picks the map x -> maps[k, x]; this attains
    `distortion`, and no mixture of maps goes below `lower_bound` (linear programming duality). At most m + 1
    maps.
    """

    distortion: float
    lower_bound: float
    maps: IntArray
    probabilities: FloatArray


@dataclass(frozen=True)
class Bracket:
    """A distortion between two numbers, each of the rate's shape.

    `upper` is attained by a plan that was found, `lower` holds for every plan.
    """

    upper: Values
    lower: Values


@dataclass(frozen=True)
class NoCommonRandomnessSolution:
    """A plan X - Z - Y with H(Z) <= R, and how good it is at best.

    p_xz (n, k) and p_yz (m, k) are the joint laws of X and Z and of Y and Z; they attain `upper`, and no plan
    goes below `lower`. The encoder draws Z by p_xz / p_x, the decoder Y by p_yz / p_z.
    """

    upper: float
    lower: float
    p_xz: FloatArray
    p_yz: FloatArray

    @property
    def p_z(self) -> FloatArray:
        """Law of Z, shape (k,)."""
        return np.asarray(self.p_xz.sum(0))


@dataclass(frozen=True)
class AsymptoticSolution:
    """A joint law p_xy (n, m) with I(X;Y) <= R that attains `distortion`; none goes below `lower_bound`."""

    distortion: float
    lower_bound: float
    p_xy: FloatArray


def d_cr(p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike, rate: ArrayLike) -> Values:
    """Least distortion with common randomness, D_cr(p_X, p_Y, R) of Definition 3, by the program of A.3.

    min over mixtures p of maps f of sum_f p(f) E d(X, f(X)), with sum_f p(f) H(f(X)) <= R and output law p_Y.

    Args:
        p_x: probabilities of X, shape (n,); at most 13 of them positive.
        p_y: probabilities of Y, shape (m,).
        cost: d(x, y), shape (n, m).
        rate: R in bits, a float or an array.

    Returns:
        The distortion, of the rate's shape.

    Raises:
        ValueError: for an argument that is no law, no such matrix or no rate; the message names it.
        ArithmeticError: if the solver fails.
    """
    problem = _Problem(p_x, p_y, cost)
    return _each(lambda r: problem.solve_cr(r).distortion, rate)


def solve_cr(p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike, rate: float) -> CommonRandomnessSolution:
    """`d_cr` at one rate, with the optimal mixture of maps and the lower bound that certifies it."""
    return _Problem(p_x, p_y, cost).solve_cr(number("rate", rate, 0))


def d_ncr(p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike, rate: ArrayLike) -> Bracket:
    """Least distortion without common randomness, D_ncr(p_X, p_Y, R) of Definition 2, between two bounds.

    min E d(X, Y) over X - Z - Y with the given laws and H(Z) <= R, which is not convex: `upper` is the best
    of many descents, `lower` the larger of `d_cr`'s dual bound and a bound from the largest atom of Z. They
    meet at rate 0, at saturation, for binary sources everywhere, and often below one bit; between one bit and
    saturation some hundredths of the largest cost may lie between them. Arguments and errors as for `d_cr`.
    """
    problem = _Problem(p_x, p_y, cost)
    upper = _each(lambda r: problem.ncr_plan(r).distortion(problem.cost) * problem.scale, rate)
    lower = _each(problem.ncr_lower, rate)
    return Bracket(upper, result(np.minimum(lower, upper)))


def solve_ncr(p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike, rate: float) -> NoCommonRandomnessSolution:
    """`d_ncr` at one rate, with the plan that attains the upper bound."""
    problem, R = _Problem(p_x, p_y, cost), number("rate", rate, 0)
    plan = problem.ncr_plan(R)
    upper = plan.distortion(problem.cost) * problem.scale
    P, Q = problem.whole_rows(plan.P, plan.Q)
    carried = plan.theta > ATOM
    return NoCommonRandomnessSolution(upper, min(problem.ncr_lower(R), upper), P[:, carried], Q[:, carried])


def d_cr_asymptotic(p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike, rate: ArrayLike) -> Values:
    """Least distortion of long blocks with common randomness (Theorem 7): min E d(X, Y) with I(X;Y) <= R.

    An entropic optimal transport whose regularisation is searched for I = R. Arguments and errors as for
    `d_cr`, with any number of letters.
    """
    problem = _Problem(p_x, p_y, cost)
    return _each(lambda r: problem.solve_cr_asymptotic(r).distortion, rate)


def solve_cr_asymptotic(p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike, rate: float) -> AsymptoticSolution:
    """`d_cr_asymptotic` at one rate, with the optimal joint law and the lower bound that certifies it."""
    return _Problem(p_x, p_y, cost).solve_cr_asymptotic(number("rate", rate, 0))


def d_ncr_asymptotic(p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike, rate: ArrayLike) -> Bracket:
    """Least distortion of long blocks without common randomness (Theorem 5), between two bounds.

    min E d(X, Y) over X - Z - Y with max{I(X;Z), I(Y;Z)} <= R. `upper` comes from a linear program whose
    columns are searched, and was the optimum wherever one is known; `lower` is the asymptotic value with
    common randomness. Arguments and errors as for `d_cr`, with any number of letters.
    """
    problem = _Problem(p_x, p_y, cost)
    lower = _each(lambda r: problem.solve_cr_asymptotic(r).lower_bound, rate)
    upper = np.maximum(_each(problem.ncr_asymptotic, rate), lower)  # the program's tolerance may put it 1e-8 below
    return Bracket(result(upper), lower)


def _each(solve: Callable[[float], float], rate: ArrayLike) -> Values:
    """A solver for one rate applied to every entry."""
    R = non_negative("rate", rate)
    return result(np.reshape([solve(float(r)) for r in R.flat], R.shape))


class _Problem:
    """Checked arguments, cut down to letters of positive probability and scaled to costs of order one."""

    def __init__(self, p_x: ArrayLike, p_y: ArrayLike, cost: ArrayLike) -> None:
        whole_x, whole_y = distribution("p_x", p_x), distribution("p_y", p_y)
        self.whole_cost = matrix("cost", cost, (whole_x.size, whole_y.size))
        self.letters_x, self.letters_y = np.flatnonzero(whole_x > NEVER), np.flatnonzero(whole_y > NEVER)
        self.p_x, self.p_y = (p[p > NEVER] / p[p > NEVER].sum() for p in (whole_x, whole_y))
        inside = self.whole_cost[np.ix_(self.letters_x, self.letters_y)]
        self.scale = float(np.abs(inside).max()) or 1.0
        self.cost = inside / self.scale
        self._program: MapProgram | None = None

    def solve_cr(self, rate: float) -> CommonRandomnessSolution:
        if self._program is None:
            self._program = MapProgram(self.p_x, self.p_y, self.cost)
        p, value, lower = self._program.solve(min(rate, np.log2(self.p_y.size)))  # H(f(X)) <= log2 m
        active = p > 1e-12
        # a letter that X never takes may go anywhere: to the cheapest output
        maps = np.tile(self.whole_cost.argmin(1), (int(active.sum()), 1))
        maps[:, self.letters_x] = self.letters_y[self._program.maps[active]]
        return CommonRandomnessSolution(value * self.scale, lower * self.scale, maps, p[active] / p[active].sum())

    def ncr_plan(self, rate: float) -> Plan:
        """The best plan found without common randomness; exact at rate 0 and where a source is sent as it is."""
        if rate == 0:
            return Plan(self.p_x[:, None], self.p_y[:, None])
        for p, other, transposed in ((self.p_x, self.p_y, False), (self.p_y, self.p_x, True)):
            if entropy(p) <= rate:  # Z = X, or Z = Y
                plan = optimal_plan(p, other, self.cost.T if transposed else self.cost)
                return Plan(plan.T, np.diag(p)) if transposed else Plan(np.diag(p), plan.T)
        return search(self.p_x, self.p_y, self.cost, rate)

    def ncr_lower(self, rate: float) -> float:
        """A lower bound on D_ncr, in the caller's units."""
        with_common = self.solve_cr(rate).lower_bound
        if rate >= min(entropy(self.p_x), entropy(self.p_y)):  # Z = X or Z = Y: plain optimal transport
            return with_common
        return max(with_common, LargestAtom(self.p_x, self.p_y, self.cost, rate).bound() * self.scale)

    def solve_cr_asymptotic(self, rate: float) -> AsymptoticSolution:
        plan, lower = informed_plan(self.p_x, self.p_y, self.cost, rate)
        p_xy = np.zeros_like(self.whole_cost)
        p_xy[np.ix_(self.letters_x, self.letters_y)] = plan
        return AsymptoticSolution(float((plan * self.cost).sum()) * self.scale, lower * self.scale, p_xy)

    def ncr_asymptotic(self, rate: float) -> float:
        """The value found for Theorem 5, in the caller's units."""
        if rate == 0:
            return float(self.p_x @ self.cost @ self.p_y) * self.scale
        return least_distortion(self.ncr_plan(rate), self.p_x, self.p_y, self.cost, rate) * self.scale

    def whole_rows(self, P: FloatArray, Q: FloatArray) -> tuple[FloatArray, FloatArray]:
        """P and Q with rows of zeros for the letters without probability."""
        whole_P = np.zeros((self.whole_cost.shape[0], P.shape[1]))
        whole_Q = np.zeros((self.whole_cost.shape[1], Q.shape[1]))
        whole_P[self.letters_x], whole_Q[self.letters_y] = P, Q
        return whole_P, whole_Q
