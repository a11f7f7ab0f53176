"""The paper's analytic figures 3, 6, 7 and 8: no cell of a run has a part in them."""

from collections.abc import Callable
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ecot.cells import results_folder
from ecot.config import Config
from ecot.files import atomic
from ecot.reporting import drawing
from ecot.reporting.catalogue import SIMULATED
from ecot.reporting.drawing import STYLES
from ecot.theory import curves

# Marks set in turn show curves that coincide.
EVERY = 50
CURVES: dict[str, dict[str, Any]] = {
    "d_cr": {"color": "C0", "linestyle": "-", "label": r"$D_\mathrm{cr}$, common randomness"},
    "d_ncr": {"color": "C1", "linestyle": "--", "label": r"$D_\mathrm{ncr}$, no common randomness"},
    "d_ncr_upper": {
        "color": "0.2", "linestyle": ":", "marker": "v", "markevery": (0, EVERY), "markersize": 5,
        "label": r"$\overline{D}_\mathrm{ncr}$, upper bound",
    },
    "d_ncr_lower": {
        "color": "0.5", "linestyle": "-.", "marker": "^", "markevery": (EVERY // 2, EVERY), "markersize": 5,
        "markerfacecolor": "white", "label": r"$\underline{D}_\mathrm{ncr}$, lower bound",
    },
    "d_ncr_plus": {
        "color": "0.2", "linestyle": ":", "marker": "v", "markevery": (0, EVERY), "markersize": 5,
        "label": r"$D^+_\mathrm{ncr}$, upper bound",
    },
    "transport_cost": {
        "color": "0.5", "linestyle": "-.", "label": r"$W_2^2(p_{\hat{X}}, p_{\hat{Y}})$ of the quantised sources",
    },
    "wasserstein2": {"color": "0", "linestyle": "-", "linewidth": 0.8, "label": r"$W_2^2(p_X, p_Y)$, lower bound"},
    "quantisation": {"color": "C2", "linestyle": "-", "label": r"quantisation, $E(X-\hat{X})^2$"},
    "dequantisation": {"color": "C3", "linestyle": "--", "label": r"dequantisation, $E(Y-\hat{Y})^2$"},
}  # fmt: skip
STAGES = {"quantise": 0, "transport": 1, "dequantise": 2}


def write(number: int, config: Config) -> None:
    """Write figure_NN.svg and .png, and the numbers drawn: bounds/figure_NN.csv and figure_NN_points.csv."""
    data, draw = FIGURES[number]
    results, name = results_folder(config), f"figure_{number:02d}"
    tables = {name: data()} | ({f"{name}_points": operating_points(number)} if number in SIMULATED else {})
    for stem, table in tables.items():
        with atomic(results / "bounds" / f"{stem}.csv") as temporary:
            table.to_csv(temporary, index=False)
    drawing.write(results / "figures" / name, lambda: draw(tables[name]))


def operating_points(number: int) -> pd.DataFrame:
    """What simulated quantisers attain on the sources of Figure 7 or 8.

    Columns: those of `curves.operating_points`, and excess, by how much a point lies above its bound.
    """
    points = _all_points()
    own = points[points.panel.str.startswith(str(number))]
    return own.assign(excess=own.distortion - own.bound)


@cache
def _all_points() -> pd.DataFrame:
    return curves.operating_points()


def figure_3(frame: pd.DataFrame) -> Figure:
    """Binary sources: with and without common randomness, and the bounds on the latter."""
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.4), layout="constrained")
    for panel, (name, (q_x, q_y)) in zip(axes, curves.FIGURE_3.items(), strict=True):
        _curves(panel, frame[frame.panel == name])
        panel.set(title=rf"({name}) $q_X = {q_x:g}$, $q_Y = {q_y:g}$", xlabel="rate (bits)", ylim=(0, None))
    axes[0].set_ylabel("Hamming distortion")
    drawing.legend_below(figure, 4)
    return figure


def figure_6(frame: pd.DataFrame) -> Figure:
    """The plan without common randomness: values of each variable by height, arrows as wide as their mass."""
    figure, axes = plt.subplots(figsize=(7.5, 3.8), layout="constrained")
    nodes: dict[tuple[int, float], float] = {}
    for row in frame[frame.mass > 0].itertuples():
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
    axes.tick_params(length=0)
    sns.despine(ax=axes, left=True, bottom=True)
    return figure


def figure_7(frame: pd.DataFrame) -> Figure:
    """Uniform sources: left, bounds on the distortion; right, what quantisation and dequantisation add."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    _curves(left, frame[frame.panel == "left"].replace({"curve": {"d_ncr_upper": "d_ncr_plus"}}))
    _points_above_bounds(left, operating_points(7))
    a, b = curves.FIGURE_7
    title = rf"$X \sim U[0, {a:g}]$, $Y \sim U[0, {b:g}]$"
    left.set(title=title, xlabel="rate (bits)", ylabel="squared error", ylim=(2, None))
    _curves(right, frame[frame.panel == "right"])
    right.set(title="errors of the two quantisers", xlabel="rate (bits)", ylim=(0, None))
    for panel in (left, right):
        panel.legend(fontsize="small")
    return figure


def figure_8(frame: pd.DataFrame) -> Figure:
    """Gaussian sources: with and without common randomness, and the bounds on the latter."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
    points = operating_points(8)
    for panel, (name, (mu_x, sigma_x, mu_y, sigma_y)) in zip(axes, curves.FIGURE_8.items(), strict=True):
        _curves(panel, frame[frame.panel == name])
        _points_above_bounds(panel, points[points.panel == f"8{name}"])
        sources = rf"$\mu_X = {mu_x:g}$, $\sigma_X = {sigma_x:g}$, $\mu_Y = {mu_y:g}$, $\sigma_Y = {sigma_y:g}$"
        panel.set(title=f"({name}) {sources}", xlabel="rate (bits)", ylim=(0, None))
        panel.legend(fontsize="small")
    axes[0].set_ylabel("squared error")
    return figure


def _curves(axes: Axes, frame: pd.DataFrame) -> None:
    for name, curve in frame.groupby("curve", sort=False):
        axes.plot(curve.rate_bits, curve.distortion, **CURVES[str(name)])
    axes.set_xlim(0, frame.rate_bits.max())
    axes.grid(alpha=0.3)
    sns.despine(ax=axes)


def _points_above_bounds(axes: Axes, points: pd.DataFrame) -> None:
    """Each simulated quantiser with a line down to what no scheme at its rate goes below."""
    for randomness, own in points.groupby("randomness"):
        style = STYLES[str(randomness)] | {"linestyle": "none", "markersize": 4}
        excess = f"{own.excess.min():.2g} to {own.excess.max():.2g} above its bound"
        style["label"] = f"dithered quantiser, {style['label']}:\n{excess} (lower end of the line)"
        axes.vlines(own.rate_bits, own.bound, own.distortion, color=style["color"], linewidth=1)
        axes.plot(own.rate_bits, own.bound, "_", color=style["color"], markersize=5)
        axes.plot(own.rate_bits, own.distortion, **style)


FIGURES: dict[int, tuple[Callable[[], pd.DataFrame], Callable[[pd.DataFrame], Figure]]] = {
    3: (curves.figure_3, figure_3),
    6: (curves.figure_6, figure_6),
    7: (curves.figure_7, figure_7),
    8: (curves.figure_8, figure_8),
}
