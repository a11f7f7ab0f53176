"""The paper's figures, from a run."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from ecot import paper
from ecot.cells import Cell, bounds_path, results_folder
from ecot.config import Config
from ecot.data.registry import DATASETS
from ecot.errors import EcotError
from ecot.reporting import drawing, metrics, reading
from ecot.reporting.captions import count, missing_note, task_title, weight_title
from ecot.reporting.catalogue import FIGURES, THEORY_FIGURES
from ecot.reporting.drawing import STYLES

# What is known before training: black and grey bounds, thin references, an estimate in open marks.
BOUNDS: dict[str, dict[str, Any]] = {
    "rate_zero": {"color": "0", "marker": "D", "linestyle": "none", "label": "bound: independent output, R = 0"},
    "gaussian_d_cr": {"color": "C0", "linestyle": ":", "label": "reference: Gaussian vectors, common randomness"},
    "gaussian_d_ncr": {
        "color": "C1", "linestyle": "-.", "linewidth": 1,
        "label": "reference: Gaussian vectors, no common randomness",
    },
    "entropic_d_cr": {
        "color": "C0", "marker": "^", "markerfacecolor": "white", "linestyle": "none",
        "label": "estimate: entropic transport, common randomness",
    },
}  # fmt: skip
FLOOR = "bound: floor for outputs of law $p_Y$ (Gelbrich)"
BAND = "bounds: $W_2^2(p_X, p_Y)$, the limit, lies between"
HEADROOM = 1.3  # the axis ends at so much of the largest measured value ...
REACH = 1.75  # ... or where R = 0 is, if that is no further than this
TICKS = 12  # at most so many rates are named on an axis
GRID_RATES = 6  # at most so many rates are shown as images, as in the paper


def write(number: int, config: Config) -> None:
    """Write figure_NN.svg and .png of a run. EcotError if there is no such figure or no cell of it is measured."""
    if number not in DRAWINGS:
        raise EcotError(f"no Figure {number}; there are {', '.join(map(str, sorted([*DRAWINGS, *THEORY_FIGURES])))}")
    found = metrics.of(FIGURES[number], config)
    if found.table.empty:
        raise EcotError(f"Figure {number}: no cell of it is measured in {results_folder(config)}")
    drawing.write(results_folder(config) / "figures" / f"figure_{number:02d}", lambda: _draw(number, found, config))


def _draw(number: int, found: metrics.Metrics, config: Config) -> Figure:
    figure = DRAWINGS[number](found.table, config)
    if found.missing:
        figure.suptitle(missing_note(found.missing)[0], wrap=True, fontsize="small", color="C3")
    return figure


def figure_5(table: pd.DataFrame, config: Config) -> Figure:
    """(a)(c): distortion against rate, with its bounds where they are computed; (b)(d): images by rate."""
    tasks = [task for task in config.tasks if task in set(table.task)]
    figure, axes = plt.subplots(
        len(tasks), 2, figsize=(10, 4 * len(tasks)), squeeze=False, width_ratios=[1, 1.25], layout="constrained"
    )
    for row, task in enumerate(tasks):
        own = table[table.task == task]
        curve, images = axes[row]
        _rate_distortion(curve, own, task)
        if bounds_path(config, task).is_file():
            _bounds(curve, reading.table(bounds_path(config, task)).set_index("bound"))
        weight = weight_title(config.tasks[task].schedules()["end_to_end"])
        data = DATASETS[config.tasks[task].dataset].title
        curve.set_title(f"({'ac'[row]}) {task_title(task)}, {weight}\n{data}")
        _images(images, own, config, task)
        images.set_title(f"({'bd'[row]}) outputs with common randomness, first seed")
    drawing.legend_below(figure, 3)
    return figure


def _rate_distortion(axes: Axes, own: pd.DataFrame, task: str) -> None:
    means = metrics.over_seeds(own, "mse_input")
    for randomness, style in STYLES.items():
        line = means[means.randomness == randomness]
        if len(line):
            axes.errorbar(line.rate_bits, line.value, line["std"].fillna(0), capsize=2, markersize=4, **style)
            for point in line[line.n_seeds < means.n_seeds.max()].itertuples():
                seeds_there = count(int(point.n_seeds), "seed")
                axes.annotate(
                    seeds_there,
                    (point.rate_bits, point.value),
                    (4, 4),
                    textcoords="offset points",
                    fontsize="x-small",
                )
    if set(own["dataset"]) == {paper.DATASETS.get(task)}:
        published = paper.published().query("quantity == 'mse_input' and mode == 'end_to_end' and table in (5, 6)")
        for randomness, line in published[published.task == task].groupby("randomness"):
            style = STYLES[randomness]
            axes.plot(
                line.rate_bits, line.value, "x", color=style["color"], label=f"paper, {style['label']}", markersize=4
            )
    seeds = means.n_seeds
    spread = ", bars: standard deviation" if seeds.max() > 1 else ""
    rates = sorted(set(means.rate_bits))
    axes.set_xticks(rates[:: 1 + len(rates) // TICKS])
    axes.set_xlabel(f"rate (bits an image); mean over {count(seeds, 'seed')}{spread}")
    axes.set_ylabel(r"distortion $E\|X-\hat{Y}\|^2$ per pixel")
    axes.grid(alpha=0.3)
    sns.despine(ax=axes)


def _bounds(axes: Axes, bounds: pd.DataFrame) -> None:
    """Lines, a band and marks for the statements of bounds/images_<task>.csv; `bounds` is indexed by bound.

    What lies far above the measured values is cut off, and the value at R = 0 then stands there as text.
    """
    bottom, highest = axes.get_ylim()
    floor, paired = bounds.distortion["gelbrich_floor"], bounds.distortion["paired_upper_bound_on_transport"]
    start = bounds.distortion["rate_zero"]
    in_reach = start < REACH * highest
    axes.axhline(floor, color="0.4", linewidth=1, label=FLOOR)
    axes.axhspan(floor, paired, color="0.9", zorder=0, label=BAND)
    for name, style in BOUNDS.items():
        own = bounds.loc[[name]]
        axes.plot(own.rate_bits, own.distortion, markersize=4, clip_on=not in_reach, **style)
    if not in_reach:
        axes.text(0.98, 0.97, f"R = 0 (bound): {start:.3f}", transform=axes.transAxes, ha="right", va="top")
    top = max(1.05 * start, highest) if in_reach else HEADROOM * highest
    axes.set_ylim(min(bottom, floor - 0.05 * (top - floor)), top)
    axes.set_xlim(left=0)


def _images(axes: Axes, own: pd.DataFrame, config: Config, task: str) -> None:
    """Rows: degraded, clean, then an output a rate; all from the pictures of evaluation."""
    shown = own[own.randomness == "common"] if (own.randomness == "common").any() else own
    first = shown.sort_values(["rate_bits", "seed"]).drop_duplicates("rate_bits")
    picked = first.iloc[np.unique(np.linspace(0, len(first) - 1, min(GRID_RATES, len(first))).round().astype(int))]
    labels: list[str] = []
    strips: list[NDArray[np.uint8]] = []
    for row in picked.itertuples():
        cell = Cell(task, row.mode, row.randomness, row.rate_bits, row.seed)
        degraded, clean, output = _rows(results_folder(config) / cell.folder / "samples.png")
        if not strips:
            labels, strips = ["degraded", "clean"], [degraded, clean]
        labels.append(f"R = {row.rate_bits}")
        strips.append(output)
    height = strips[0].shape[0]
    axes.imshow(np.concatenate(strips), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_yticks([height * (i + 0.5) - 0.5 for i in range(len(labels))], labels)
    axes.set_xticks([])
    axes.tick_params(length=0)
    sns.despine(ax=axes, left=True, bottom=True)


def _rows(path: Path) -> list[NDArray[np.uint8]]:
    """The three rows of a cell's samples.png: degraded, clean, output."""
    pixels = reading.picture(path)
    with reading.reading(path):
        return np.split(pixels, 3)


DRAWINGS: dict[int, Callable[[pd.DataFrame, Config], Figure]] = {5: figure_5}
