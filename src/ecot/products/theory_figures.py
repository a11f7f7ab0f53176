"""The paper's analytic figures 3, 6, 7 and 8: no cell of a run is part of them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from ecot.config import Config
from ecot.files import atomic
from ecot.grid.paths import results_folder
from ecot.products import palette
from ecot.products.base import Product, declare
from ecot.products.figure_paths import figure_files

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COMMON, INDEPENDENT, THIRD, FOURTH, INK, GREY = (
    palette.COLOURS[name].light for name in ("common", "independent", "third", "fourth", "ink", "grey")
)
# Marks set in turn show curves that coincide.
EVERY = 50
CURVES: dict[str, dict[str, Any]] = {
    "d_cr": {"color": COMMON, "linestyle": "-", "label": r"$D_\mathrm{cr}$, common randomness"},
    "d_ncr": {"color": INDEPENDENT, "linestyle": "--", "label": r"$D_\mathrm{ncr}$, no common randomness"},
    "d_ncr_upper": {
        "color": INK, "linestyle": ":", "marker": "v", "markevery": (0, EVERY), "markersize": 5,
        "label": r"$\overline{D}_\mathrm{ncr}$, upper bound",
    },
    "d_ncr_lower": {
        "color": GREY, "linestyle": "-.", "marker": "^", "markevery": (EVERY // 2, EVERY), "markersize": 5,
        "markerfacecolor": "white", "label": r"$\underline{D}_\mathrm{ncr}$, lower bound",
    },
    "d_ncr_plus": {
        "color": INK, "linestyle": ":", "marker": "v", "markevery": (0, EVERY), "markersize": 5,
        "label": r"$D^+_\mathrm{ncr}$, upper bound",
    },
    "transport_cost": {
        "color": GREY, "linestyle": "-.", "label": r"$W_2^2(p_{\hat{X}}, p_{\hat{Y}})$ of the quantised sources",
    },
    "wasserstein2": {"color": INK, "linestyle": "-", "linewidth": 0.8, "label": r"$W_2^2(p_X, p_Y)$, lower bound"},
    "quantisation": {"color": THIRD, "linestyle": "-", "label": r"quantisation, $E(X-\hat{X})^2$"},
    "dequantisation": {"color": FOURTH, "linestyle": "--", "label": r"dequantisation, $E(Y-\hat{Y})^2$"},
}  # fmt: skip
RATE = "rate (bits per letter)"
STAGES = {"quantise": 0, "transport": 1, "dequantise": 2}


@dataclass(frozen=True)
class TheoryFigure(Product):
    """A figure of the theory, and the numbers that it draws.

    These are bounds/figure_NN.csv and, where simulated quantisers stand beside the curves, figure_NN_points.csv.
    """

    number: int
    simulated: bool

    def files(self, config: Config) -> list[Path]:
        folder = results_folder(config)
        return [*figure_files(folder, self.name), *(folder / "bounds" / f"{name}.csv" for name in self._tables())]

    def write(self, config: Config, folder: Path) -> None:
        from ecot.products import drawing

        curves, points = self.curves(), self.points()
        for name, table in zip(self._tables(), (curves, points), strict=False):
            with atomic(folder / "bounds" / f"{name}.csv") as temporary:
                table.to_csv(temporary, index=False)
        drawing.write(folder / "figures" / self.name, lambda: DRAWINGS[self.number](curves, points))

    def curves(self) -> pd.DataFrame:
        """The numbers of the curves, as the function of the figure's name in `ecot.theory.curves` gives them."""
        from ecot.theory import curves

        table: pd.DataFrame = getattr(curves, f"figure_{self.number}")()
        return table

    def points(self) -> pd.DataFrame:
        """What simulated quantisers attain on the sources of the figure; no rows if it shows none.

        Columns: those of `ecot.theory.curves.operating_points`, and excess, by how much a point lies above its bound.
        """
        if not self.simulated:
            return pd.DataFrame()
        points = _operating_points()
        points = points[points.panel.str.startswith(str(self.number))]
        return points.assign(excess=points.distortion - points.bound)

    def _tables(self) -> list[str]:
        return [self.name, *([f"{self.name}_points"] if self.simulated else [])]


@cache
def _operating_points() -> pd.DataFrame:
    """Those of both figures at once, since their design takes seconds."""
    from ecot.theory import curves

    return curves.operating_points()


def figure_3(table: pd.DataFrame, _points: pd.DataFrame) -> "Figure":
    """Binary sources: with and without common randomness, and the bounds on the latter."""
    from ecot.products import drawing
    from ecot.theory import curves

    figure, (axes,) = drawing.panels(1, 3, (10.5, 3.5))
    for panel, (name, (q_x, q_y)) in zip(axes, curves.FIGURE_3.items(), strict=True):
        _curves(panel, table[table.panel == name])
        panel.set(
            title=rf"({name}) $q_X = {q_x:g}$, $q_Y = {q_y:g}$",
            xlabel=RATE,
            ylabel="Hamming distortion",
            ylim=(0, None),
        )
    drawing.legend_below(figure, 4)
    return figure


def figure_6(table: pd.DataFrame, _points: pd.DataFrame) -> "Figure":
    """The plan without common randomness: values of each variable by height, arrows as wide as their mass."""
    from ecot.products import drawing
    from ecot.theory import curves

    figure, ((axes,),) = drawing.panels(1, 1, (7.5, 3.8))
    nodes: dict[tuple[int, float], float] = {}
    for row in table[table.mass > 0].itertuples():
        start, end = (STAGES[row.stage], row.source), (STAGES[row.stage] + 1, row.target)
        nodes[end] = nodes.get(end, 0.0) + row.mass
        if row.stage == "quantise":
            nodes[start] = nodes.get(start, 0.0) + row.mass
        arrow = {"arrowstyle": "-|>", "linewidth": 0.6 + 4 * row.mass, "shrinkA": 15, "shrinkB": 15, "color": "0.45"}
        axes.annotate("", end, start, arrowprops=arrow)
        x, y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
        axes.text(x, y, f"{row.mass:.3f}", ha="center", va="center", bbox={"color": "white", "pad": 1})
    for (column, value), mass in nodes.items():
        axes.plot(column, value, "o", markersize=27, markerfacecolor="white", markeredgecolor="0", zorder=3)
        axes.text(column, value, f"{value:.3g}", ha="center", va="center", fontsize="small", zorder=4)
        axes.text(column, value + 0.14, f"p = {mass:.3f}", ha="center", fontsize="small")
    q_x, q_y, rate = curves.FIGURE_6
    axes.set(xlim=(-0.4, 3.4), ylim=(-0.2, 1.3), yticks=[])
    axes.set_xticks(range(4), ["$X$", r"$\hat{X}$", r"$\hat{Y}$", "$Y$"], fontsize="x-large")
    for stage, column in STAGES.items():
        axes.text(column + 0.5, -0.28, stage, ha="center", va="top", style="italic")
    axes.set_title(rf"$q_X = {q_x:g}$, $q_Y = {q_y:g}$, $R = {rate:g}$ bit: values, and the mass that passes between")
    drawing.without_frame(axes)
    return figure


def figure_7(table: pd.DataFrame, points: pd.DataFrame) -> "Figure":
    """Uniform sources: left, bounds on the distortion; right, what quantisation and dequantisation add."""
    from ecot.products import drawing
    from ecot.theory import curves

    figure, ((left, right),) = drawing.panels(1, 2, (10, 4.2))
    _curves(left, table[table.panel == "left"].replace({"curve": {"d_ncr_upper": "d_ncr_plus"}}))
    _points_above_bounds(left, points)
    a, b = curves.FIGURE_7
    title = rf"$X \sim U[0, {a:g}]$, $Y \sim U[0, {b:g}]$"
    left.set(title=title, xlabel=RATE, ylabel="squared error", ylim=(2, None))
    _curves(right, table[table.panel == "right"])
    right.set(title="errors of the two quantisers", xlabel=RATE, ylabel="squared error", ylim=(0, None))
    for panel in (left, right):
        panel.legend(fontsize="small")
    drawing.letter((left, right))
    return figure


def figure_8(table: pd.DataFrame, points: pd.DataFrame) -> "Figure":
    """Gaussian sources: with and without common randomness, and the bounds on the latter."""
    from ecot.products import drawing
    from ecot.theory import curves

    figure, (axes,) = drawing.panels(1, 2, (10, 4.2))
    for panel, (name, (mu_x, sigma_x, mu_y, sigma_y)) in zip(axes, curves.FIGURE_8.items(), strict=True):
        _curves(panel, table[table.panel == name])
        _points_above_bounds(panel, points[points.panel == f"8{name}"])
        sources = rf"$\mu_X = {mu_x:g}$, $\sigma_X = {sigma_x:g}$, $\mu_Y = {mu_y:g}$, $\sigma_Y = {sigma_y:g}$"
        panel.set(title=f"({name}) {sources}", xlabel=RATE, ylabel="squared error", ylim=(0, None))
        panel.legend(fontsize="small")
    return figure


def _curves(axes: "Axes", table: pd.DataFrame) -> None:
    from ecot.products import drawing

    for name, curve in table.groupby("curve", sort=False):
        axes.plot(curve.rate_bits, curve.distortion, **CURVES[str(name)])
    axes.set_xlim(0, table.rate_bits.max())
    drawing.tidy(axes)


def _points_above_bounds(axes: "Axes", points: pd.DataFrame) -> None:
    """Each simulated quantiser with a line down to what no scheme at its rate goes below."""
    from ecot.products import drawing

    for randomness, group in points.groupby("randomness"):
        style = drawing.STYLES[str(randomness)] | {"linestyle": "none", "markersize": 4}
        excess = f"{group.excess.min():.2g} to {group.excess.max():.2g} above its bound"
        style["label"] = f"dithered quantiser, {style['label']}:\n{excess} (lower end of the line)"
        axes.vlines(group.rate_bits, group.bound, group.distortion, color=style["color"], linewidth=1)
        axes.plot(group.rate_bits, group.bound, "_", color=style["color"], markersize=5)
        axes.plot(group.rate_bits, group.distortion, **style)


Drawing = Callable[[pd.DataFrame, pd.DataFrame], "Figure"]
DRAWINGS: dict[int, Drawing] = {3: figure_3, 6: figure_6, 7: figure_7, 8: figure_8}
CAPTIONS = {
    3: (
        "binary sources",
        "binary sources, Hamming distortion against rate (Theorem 4), with common randomness (D_cr) and without"
        " (D_ncr, its upper bound (23) and lower bound (24)). (a) Both bounds are tight. (b) Only the upper one is."
        " (c) Neither is. Curves that coincide are told apart by their marks.",
    ),
    6: (
        "the optimal plan for two binary sources",
        "the optimal plan without common randomness for two binary sources, which quantises X, transports the"
        " quantised values and dequantises to Y. Circles hold values, which are also their heights, with their"
        " probabilities above; arrows carry the mass written on them. The paper draws letters in place of these"
        " numbers.",
    ),
    7: (
        "uniform sources",
        "uniform sources under squared error. Left, the upper bound on D_ncr, its limit, and the part of it that"
        " transports the quantised sources; right, the parts that quantise and dequantise. Beside the paper's"
        " curves stand dithered quantisers, designed numerically and simulated, each with a line down to a lower"
        " bound on all schemes at its rate (Shannon's lower bound in the proof of Theorem 8; not in the paper).",
    ),
    8: (
        "Gaussian sources",
        "Gaussian sources under squared error, long blocks (Theorem 8), with common randomness and without. (a)"
        " Both bounds are tight. (b) Only the upper one is. Beside the paper's curves stand dithered quantisers"
        " that code letter by letter, designed numerically and simulated, each with a line down to the curve, which"
        " no scheme at its rate goes below.",
    ),
}
SIMULATED = {7, 8}  # the figures with simulated quantisers


@declare
def _products(_config: Config) -> Iterator[TheoryFigure]:
    for number, (title, caption) in CAPTIONS.items():
        name, simulated = f"figure_{number:02d}", number in SIMULATED
        tables = f"``bounds/{name}.csv``" + (f" and ``bounds/{name}_points.csv``" if simulated else "")
        yield TheoryFigure(
            name,
            f"Figure {number}: {title}",
            f"Figure {number} of the paper: {caption} The numbers are in {tables}.",
            "Figures",
            number,
            simulated,
        )
