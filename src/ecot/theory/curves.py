"""The data of the paper's analytic figures, tidy: one function for each figure, with the paper's own parameters.

`ternary` is Figure 3's picture for a source on three letters, and `shared_bits` that of limited common randomness,
which the paper has not. Curves have the columns panel, curve, rate_bits, distortion, and one row for each point.
Panels are named as in the paper.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import norm
from scipy.stats import uniform as uniform_law

from ecot.theory import binary, finite, gaussian, simulation, uniform
from ecot.theory._arguments import FloatArray, Values, whole

FIGURE_3 = {"a": (0.3, 0.3), "b": (0.3, 0.5), "c": (0.3, 0.6)}  # q_x, q_y
FIGURE_6 = 0.3, 0.5, 0.5  # q_x, q_y, rate: the paper draws letters; these numbers are ours
FIGURE_7 = 2.0, 5.0  # a, b
FIGURE_8 = {"a": (0.0, 1.0, 0.0, 1.0), "b": (0.0, 1.0, 1.0, 2.0)}  # mu_x, sigma_x, mu_y, sigma_y
TERNARY = (0.5, 0.3, 0.2), (0.2, 0.3, 0.5), (0.0, 1.0, 2.0)  # p_x, p_y, the letters of both: our own
LEVELS = 2, 3, 4, 6, 8, 12, 16  # of the simulated quantisers
POINTS = 401
SHARED_BITS = 0, 1, 2, 3, 4, 5, np.inf
SHARED_RATE = 0.6  # of the ternary source, whose smaller entropy is 1.49 bits
SHARED_LEVELS = 4  # of the simulated quantisers, 2 bits of fixed length
SHARED_SOURCE = 0.0, 1.0, 0.0, 1.0  # mu_x, sigma_x, mu_y, sigma_y; the uniform sources have the same lengths, 1

__all__ = ["figure_3", "figure_6", "figure_7", "figure_8", "operating_points", "shared_bits", "ternary"]


def figure_3() -> pd.DataFrame:
    """Binary sources: d_cr, d_ncr and its bounds, for rates up to one bit, saturation points included.

    Returns
    -------
    The curves d_ncr, d_ncr_upper, d_ncr_lower and d_cr in panels a, b and c.

    Examples
    --------
    >>> figure_3().groupby("panel").distortion.max().round(2).tolist()  # independent letters
    [0.42, 0.5, 0.54]
    """
    parts = []
    for panel, (q_x, q_y) in FIGURE_3.items():
        rho = min(q_y / q_x, (1 - q_y) / (1 - q_x))
        kinks = np.array([binary.entropy(q_x), binary.entropy(q_y), rho * np.asarray(binary.entropy(q_x))])
        R = np.union1d(np.linspace(0, 1, POINTS), kinks)
        for name in ("d_ncr", "d_ncr_upper", "d_ncr_lower", "d_cr"):
            parts.append(_curve(panel, name, R, getattr(binary, name)(q_x, q_y, R)))
    return pd.concat(parts, ignore_index=True)


def ternary(points: int = 25, progress: finite.Progress | None = None) -> pd.DataFrame:
    """A source on three letters under squared error: one shot and long blocks, and the plain distortion-rate
    function.

    Parameters
    ----------
    points
        The number of rates from 0 to 1.2 bits, at least 1; 25 take about a minute.
    progress
        That of `finite.d_ncr`.

    Returns
    -------
    The curves d_ncr, d_cr, d_ncr_asymptotic, d_cr_asymptotic, distortion_rate, and the lower ends of both brackets,
    d_ncr_lower and d_ncr_asymptotic_lower, in the panel ternary.

    Raises
    ------
    ValueError
        For a wrong number of points.
    ArithmeticError
        If a solver fails.

    Examples
    --------
    >>> start = ternary(points=1).set_index("curve").distortion.round(2)  # at rate 0
    >>> start[["d_ncr", "distortion_rate"]].tolist()
    [1.58, 0.7]
    """
    p_x, p_y, letters = TERNARY
    cost = finite.squared_error(letters, letters)
    R = np.linspace(0, 1.2, whole("points", points, 1))
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

    Returns
    -------
    Columns: stage (quantise, transport, dequantise), source and target (values of X, X_hat, Y_hat or Y), mass (the
    probability that passes along the arrow; each stage sums to one).

    Examples
    --------
    >>> figure_6().groupby("stage", sort=False).size().to_dict()
    {'quantise': 4, 'transport': 2, 'dequantise': 4}
    """
    plan = binary.ncr_plan(*FIGURE_6)
    rows = []
    for mass, x_hat, y_hat in zip(plan.mass, plan.x_hat, plan.y_hat, strict=True):
        rows += [("quantise", x, x_hat, mass * p) for x, p in ((0.0, 1 - x_hat), (1.0, x_hat))]
        rows += [("transport", x_hat, y_hat, mass)]
        rows += [("dequantise", y_hat, y, mass * p) for y, p in ((0.0, 1 - y_hat), (1.0, y_hat))]
    return pd.DataFrame(rows, columns=["stage", "source", "target", "mass"])


def figure_7() -> pd.DataFrame:
    """Uniform sources: left, D_ncr^+, the transport cost of the quantisations and the limit; right, both errors.

    Returns
    -------
    The curves d_ncr_upper, transport_cost and wasserstein2 in the panel left, quantisation and dequantisation in the
    panel right.

    Examples
    --------
    >>> figure_7().groupby("curve").distortion.max().round(3).to_dict()["d_ncr_upper"]  # at rate 0: 3 + ab/6
    4.667
    """
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
    """Gaussian sources: d_cr, d_ncr (and the upper bound, equal to it) and the lower bound, up to 4 bits.

    Returns
    -------
    The curves d_ncr, d_ncr_upper, d_ncr_lower and d_cr in panels a and b.

    Examples
    --------
    >>> figure_8().groupby("panel").distortion.max().tolist()  # independent letters
    [2.0, 6.0]
    """
    R = np.linspace(0, 4, POINTS)
    parts = []
    for panel, source in FIGURE_8.items():
        curves = [
            ("d_ncr", gaussian.d_ncr(*source, R)),
            ("d_ncr_upper", gaussian.d_ncr_upper(*source, R)),
            ("d_ncr_lower", gaussian.d_ncr_lower(*source, R)),
            ("d_cr", gaussian.d_cr(*source, R)),
        ]
        parts += [_curve(panel, name, R, D) for name, D in curves]
    return pd.concat(parts, ignore_index=True)


def operating_points(levels: Sequence[int] = LEVELS) -> pd.DataFrame:
    """Designed quantisers on the sources of Figures 7 and 8, each beside the bound at its rate.

    Parameters
    ----------
    levels
        Numbers of points of the quantisers, at least 2 each.

    Returns
    -------
    Columns: panel (figure and panel), randomness (common, independent), levels, rate_bits, distortion, bound (no
    scheme at this rate goes below it).

    Raises
    ------
    ValueError
        For fewer than 2 points.
    ArithmeticError
        If the design of a quantiser does not end.

    Examples
    --------
    >>> points = operating_points([2])
    >>> len(points), bool((points.distortion > points.bound).all())
    (6, True)
    """
    a, b = FIGURE_7
    rows = []
    for bits, randomness in ((np.inf, "common"), (0, "independent")):
        for L in levels:
            scheme = simulation.design(uniform_law(0, a), uniform_law(0, b), L, bits)
            bound = (uniform.d_cr_lower if scheme.common else uniform.d_ncr_lower)(a, b, scheme.rate)
            rows.append(("7", randomness, L, scheme.rate, scheme.distortion, bound))
            for panel, source in FIGURE_8.items():
                scheme = simulation.design(norm(*source[:2]), norm(*source[2:]), L, bits)
                bound = (gaussian.d_cr if scheme.common else gaussian.d_ncr)(*source, scheme.rate)
                rows.append((f"8{panel}", randomness, L, scheme.rate, scheme.distortion, bound))
    return pd.DataFrame(rows, columns=["panel", "randomness", "levels", "rate_bits", "distortion", "bound"])


def shared_bits(bits: Sequence[float] = SHARED_BITS) -> pd.DataFrame:
    """Distortion against bits of common randomness at a fixed rate: one letter and long blocks, and schemes.

    Parameters
    ----------
    bits
        Numbers of shared bits per letter: whole ones, and inf. The default takes about half a minute.

    Returns
    -------
    Columns: panel, curve, shared_bits, rate_bits, distortion. Panel ternary: d_limited, d_limited_asymptotic and
    their lower ends, d_limited_lower and d_limited_asymptotic_lower. Panel gaussian: d_limited, and scheme, the
    distortion of the designed dithered quantiser. Panel uniform: scheme alone. The rate of a scheme is that of a code
    of fixed length, log2 L, which is that of d_limited beside it.

    Raises
    ------
    ValueError
        For a wrong number of bits.
    ArithmeticError
        If a solver fails, or the design of a quantiser does not end.

    Examples
    --------
    >>> found = shared_bits([0, np.inf])
    >>> found[found.panel == "gaussian"].groupby("curve").distortion.apply(lambda D: D.round(3).tolist()).to_dict()
    {'d_limited': [0.125, 0.064], 'scheme': [0.33, 0.156]}
    """
    p_x, p_y, letters = TERNARY
    source = p_x, p_y, finite.squared_error(letters, letters), SHARED_RATE
    one, blocks = finite.d_limited(*source, bits), finite.d_limited_asymptotic(*source, bits)
    R = float(np.log2(SHARED_LEVELS))
    rows: list[tuple[str, str, float, Values]] = [
        ("ternary", "d_limited", SHARED_RATE, one.upper),
        ("ternary", "d_limited_lower", SHARED_RATE, one.lower),
        ("ternary", "d_limited_asymptotic", SHARED_RATE, blocks.upper),
        ("ternary", "d_limited_asymptotic_lower", SHARED_RATE, blocks.lower),
        ("gaussian", "d_limited", R, gaussian.d_limited(*SHARED_SOURCE, R, bits)),
    ]
    for panel, law in (("gaussian", norm(*SHARED_SOURCE[:2])), ("uniform", uniform_law(0, 1))):
        schemes = [simulation.design(law, law, SHARED_LEVELS, k) for k in bits]
        rows.append((panel, "scheme", R, np.array([scheme.distortion for scheme in schemes])))
    return pd.concat(
        [
            pd.DataFrame(
                {"panel": panel, "curve": curve, "shared_bits": bits, "rate_bits": rate, "distortion": distortion}
            )
            for panel, curve, rate, distortion in rows
        ],
        ignore_index=True,
    )


def _curve(panel: str, curve: str, R: FloatArray, D: Values) -> pd.DataFrame:
    return pd.DataFrame({"panel": panel, "curve": curve, "rate_bits": R, "distortion": D})
