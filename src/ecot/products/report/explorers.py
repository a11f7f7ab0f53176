"""The theory with sliders: curves of `ecot.theory` at every position of the sliders, computed here beforehand."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from ecot.products.report.charts import DASHES, Chart, Entry, numbers
from ecot.theory import binary, curves, gaussian, uniform

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Slider:
    """A parameter: its symbol, what it is, and its positions."""

    symbol: str
    label: str
    positions: tuple[float, ...]


@dataclass(frozen=True)
class Curve:
    """How a curve is drawn; its name is that of `ecot bounds`."""

    name: str
    label: str
    colour: str
    dash: str


@dataclass(frozen=True)
class Explorer:
    """One kind of source: sliders, curves, and the positions that the paper draws."""

    name: str
    title: str
    text: str
    unit: str
    rates: tuple[float, ...]
    sliders: tuple[Slider, ...]
    curves: tuple[Curve, ...]
    presets: Mapping[str, tuple[float, ...]]
    compute: Callable[[tuple[float, ...], Array], Mapping[str, Any]]
    command: str  # of `ecot bounds`, with the values of `arguments` in braces
    arguments: Callable[[tuple[float, ...]], tuple[float, ...]] = lambda at: at

    def positions(self) -> list[tuple[float, ...]]:
        """All positions of the sliders, the last one fastest."""
        return list(product(*(slider.positions for slider in self.sliders)))

    def commands(self) -> list[str]:
        """At each position the command that prints the same numbers, but for its rate."""
        return [self.command.format(*map("{:g}".format, self.arguments(at))) for at in self.positions()]

    def distortions(self) -> list[list[list[float | None]]]:
        """For each position of the sliders and each curve: the distortion at each rate."""
        R, found = np.array(self.rates), []
        for position in self.positions():
            at = self.compute(position, R)
            found.append([numbers(np.broadcast_to(at[curve.name], R.shape)) for curve in self.curves])
        return found

    def start(self) -> tuple[int, ...]:
        """The position that is shown first: the last of the paper's."""
        chosen = list(self.presets.values())[-1]
        return tuple(slider.positions.index(value) for slider, value in zip(self.sliders, chosen, strict=True))

    def chart(self) -> Chart:
        """The chart without numbers, which the page puts in."""
        chart = Chart(go.Figure(), self.text)
        for curve in self.curves:
            chart.figure.add_scatter(
                x=list(self.rates),
                y=[],
                mode="lines",
                line={"dash": curve.dash, "width": 2.5},
                name=curve.label,
                hovertemplate=f"<b>{curve.label}</b><br>%{{x}} bits: %{{y:.6f}}<extra></extra>",
                meta={"colour": curve.colour, "key": curve.name, "for": ""},
            )
            chart.legend.append(Entry(curve.name, curve.label, curve.colour, DASHES[curve.dash]))
        chart.figure.update_layout(
            xaxis={"title": "rate (bits per letter)", "range": [0, self.rates[-1]]},
            yaxis={"title": self.unit, "rangemode": "tozero", "automargin": True},
            height=420,
        )
        return chart


def explorers() -> list[Explorer]:
    """Binary, uniform and Gaussian sources, the paper's Figures 3, 7 and 8."""
    D_CR = Curve("d_cr", "D_cr, common randomness", "common", "solid")
    D_NCR = Curve("d_ncr", "D_ncr, no common randomness", "independent", "dash")
    UPPER = Curve("d_ncr_upper", "upper bound on D_ncr", "ink", "dot")
    LOWER = Curve("d_ncr_lower", "lower bound on D_ncr", "grey", "dashdot")
    a = curves.FIGURE_7[0]
    return [
        Explorer(
            "binary",
            "Binary sources",
            "Hamming distortion of binary sources against the rate, with common randomness and without (Theorem 4).",
            "Hamming distortion",
            _steps(0, 1, 0.02),
            (
                Slider("q_X", "q_X = P(X = 1)", _steps(0.05, 0.5, 0.05)),
                Slider("q_Y", "q_Y = P(Y = 1)", _steps(0.05, 0.95, 0.05)),
            ),
            (D_NCR, UPPER, LOWER, D_CR),
            {f"Figure 3({name})": position for name, position in curves.FIGURE_3.items()},
            lambda at, R: {curve.name: getattr(binary, curve.name)(*at, R) for curve in (D_NCR, UPPER, LOWER, D_CR)},
            "ecot bounds binary --q-x {0} --q-y {1}",
        ),
        Explorer(
            "uniform",
            "Uniform sources",
            f"Squared error of X uniform on [0, {a:g}] and Y uniform on [0, b] against the rate (Appendix A.6)."
            " The optimum is not known; these are bounds.",
            "squared error",
            _steps(0, 5, 0.1),
            (Slider("b / a", f"b / a, with a = {a:g}", _steps(0.25, 4, 0.25)),),
            (
                UPPER,
                LOWER,
                Curve("d_cr_lower", "lower bound on D_cr", "common", "longdash"),
                Curve("limit", "W2²(pX, pY), the limit", "third", "solid"),
            ),
            {"Figure 7": (curves.FIGURE_7[1] / a,)},
            lambda at, R: {
                "d_ncr_upper": uniform.d_ncr_upper(a, at[0] * a, R),
                "d_ncr_lower": uniform.d_ncr_lower(a, at[0] * a, R),
                "d_cr_lower": uniform.d_cr_lower(a, at[0] * a, R),
                "limit": uniform.wasserstein2(a, at[0] * a),
            },
            "ecot bounds uniform --a {0} --b {1}",
            lambda at: (a, at[0] * a),
        ),
        Explorer(
            "gaussian",
            "Gaussian sources",
            "Squared error of X ~ N(0, 1) and Y ~ N(mu_Y, sigma_Y²) against the rate, long blocks (Theorem 8).",
            "squared error",
            _steps(0, 4, 0.1),
            (
                Slider("mu_Y", "mu_Y, the mean of Y", _steps(0, 2, 0.5)),
                Slider("sigma_Y", "sigma_Y, the standard deviation of Y", _steps(0.25, 4, 0.25)),
            ),
            (D_NCR, LOWER, D_CR),
            {f"Figure 8({name})": (mu_y, sigma_y) for name, (_, _, mu_y, sigma_y) in curves.FIGURE_8.items()},
            lambda at, R: {
                curve.name: getattr(gaussian, curve.name)(0.0, 1.0, *at, R) for curve in (D_NCR, LOWER, D_CR)
            },
            "ecot bounds gaussian --sigma-x 1 --mu-y {0} --sigma-y {1}",
        ),
    ]


def _steps(first: float, last: float, step: float) -> tuple[float, ...]:
    """Round numbers, both ends included."""
    return tuple(round(first + i * step, 6) for i in range(round((last - first) / step) + 1))
