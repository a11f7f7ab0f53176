"""The data of the paper's analytic figures, tidy: one function for each figure, with the paper's own parameters.

`ternary` is Figure 3's picture for a source on three letters, which the paper has not. Curves have the columns panel,
curve, rate_bits, distortion, and one row for each point. Panels are named as in the paper.
"""

import numpy as np
import pandas as pd
from scipy.stats import norm
from scipy.stats import uniform as uniform_law

from ecot.theory import binary, finite, gaussian, simulation, uniform
from ecot.theory._arguments import FloatArray, Values

FIGURE_3 = {"a": (0.3, 0.3), "b": (0.3, 0.5), "c": (0.3, 0.6)}  # q_x, q_y
FIGURE_6 = 0.3, 0.5, 0.5  # q_x, q_y, rate: the paper draws letters; these numbers are ours
FIGURE_7 = 2.0, 5.0  # a, b
FIGURE_8 = {"a": (0.0, 1.0, 0.0, 1.0), "b": (0.0, 1.0, 1.0, 2.0)}  # mu_x, sigma_x, mu_y, sigma_y
TERNARY = (0.5, 0.3, 0.2), (0.2, 0.3, 0.5), (0.0, 1.0, 2.0)  # p_x, p_y, the letters of both: our own
TERNARY_POINTS = 25
LEVELS = 2, 3, 4, 6, 8, 12, 16  # of the simulated quantisers
POINTS = 401


def figure_3() -> pd.DataFrame:
    """Binary sources: d_cr, d_ncr and its bounds, for rates up to one bit, saturation points included."""
    parts = []
    for panel, (q_x, q_y) in FIGURE_3.items():
        rho = min(q_y / q_x, (1 - q_y) / (1 - q_x))
        kinks = np.array([binary.entropy(q_x), binary.entropy(q_y), rho * np.asarray(binary.entropy(q_x))])
        R = np.union1d(np.linspace(0, 1, POINTS), kinks)
        for name in ("d_ncr", "d_ncr_upper", "d_ncr_lower", "d_cr"):
            parts.append(_curve(panel, name, R, getattr(binary, name)(q_x, q_y, R)))
    return pd.concat(parts, ignore_index=True)


def ternary(progress: finite.Progress | None = None) -> pd.DataFrame:
    """A source on three letters under squared error: one shot and long blocks, and the plain distortion-rate
    function.

    Curves: d_ncr, d_cr, d_ncr_asymptotic, d_cr_asymptotic, distortion_rate, and the lower ends of both brackets,
    d_ncr_lower and d_ncr_asymptotic_lower. Takes about a minute; `progress` is that of `finite.d_ncr`.
    """
    p_x, p_y, letters = TERNARY
    cost = finite.squared_error(letters, letters)
    R = np.linspace(0, 1.2, TERNARY_POINTS)
    one_shot = finite.d_ncr(p_x, p_y, cost, R, tolerance=1e-4, time_limit=20, progress=progress)
    blocks = finite.d_ncr_asymptotic(p_x, p_y, cost, R)
    curves = [
        ("d_ncr", one_shot.upper),
        ("d_ncr_lower", one_shot.lower),
        ("d_cr", finite.d_cr(p_x, p_y, cost, R)),
        ("d_ncr_asymptotic", blocks.upper),
        ("d_ncr_asymptotic_lower", blocks.lower),
        ("d_cr_asymptotic", finite.d_cr_asymptotic(p_x, p_y, cost, R)),
        ("distortion_rate", finite.distortion_rate(p_x, cost, R)),
    ]
    return pd.concat([_curve("ternary", name, R, D) for name, D in curves], ignore_index=True)


def figure_6() -> pd.DataFrame:
    """The plan without common randomness for binary sources, an arrow a row.

    Columns: stage (quantise, transport, dequantise), source and target (values of X, X_hat, Y_hat or Y), mass (the
    probability that passes along the arrow; each stage sums to one).
    """
    plan = binary.ncr_plan(*FIGURE_6)
    rows = []
    for mass, x_hat, y_hat in zip(plan.mass, plan.x_hat, plan.y_hat, strict=True):
        rows += [("quantise", x, x_hat, mass * p) for x, p in ((0.0, 1 - x_hat), (1.0, x_hat))]
        rows += [("transport", x_hat, y_hat, mass)]
        rows += [("dequantise", y_hat, y, mass * p) for y, p in ((0.0, 1 - y_hat), (1.0, y_hat))]
    return pd.DataFrame(rows, columns=["stage", "source", "target", "mass"])


def figure_7() -> pd.DataFrame:
    """Uniform sources: left, D_ncr^+, the transport cost of the quantisations and the limit; right, both errors."""
    a, b = FIGURE_7
    R = np.linspace(0, 5, POINTS)
    curves = [
        ("left", "d_ncr_upper", uniform.d_ncr_upper(a, b, R)),
        ("left", "transport_cost", uniform.transport_cost(a, b, R)),
        ("left", "wasserstein2", np.full_like(R, uniform.wasserstein2(a, b))),
        ("right", "quantisation", uniform.quantiser_error(a, R)),
        ("right", "dequantisation", uniform.quantiser_error(b, R)),
    ]
    return pd.concat([_curve(panel, name, R, D) for panel, name, D in curves], ignore_index=True)


def figure_8() -> pd.DataFrame:
    """Gaussian sources: d_cr, d_ncr (and the upper bound, equal to it) and the lower bound, up to 4 bits."""
    R = np.linspace(0, 4, POINTS)
    parts = []
    for panel, source in FIGURE_8.items():
        curves = [
            ("d_ncr", gaussian.d_ncr(*source, R)),
            ("d_ncr_upper", gaussian.d_ncr(*source, R)),  # (59)
            ("d_ncr_lower", gaussian.d_ncr_lower(*source, R)),
            ("d_cr", gaussian.d_cr(*source, R)),
        ]
        parts += [_curve(panel, name, R, D) for name, D in curves]
    return pd.concat(parts, ignore_index=True)


def operating_points() -> pd.DataFrame:
    """Designed quantisers on the sources of Figures 7 and 8, each beside the bound at its rate.

    Columns: panel (figure and panel), randomness (common, independent), levels, rate_bits, distortion, bound (no
    scheme at this rate goes below it).
    """
    a, b = FIGURE_7
    rows = []
    for common, randomness in ((True, "common"), (False, "independent")):
        for levels in LEVELS:
            scheme = simulation.design(uniform_law(0, a), uniform_law(0, b), levels, common)
            bound = (uniform.d_cr_lower if common else uniform.d_ncr_lower)(a, b, scheme.rate)
            rows.append(("7", randomness, levels, scheme.rate, scheme.distortion, bound))
            for panel, source in FIGURE_8.items():
                scheme = simulation.design(norm(*source[:2]), norm(*source[2:]), levels, common)
                bound = (gaussian.d_cr if common else gaussian.d_ncr)(*source, scheme.rate)
                rows.append((f"8{panel}", randomness, levels, scheme.rate, scheme.distortion, bound))
    return pd.DataFrame(rows, columns=["panel", "randomness", "levels", "rate_bits", "distortion", "bound"])


def _curve(panel: str, curve: str, R: FloatArray, D: Values) -> pd.DataFrame:
    return pd.DataFrame({"panel": panel, "curve": curve, "rate_bits": R, "distortion": D})
