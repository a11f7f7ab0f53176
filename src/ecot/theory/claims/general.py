"""Any source: Sections 2.1, A.1, A.3, A.5 and A.7, on binary sources and sources on three letters."""

from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np

from ecot.theory import binary, finite, gaussian
from ecot.theory._arguments import FloatArray
from ecot.theory.claims._sources import (
    BINARY,
    GAUSSIAN,
    HAMMING,
    LETTERS,
    SHARES,
    SQUARED,
    TERNARY,
    binary_curves,
    entropy,
    law,
    rates,
    transport,
)
from ecot.theory.claims._statement import APART, EXACT, ROUNDING, SOLVED, SOLVER, VISIBLE, Outcome, Statement


def transport_is_the_limit() -> Outcome:
    """Definition 2: D_ncr against the linear program of plain transport."""
    above, apart = np.inf, 0.0
    for q_x, q_y in BINARY:
        least = transport(law(q_x), law(q_y), HAMMING)
        D = np.asarray(binary.d_ncr(q_x, q_y, rates(q_x, q_y)))
        above, apart = min(above, float((D - least).min())), max(apart, abs(float(D[-1]) - least))
    return Outcome(
        above >= -ROUNDING and apart <= ROUNDING,
        f"{len(BINARY)} pairs of binary sources: least excess {above:.1e}, distance at saturation {apart:.1e}",
    )


def theorem_1_decomposition() -> Outcome:
    """(7): the three terms of the plan found, with the transport term by a linear program of its own."""
    apart, excess_rate = 0.0, -np.inf
    plans = [_binary_plan(*source, R) for source in BINARY for R in rates(*source)[1:-1:5]]
    plans += _ternary_plans()
    for plan in plans:
        terms = plan.quantisation + plan.dequantisation + plan.least_transport
        apart = max(apart, abs(terms - plan.distortion))
        excess_rate = max(excess_rate, plan.entropy_x - plan.rate, plan.entropy_y - plan.rate)
    return Outcome(
        apart <= SOLVER and excess_rate <= SOLVER,
        f"{len(plans)} plans: sum of terms and distortion differ by at most {apart:.1e}, entropies exceed R by at"
        f" most {excess_rate:.1e}",
    )


def bounds_of_theorem_1() -> Outcome:
    """(8) on binary sources, and with equal sources."""
    order, equal = np.inf, 0.0
    for q_x, q_y in BINARY:
        lower, D, upper = binary_curves(q_x, q_y)
        order = min(order, float((upper - D).min()), float((D - lower).min()))
        if q_x == q_y:
            equal = max(equal, float((upper - lower).max()))
    return Outcome(
        order >= -ROUNDING and equal <= ROUNDING,
        f"{len(BINARY)} pairs: smallest gap in the chain {order:.1e}; p_X = p_Y: widest {equal:.1e}",
    )


def twice_without_constraint() -> Outcome:
    """D_ncr(p, p, R) = 2 D_mse(p, R), with D_ncr by the solver for any alphabet."""
    apart = 0.0
    for q in (0.1, 0.3, 0.5):
        R = 0.5 * float(np.asarray(binary.entropy(q)))
        found = finite.solve_ncr(law(q), law(q), HAMMING, R)
        apart = max(apart, *(abs(value - 2 * float(binary.d_mse(q, R))) for value in (found.upper, found.lower)))
    return Outcome(apart <= SOLVER, f"3 sources: the solver's bounds differ from 2 D_mse by at most {apart:.1e}")


def theorem_2_structure() -> Outcome:
    """(9), (10) and the bijection, on plans below saturation."""
    plans = [_binary_plan(*source, R) for source in BINARY for R in rates(*source)[1:-1:5]]
    plans += _ternary_plans()
    rate = max(max(abs(plan.entropy_x - plan.rate), abs(plan.entropy_y - plan.rate)) for plan in plans)
    cost = max(plan.transport - plan.least_transport for plan in plans)
    atoms = min(plan.separation for plan in plans)
    return Outcome(
        rate <= SOLVER and cost <= SOLVER and atoms > VISIBLE,
        f"{len(plans)} plans: entropies differ from R by at most {rate:.1e}, the coupling costs {cost:.1e} more than"
        f" W2^2, atoms of X^ and of Y^ are at least {atoms:.2g} apart",
    )


def common_randomness_never_hurts() -> Outcome:
    """D <= D_cr <= D_ncr, on binary sources and, by solvers, on three letters."""
    low, high = np.inf, np.inf
    for q_x, q_y in BINARY:
        R = np.linspace(0, 1.2, 25)
        with_u, without = np.asarray(binary.d_cr(q_x, q_y, R)), np.asarray(binary.d_ncr(q_x, q_y, R))
        low = min(low, float((with_u - transport(law(q_x), law(q_y), HAMMING)).min()))
        high = min(high, float((without - with_u).min()))
    for (p_x, p_y), plan in zip(TERNARY, _ternary_plans(), strict=True):
        D = float(np.asarray(finite.d_cr(p_x, p_y, SQUARED, plan.rate)))
        low, high = min(low, D - transport(p_x, p_y, SQUARED)), min(high, plan.distortion - D)
    return Outcome(
        min(low, high) >= -SOLVER,
        f"smallest D_cr - D {low:.1e}, smallest D_ncr - D_cr {high:.1e} over {len(BINARY) + len(TERNARY)} sources",
    )


def asymmetry_of_common_randomness() -> Outcome:
    """D_ncr is symmetric in the sources, D_cr is not."""
    without, with_u = 0.0, 0.0
    R = np.linspace(0, 1, 21)
    for q_x, q_y in BINARY:
        for name, curve in (("ncr", binary.d_ncr), ("cr", binary.d_cr)):
            apart = float(np.abs(np.asarray(curve(q_x, q_y, R)) - np.asarray(curve(q_y, q_x, R))).max())
            without, with_u = (max(without, apart), with_u) if name == "ncr" else (without, max(with_u, apart))
    return Outcome(
        without <= ROUNDING and with_u > VISIBLE,
        f"exchanging the sources moves D_ncr by at most {without:.1e} and D_cr by up to {with_u:.3f}",
    )


def theorem_3_few_maps() -> Outcome:
    """The linear program of A.3: its support and its duality gap."""
    solved = [
        (finite.solve_cr(p_x, p_y, cost, R), p_y.size)
        for p_x, p_y, cost in [(*laws, SQUARED) for laws in TERNARY] + [(law(a), law(b), HAMMING) for a, b in BINARY]
        for R in (0.1, 0.3, 0.5)
    ]
    spare = min(letters + 1 - len(solution.maps) for solution, letters in solved)
    gap = max(solution.distortion - solution.lower_bound for solution, _ in solved)
    return Outcome(
        spare >= 0 and gap <= SOLVER,
        f"{len(solved)} programs: no mixture has more than |Y| + 1 maps (fewest to spare: {spare}), duality"
        " gaps at most"
        f" {gap:.1e}",
    )


def rate_and_distortion_are_inverse() -> Outcome:
    """R(D(R)) = R strictly below saturation, with both curves falling."""
    apart, steps = 0.0, -np.inf
    for q_x, q_y in BINARY:
        rho = min(q_y / q_x, (1 - q_y) / (1 - q_x))
        with_u = SHARES[:-1] * rho * float(np.asarray(binary.entropy(q_x)))
        for R, curve, inverse in (
            (rates(q_x, q_y)[:-1], binary.d_ncr, binary.r_ncr),
            (with_u, binary.d_cr, binary.r_cr),
        ):
            D = np.asarray(curve(q_x, q_y, R))
            apart = max(apart, float(np.abs(np.asarray(inverse(q_x, q_y, D)) - R).max()))
            steps = max(steps, float(np.diff(D).max()))
    for source in GAUSSIAN:
        R = np.linspace(0, 6, 25)
        for D, back in (
            (np.asarray(gaussian.d_ncr(*source, R)), gaussian.r_ncr),
            (np.asarray(gaussian.d_cr(*source, R)), gaussian.r_cr),
        ):
            apart = max(apart, float(np.abs(np.asarray(back(*source, D)) - R).max()))
            steps = max(steps, float(np.diff(D).max()))
    return Outcome(
        apart <= SOLVER and steps < 0, f"R(D(R)) differs from R by at most {apart:.1e}; largest step of D {steps:.1e}"
    )


def lemma_2_bijection() -> Outcome:
    """Lemma 2 on random chains X - X^ - Y^ - Y: merging Y^ into E[Y | X^] changes neither distortion nor rate."""
    rng = np.random.default_rng(0)
    apart, rate = 0.0, -np.inf
    for _ in range(50):
        joint = rng.dirichlet(np.ones(9)).reshape(3, 3)  # of (X^, Y^)
        x_given, y_given = rng.dirichlet(np.ones(3), 3), rng.dirichlet(np.ones(3), 3)
        before = _chain_cost(joint, x_given, y_given)
        p_x_hat = joint.sum(1)
        after = _chain_cost(np.diag(p_x_hat), x_given, joint @ y_given / p_x_hat[:, None])
        apart = max(apart, abs(before - after))
        rate = max(rate, entropy(np.diag(p_x_hat).sum(0)) - entropy(p_x_hat))
    return Outcome(
        apart <= ROUNDING and rate <= ROUNDING,
        f"50 random chains on three letters: the three terms' sum changes by at most {apart:.1e}, the entropy"
        f" by {rate:.1e}",
    )


def long_blocks() -> Outcome:
    """A.7: blocks of one, two and three letters against each other and the value of Theorem 7."""
    order, subadditive = np.inf, np.inf
    for q_x, q_y, R in ((0.3, 0.5, 0.4), (0.2, 0.6, 0.3)):
        D = [_blocks(q_x, q_y, n, R) for n in (1, 2, 3)]
        limit = float(np.asarray(finite.d_cr_asymptotic(law(q_x), law(q_y), HAMMING, R)))
        order = min(order, min(D) - limit, D[0] - D[1])
        subadditive = min(subadditive, D[0] + 2 * D[1] - 3 * D[2])
    asymptotic = float(np.asarray(finite.d_ncr_asymptotic(law(q_x), law(q_y), HAMMING, R).upper))
    without = min(float(binary.d_ncr(q_x, q_y, R)) - asymptotic, asymptotic - limit)
    return Outcome(
        min(order, subadditive, without) >= -SOLVER,
        f"two sources: D_cr of 1, 2, 3 letters falls and stays {order:.3f} or more above Theorem 7's value; n D_cr is"
        f" subadditive (by {subadditive:.3f}); without, one letter is worse than many, and many than with (by"
        f" {without:.3f})",
    )


class _Plan(NamedTuple):
    """The terms of a plan X - X^ - Y^ - Y, its rate, and how far apart the atoms of X^ and of Y^ are at least."""

    rate: float
    distortion: float
    quantisation: float
    dequantisation: float
    transport: float
    least_transport: float
    entropy_x: float
    entropy_y: float
    separation: float


def _binary_plan(q_x: float, q_y: float, R: float) -> _Plan:
    plan = binary.ncr_plan(q_x, q_y, R)
    x, y, mass = plan.x_hat, plan.y_hat, plan.mass
    spread = float(mass @ (x * (1 - x))), float(mass @ (y * (1 - y)))
    return _plan(R, float(binary.d_ncr(q_x, q_y, R)), spread, mass, x, y)


@cache
def _ternary_plans() -> list[_Plan]:
    """The solver's plans at 0.8 bits, below saturation; one for each of TERNARY."""
    return [_ternary_plan(p_x, p_y, 0.8) for p_x, p_y in TERNARY]


def _ternary_plan(p_x: FloatArray, p_y: FloatArray, R: float) -> _Plan:
    found = finite.solve_ncr(p_x, p_y, SQUARED, R)
    x, y = LETTERS @ found.p_xz / found.p_z, LETTERS @ found.p_yz / found.p_z
    spread = tuple(
        float((joint * (LETTERS[:, None] - hat) ** 2).sum()) for joint, hat in ((found.p_xz, x), (found.p_yz, y))
    )
    return _plan(R, found.upper, (spread[0], spread[1]), found.p_z, x, y)


def _plan(
    R: float, distortion: float, spread: tuple[float, float], mass: FloatArray, x: FloatArray, y: FloatArray
) -> _Plan:
    separation = min(float(np.diff(np.sort(hat)).min()) for hat in (x, y))
    merged_x, merged_y = _merged(mass, x), _merged(mass, y)
    least = transport(mass, mass, (x[:, None] - y) ** 2)
    cost = float(mass @ (x - y) ** 2)
    return _Plan(R, distortion, *spread, cost, least, entropy(merged_x), entropy(merged_y), separation)


def _merged(mass: FloatArray, values: FloatArray) -> FloatArray:
    """The masses of the distinct values."""
    _, group = np.unique(values.round(12), return_inverse=True)
    return np.bincount(group, mass).astype(np.float64)


def _chain_cost(joint: FloatArray, x_given: FloatArray, y_given: FloatArray) -> float:
    """E|X - X^|^2 + E|Y - Y^|^2 + E|X^ - Y^|^2, X^ and Y^ being the means of the rows x_given and y_given."""
    x, y = x_given @ LETTERS, y_given @ LETTERS
    spread_x, spread_y = x_given @ LETTERS**2 - x**2, y_given @ LETTERS**2 - y**2
    return float(joint.sum(1) @ spread_x + joint.sum(0) @ spread_y + (joint * (x[:, None] - y) ** 2).sum())


def _blocks(q_x: float, q_y: float, n: int, R: float) -> float:
    """D_cr of blocks of n letters, per letter."""
    words = np.array(list(product((0, 1), repeat=n)))
    p_x, p_y = (np.where(words, q, 1 - q).prod(1) for q in (q_x, q_y))
    return float(np.asarray(finite.d_cr(p_x, p_y, (words[:, None] != words).mean(-1), n * R)))


STATEMENTS = (
    Statement(
        "transport_limit",
        "Without common randomness the distortion is never below plain optimal transport, and reaches it once"
        " Z = X or"
        " Z = Y fits the rate.",
        "Section 2.1, Definition 2",
        "(22) against the linear program of transport, rates up to min(H(X), H(Y)): never below, equal at the"
        f" end {EXACT}",
        transport_is_the_limit,
    ),
    Statement(
        "theorem_1",
        "The optimum splits into quantising X, transporting the quantised values and dequantising to Y, at"
        " rates H(X^),"
        " H(Y^) <= R.",
        "Theorem 1, (7)",
        "binary plans of Figure 6 and the solver's plans on three letters: the three terms, W2^2 by linear"
        " program, sum"
        f" to the distortion, entropies at most R, {SOLVED}",
        theorem_1_decomposition,
    ),
    Statement(
        "bounds_8",
        "Separately optimal quantisers give an upper bound, leaving out the transport a lower one; for equal"
        " sources both"
        " are tight.",
        "Theorem 1, (8)",
        f"binary sources: (24) <= (22) <= (5) at 21 rates, and all equal where q_X = q_Y, {EXACT}",
        bounds_of_theorem_1,
    ),
    Statement(
        "twice",
        "For equal laws the output constraint doubles the distortion of the unconstrained quantiser at the"
        " same rate.",
        "Section 2.1, after Theorem 1",
        f"the solver for any alphabet, from above and from below, against 2 D_mse {SOLVED}",
        twice_without_constraint,
    ),
    Statement(
        "theorem_2",
        "Where the curve falls, H(X^) = H(Y^) = R, X^ is carried to Y^ by a bijection, and at the cost W2^2.",
        "Theorem 2, (9), (10)",
        f"the same plans: entropies of the distinct values equal R, coupling's cost equals W2^2 {SOLVED};"
        " distinct atoms"
        f" differ {APART}",
        theorem_2_structure,
    ),
    Statement(
        "common_between",
        "With common randomness the distortion lies between plain optimal transport and the distortion without.",
        "Section 2.1, Definition 3",
        f"binary sources at 25 rates, three letters by solvers: both differences at least -{SOLVER:g}",
        common_randomness_never_hurts,
    ),
    Statement(
        "asymmetry",
        "Without common randomness source and target may change places, with it they may not.",
        "Section 2.1, footnote 2 and after Definition 3",
        f"exchanging q_X and q_Y: (22) unchanged {EXACT}; (25) moves {APART}",
        asymmetry_of_common_randomness,
    ),
    Statement(
        "theorem_3",
        "On finite alphabets, common randomness that picks among |Y| + 1 deterministic maps suffices.",
        "Theorem 3, A.3",
        f"the linear program's optimum has at most |Y| + 1 maps and meets its dual {SOLVED}",
        theorem_3_few_maps,
    ),
    Statement(
        "inverse",
        "Least distortion as a function of rate and least rate as a function of distortion fall and are each other's"
        " inverse.",
        "A.1",
        f"binary and Gaussian curves: R(D(R)) = R {SOLVED}, every step of D below zero",
        rate_and_distortion_are_inverse,
    ),
    Statement(
        "lemma_2",
        "On finite supports X^ and Y^ can be made functions of each other at no cost in distortion or rate.",
        "A.5, Lemma 2",
        f"random chains on three letters: replacing Y^ by E[Y given X^] leaves the sum of the three terms {EXACT} and"
        " raises no entropy",
        lemma_2_bijection,
    ),
    Statement(
        "long_blocks",
        "Blocks of n letters do no worse than single letters (n D is subadditive) and no better than Theorems"
        " 5 and 7.",
        "A.7, Theorems 5 and 7",
        f"linear programs for n = 1, 2, 3 against each other and the information-constrained values, {SOLVED}",
        long_blocks,
    ),
)
