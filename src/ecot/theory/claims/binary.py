"""Binary sources under Hamming distortion: Section 2.2 and A.4."""

from collections.abc import Callable

import numpy as np
from scipy.special import entr

from ecot.theory import binary, finite
from ecot.theory._arguments import FloatArray, Values
from ecot.theory.claims._sources import (
    BINARY,
    FIGURE_3,
    HAMMING,
    SHARES,
    binary_curves,
    entropy,
    law,
    rates,
    transport,
)
from ecot.theory.claims._statement import APART, EXACT, ROUNDING, SOLVED, SOLVER, VISIBLE, Outcome, Statement

GRID = 200  # points a side of the search over plans


def strict_gain() -> Outcome:
    """D_cr < D_ncr strictly between rate 0 and saturation, equal at both ends."""
    gains, ends = [], 0.0
    for q_x, q_y in BINARY:
        R = rates(q_x, q_y)
        gain = np.asarray(binary.d_ncr(q_x, q_y, R)) - np.asarray(binary.d_cr(q_x, q_y, R))
        gains.append(float(gain[1:-1].min()))
        beyond = max(1.0, R[-1])
        ends = max(
            ends, abs(gain[0]), abs(float(binary.d_ncr(q_x, q_y, beyond)) - float(binary.d_cr(q_x, q_y, beyond)))
        )
    return Outcome(
        min(gains) > ROUNDING and ends <= ROUNDING,
        f"{len(BINARY)} pairs, {len(SHARES) - 2} rates inside: smallest gain {min(gains):.2g}; difference at"
        " rate 0 and"
        f" beyond saturation {ends:.1e}",
    )


def upper_bound_tight_on_one_side() -> Outcome:
    """Both q at most 1/2, or both at least 1/2: the upper bound is D_ncr."""
    same = [(x, y) for x, y in BINARY if (x - 0.5) * (y - 0.5) >= 0]
    apart = max(float(np.abs(upper - D).max()) for _, D, upper in (binary_curves(*source) for source in same))
    return Outcome(
        apart <= ROUNDING, f"{len(same)} pairs on one side: upper bound and D_ncr differ by at most {apart:.1e}"
    )


def figure_3_bounds() -> Outcome:
    """Which bounds are tight in the three panels of Figure 3."""
    gaps = []
    for source in FIGURE_3:
        lower, D, upper = binary_curves(*source)
        gaps.append((float((upper - D).max()), float((D - lower).max())))
    tight = [tuple(gap <= ROUNDING for gap in pair) for pair in gaps]
    loose = [tuple(gap > VISIBLE for gap in pair) for pair in gaps]
    holds = tight[0] == (True, True) and tight[1][0] and loose[1][1] and loose[2] == (True, True)
    text = "; ".join(f"({panel}) {a:.1e} and {b:.1e}" for panel, (a, b) in zip("abc", gaps, strict=True))
    return Outcome(holds, f"largest gap above and below D_ncr: {text}")


def binary_range() -> Outcome:
    """D_max at rate 0 and D_min in the end, with and without common randomness; D_min by transport."""
    apart = 0.0
    for q_x, q_y in BINARY:
        least, most = transport(law(q_x), law(q_y), HAMMING), float(law(q_x) @ HAMMING @ law(q_y))
        for curve in (binary.d_ncr, binary.d_cr):
            apart = max(apart, abs(float(curve(q_x, q_y, 0.0)) - most), abs(float(curve(q_x, q_y, 1.0)) - least))
    return Outcome(apart <= ROUNDING, f"{len(BINARY)} pairs: ends differ from D_max and D_min by at most {apart:.1e}")


def theorem_4_without() -> Outcome:
    """(22): attained by the plan of Figure 6, and no point of a grid over (P) goes below."""
    attained, rate, below, above = 0.0, -np.inf, np.inf, 0.0
    for q_x, q_y in BINARY:
        for R in rates(q_x, q_y)[1:-1:6]:
            plan, D = binary.ncr_plan(q_x, q_y, R), float(binary.d_ncr(q_x, q_y, R))
            attained = max(attained, abs(plan.distortion - D))
            rate = max(rate, entropy(plan.mass) - R)
            found = _best_on_grid(q_x, q_y, R)
            below, above = min(below, found - D), max(above, found - D)
    return Outcome(
        attained <= ROUNDING and rate <= ROUNDING and below >= -ROUNDING and above <= 0.02,
        f"the plan misses (22) by at most {attained:.1e} and R by {rate:.1e}; the best of {GRID**2} points of"
        " (P) lies"
        f" {below:.1e} to {above:.1e} above it",
    )


def theorem_4_upper() -> Outcome:
    """(23) as printed against (5): both quantisers' errors and the transport between their atoms."""
    apart = 0.0
    for q_x, q_y in BINARY:
        for R in rates(q_x, q_y)[1:-1:5]:
            x, mass_x = _quantiser(q_x, R, q_y)
            y, mass_y = _quantiser(q_y, R, q_x)
            errors = float(mass_x @ (x * (1 - x)) + mass_y @ (y * (1 - y)))
            sum_5 = errors + transport(mass_x, mass_y, (x[:, None] - y) ** 2)
            apart = max(
                apart, abs(_printed_23(q_x, q_y, R) - sum_5), abs(float(binary.d_ncr_upper(q_x, q_y, R)) - sum_5)
            )
    return Outcome(apart <= ROUNDING, f"(23), its implementation and the sum (5) differ by at most {apart:.1e}")


def theorem_4_lower() -> Outcome:
    """(24) as printed against D_mse of both sources, each half of (22) of a source with itself."""
    apart, half = 0.0, 0.0
    for q_x, q_y in BINARY:
        R = rates(q_x, q_y)
        each = [np.asarray(binary.d_mse(q, R)) for q in (q_x, q_y)]
        apart = max(apart, float(np.abs(_printed_24(q_x, q_y, R) - sum(each)).max()))
        halves = [np.asarray(binary.d_ncr(q, q, R)) / 2 for q in (q_x, q_y)]
        half = max(half, *(float(np.abs(a - b).max()) for a, b in zip(each, halves, strict=True)))
    return Outcome(
        max(apart, half) <= ROUNDING,
        f"(24) and the sum of both D_mse differ by at most {apart:.1e}, D_mse and half of D_ncr(p, p) by {half:.1e}",
    )


def theorem_4_with() -> Outcome:
    """(25): the mixture of maps obeys (26)-(29), and the linear program agrees."""
    attained, program = 0.0, 0.0
    for q_x, q_y in BINARY:
        for share in (0.25, 0.5, 0.9, 1.5):
            rho = min(q_y / q_x, (1 - q_y) / (1 - q_x))
            H = float(np.asarray(binary.entropy(q_x)))
            R = share * rho * H
            D, p = float(binary.d_cr(q_x, q_y, R)), binary.cr_plan(q_x, q_y, R)
            misses = (
                p.negation + q_x * p.zero + (1 - q_x) * p.one - D,
                q_x * p.identity + (1 - q_x) * p.negation + p.one - q_y,
                p.identity + p.negation + p.zero + p.one - 1,
                max(H * (p.identity + p.negation) - R, 0.0),
                max(-min(p.identity, p.negation, p.zero, p.one), 0.0),
            )
            attained = max(attained, *(abs(miss) for miss in misses))
            program = max(program, abs(float(np.asarray(finite.d_cr(law(q_x), law(q_y), HAMMING, R))) - D))
    return Outcome(
        attained <= ROUNDING and program <= SOLVER,
        f"{4 * len(BINARY)} points up to 1.5 times saturation: the mixture misses its constraints by at most"
        f" {attained:.1e}, the linear program and (25) differ by {program:.1e}",
    )


def free_output_law() -> Outcome:
    """The remark of A.4: the least over q_y of (22) and (25) by search, and D_ncr above D_mse."""
    apart, strict = 0.0, np.inf
    for q in (0.15, 0.3, 0.6):
        H = float(np.asarray(binary.entropy(q)))
        for R in np.array([0.2, 0.5, 0.8]) * H:
            for curve, free in ((binary.d_ncr, binary.d_ncr_free), (binary.d_cr, binary.d_cr_free)):
                apart = max(apart, abs(_least(curve, q, float(R)) - float(free(q, R))))
            strict = min(strict, float(binary.d_ncr_free(q, R)) - float(binary.d_mse(q, R)))
    return Outcome(
        apart <= VISIBLE and strict > VISIBLE,
        f"search over q_y and formulas differ by at most {apart:.1e}; D_ncr(B(q), R) - D_mse(B(q), R) at least"
        f" {strict:.3f}",
    )


def figure_6_decoupling() -> Outcome:
    """The quantiser does not move with q_y nor the dequantiser with q_x, and below 1/2 both are optimal."""
    moved, optimal = 0.0, 0.0
    for R in (0.1, 0.3, 0.45):
        plans = [binary.ncr_plan(0.3, q_y, R) for q_y in (0.2, 0.4, 0.6, 0.7)]
        moved = max(moved, *(float(np.abs(plan.x_hat - plans[0].x_hat).max()) for plan in plans))
        mirrored = [binary.ncr_plan(q_x, 0.3, R) for q_x in (0.2, 0.4, 0.6, 0.7)]
        moved = max(moved, *(float(np.abs(plan.y_hat - mirrored[0].y_hat).max()) for plan in mirrored))
        for x_hat, q in ((plans[0].x_hat, 0.3), (plans[0].y_hat, 0.2)):
            error = float(plans[0].mass @ (x_hat * (1 - x_hat)))
            optimal = max(optimal, abs(error - float(binary.d_mse(q, R))))
    return Outcome(
        max(moved, optimal) <= ROUNDING,
        f"the atoms move by at most {moved:.1e} with the other source; the errors of quantiser and dequantiser differ"
        f" from D_mse by at most {optimal:.1e}",
    )


def _least(curve: Callable[[float, float, float], Values], q: float, R: float) -> float:
    """The least of curve(q, q_y, R) over q_y, by a grid of 1/50 and one fifty times finer around its best point."""
    coarse = min(np.linspace(0, 1, 51).tolist(), key=lambda q_y: float(curve(q, q_y, R)))
    fine = np.clip(coarse + np.linspace(-0.02, 0.02, 101), 0, 1)
    return min(float(curve(q, q_y, R)) for q_y in fine.tolist())


def _best_on_grid(q_x: float, q_y: float, R: float) -> float:
    """The least value of (P) over a grid of plans with masses on (0, 0), (1, 1) and one more pair (x^, y^).

    The grid is finer towards small masses, which low rates ask for.
    """
    low, high = (masses.ravel() for masses in np.meshgrid(*2 * [np.linspace(0, 1, GRID) ** 2]))
    low, high = low[low + high < 1], high[low + high < 1]
    rest = 1 - low - high
    x, y = (q_x - high) / rest, (q_y - high) / rest
    H = sum(entr(mass) for mass in (low, high, rest)) / np.log(2)
    allowed = (np.minimum(x, y) >= 0) & (np.maximum(x, y) <= 1) & (R >= H)
    return float((rest * (x + y - 2 * x * y))[allowed].min())


def _printed_23(q_x: float, q_y: float, R: float) -> float:
    """(23), line by line."""
    h = float(np.asarray(binary.inverse_entropy(R)))
    if max(q_x, q_y) <= 0.5:
        return 2 - q_x - q_y - 2 * (1 - q_x) * (1 - q_y) / (1 - h)
    if min(q_x, q_y) >= 0.5:
        return q_x + q_y - 2 * q_x * q_y / (1 - h)
    if q_x > 0.5:
        q_x, q_y = q_y, q_x  # the last line is the third with the sources exchanged
    square = (1 - q_x) ** 2 + q_y**2 - (q_y - q_x + h) ** 2
    return -square / (1 - h) + 1 - q_x + q_y + h - 2 * q_y * (1 - q_x) * h / (1 - h) ** 2


def _printed_24(q_x: float, q_y: float, R: FloatArray) -> FloatArray:
    """(24), line by line."""
    h = np.asarray(binary.inverse_entropy(R))
    lines = [(-((1 - q) ** 2) / (1 - h) + 1 - q) if q <= 0.5 else (-(q**2) / (1 - h) + q) for q in (q_x, q_y)]
    return np.asarray(lines[0] + lines[1])


def _quantiser(q: float, R: float, other: float) -> tuple[FloatArray, FloatArray]:
    """Atoms and masses of the optimal quantisation of B(q); at 1/2, of the two, the one on the other's side."""
    h = float(np.asarray(binary.inverse_entropy(R)))
    if q < 0.5 or (q == 0.5 and other <= 0.5):
        return np.array([(q - h) / (1 - h), 1.0]), np.array([1 - h, h])
    return np.array([0.0, q / (1 - h)]), np.array([h, 1 - h])


STATEMENTS = (
    Statement(
        "strict_gain",
        "Common randomness strictly improves the trade-off, except at extreme points.",
        "Section 2.2, Figure 3",
        f"(22) - (25) above {ROUNDING:g} at all 19 rates strictly inside, zero {EXACT} at rate 0 and beyond"
        " saturation",
        strict_gain,
    ),
    Statement(
        "upper_bound_tight",
        "For sources biased to the same symbol, quantisers designed apart lose nothing.",
        "Section 2.2, A.4",
        f"(5) equals (22) {EXACT} for all pairs on one side of 1/2",
        upper_bound_tight_on_one_side,
    ),
    Statement(
        "figure_3",
        "In Figure 3 both bounds are tight in (a), only the upper one in (b), neither in (c).",
        "Figure 3",
        f"tight: {EXACT}; loose: somewhere {APART}",
        figure_3_bounds,
    ),
    Statement(
        "binary_range",
        "Binary distortions run from q_X + q_Y - 2 q_X q_Y (independent letters) to |q_X - q_Y| (total variation).",
        "A.4",
        f"both curves at rate 0 and at 1 bit against independent letters and the linear program of transport {EXACT}",
        binary_range,
    ),
    Statement(
        "theorem_4_22",
        "(22) is the least distortion of binary sources without common randomness.",
        "Theorem 4, (22), (P)",
        f"the plan of Figure 6 attains (22) at rate R {EXACT}; the best point of a grid over (P) lies 0 to 0.02 above"
        " it (twice the grid's width)",
        theorem_4_without,
    ),
    Statement(
        "theorem_4_23",
        "(23) is the distortion of optimal quantisers and transport between their outputs.",
        "Theorem 4, (23)",
        f"(23) as printed against (5) summed over the atoms, transport by linear program, {EXACT}",
        theorem_4_upper,
    ),
    Statement(
        "theorem_4_24",
        "(24) is the sum of both sources' D_mse, and D_mse is half of D_ncr of a source with itself.",
        "Theorem 4, (24), proof of (23)",
        f"(24) as printed against the sum, and half of (22) for equal sources against D_mse, {EXACT}",
        theorem_4_lower,
    ),
    Statement(
        "theorem_4_25",
        "(25) is the least distortion of binary sources with common randomness, attained by three of the four maps.",
        "Theorem 4, (25)-(29)",
        f"the mixture satisfies (26)-(29) {EXACT}; the linear program over all maps agrees {SOLVED}",
        theorem_4_with,
    ),
    Statement(
        "free_output",
        "With q_Y free, D_cr is min(q, 1-q)(1 - R/Hb(q)) and D_ncr is min(q, 1-q) - Hb^-1(R), above D_mse.",
        "A.4, remark",
        f"search over a grid of q_Y against both formulas within {VISIBLE:g} (the grid resolves half of it);"
        f" D_ncr above D_mse {APART}",
        free_output_law,
    ),
    Statement(
        "figure_6",
        "The optimal quantiser ignores p_Y and the dequantiser p_X, and for q at most 1/2 both are optimal on"
        " their own.",
        "A.4, Figure 6",
        f"atoms at q_X = 0.3 for four q_Y, and the reverse, are the same {EXACT}; their errors equal D_mse",
        figure_6_decoupling,
    ),
)
