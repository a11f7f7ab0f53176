"""How far the outputs are from p_Y, beside their distortion: a table and a figure of all cells of a run."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from ecot.cells import bounds_path, grid, levels_path, results_folder
from ecot.config import Config
from ecot.data.registry import DATASETS
from ecot.errors import EcotError
from ecot.reporting import drawing, metrics, reading
from ecot.reporting.captions import describe, missing_note, task_title
from ecot.reporting.tables import Grid, write_files

# Column of metrics.csv: its heading and decimals.
DISTORTIONS = {"mse_input": ("E‖X − Ŷ‖²", 4), "mse_target": ("E‖Y − Ŷ‖²", 4)}
GAPS = {
    "gelbrich": ("Gelbrich²", 4),
    "sliced_w2": ("sliced W2²", 5),
    "frechet_distance": ("Frechet", 2),
    "kernel_distance": ("kernel", 3),
    "classifier_accuracy": ("accuracy", 3),
    "critic_w1": ("W1, critic", 2),
}
KEY = ["task", "rate_bits", "randomness", "mode"]
NOTE = (
    "Gelbrich² and sliced W2² per pixel, as the distortions; Frechet and kernel distance on the features of a"
    " classifier of clean images, which also gives the accuracy; W1 of whole images by a fresh critic. Clean test"
    " images: one half of the test set for the other, which is what outputs of law pY score on average."
)
# Mode and randomness by mark; the rate is the colour.
MARKS: dict[tuple[str, str | None], dict[str, Any]] = {
    ("end_to_end", "common"): {"marker": "o", "filled": True, "label": "end to end, common randomness"},
    ("end_to_end", "independent"): {"marker": "s", "filled": False, "label": "end to end, no common randomness"},
    ("joint", "independent"): {"marker": "^", "filled": False, "label": "joint"},
    ("separate", "independent"): {"marker": "v", "filled": False, "label": "separate"},
    ("baseline", "common"): {"marker": "D", "filled": True, "label": "baseline, common randomness"},
    ("baseline", "independent"): {"marker": "D", "filled": False, "label": "baseline, no common randomness"},
    ("restoration", None): {"marker": "*", "filled": True, "label": "restoration, no bottleneck"},
}
LEVELS: dict[str, dict[str, Any]] = {
    "test": {"linestyle": ":", "label": "zero level: clean test images"},
    "training": {"linestyle": "-.", "label": "clean training images"},
}
RATE_TICKS = 8  # at most so many rates are named beside the colours


def write(config: Config) -> None:
    """Write tables/constraint.{csv,md,tex} and figures/constraint.{svg,png}; EcotError if no cell is measured."""
    found = metrics.read(list(grid(config)), config)
    if found.table.empty:
        raise EcotError(f"constraint: no cell is measured in {results_folder(config)}")
    clean = levels(config)
    rows = tidy(found.table, clean)
    notes = [*describe(config, list(config.tasks), found.table), NOTE, *missing_note(found.missing)]
    blocks = [(task_title(task), _grid(rows[rows.task == task])) for task in config.tasks if task in set(rows.task)]
    path = results_folder(config) / "tables" / "constraint"
    write_files(path, "Distortion, and how far the outputs are from the law pY", notes, blocks, rows)
    drawing.write(results_folder(config) / "figures" / "constraint", lambda: draw(found, clean, config))


def levels(config: Config) -> pd.DataFrame:
    """What each measure gives for clean images, by (task, images), for those tasks that it is known of."""
    paths = [path for task in config.tasks if (path := levels_path(config, task)).is_file()]
    empty = pd.DataFrame(columns=["task", "images", *GAPS])
    return pd.concat([empty, *map(reading.table, paths)]).set_index(["task", "images"])


def tidy(table: pd.DataFrame, clean: pd.DataFrame) -> pd.DataFrame:
    """A row a number: task, rate_bits, randomness, mode, quantity, value, std, n_seeds, zero_level, training_level,
    dataset.

    `std` is that over seeds, empty for one; the levels are what the quantity is for clean test images, as where the
    constraint is met, and for clean training images.
    """
    parts = [metrics.over_seeds(table, name).assign(quantity=name) for name in (*DISTORTIONS, *GAPS)]
    rows = pd.concat(parts, ignore_index=True)
    columns = {
        f"{name}_level": [
            _level(clean, task, images, quantity) for task, quantity in zip(rows.task, rows.quantity, strict=True)
        ]
        for name, images in (("zero", "test"), ("training", "training"))
    }
    rows = rows.assign(**columns, dataset=rows.task.map(table.groupby("task")["dataset"].first()))
    return rows[[*KEY, "quantity", "value", "std", "n_seeds", *columns, "dataset"]]


def draw(found: metrics.Metrics, clean: pd.DataFrame, config: Config) -> Figure:
    """A panel a task: distortion against the Gelbrich gap of each cell, a colour and a line a rate."""
    tasks = [task for task in config.tasks if task in set(found.table.task)]
    figure, axes = plt.subplots(1, len(tasks), figsize=(5.2 * len(tasks), 4.6), squeeze=False, layout="constrained")
    for panel, task in zip(axes[0], tasks, strict=True):
        own = found.table[found.table.task == task]
        _cells(panel, own)
        for images, style in LEVELS.items():
            if not np.isnan(level := _level(clean, task, images, "gelbrich")):
                panel.axvline(level, color="0.4", linewidth=1, **style)
        if bounds_path(config, task).is_file():
            bounds = reading.table(bounds_path(config, task)).set_index("bound")
            _bound(panel, float(bounds.distortion["gelbrich_floor"]))
        panel.set_title(f"{task_title(task)}\n{DATASETS[config.tasks[task].dataset].title}")
        panel.set_xlabel(r"squared Gelbrich distance of outputs to $p_Y$, per pixel")
        panel.grid(alpha=0.3)
        sns.despine(ax=panel)
    axes[0][0].set_ylabel(r"distortion $E\|X-\hat{Y}\|^2$ per pixel")
    drawing.legend_below(figure, 1 + len(tasks))
    if found.missing:
        figure.suptitle(missing_note(found.missing)[0], wrap=True, fontsize="small", color="C3")
    return figure


def _cells(axes: Axes, own: pd.DataFrame) -> None:
    """A mark a cell, and through the means of a rate's end-to-end cells its line."""
    rates = sorted(own.rate_bits.dropna().unique())
    colours = dict(zip(rates, plt.get_cmap("viridis")(np.linspace(0, 0.9, len(rates))), strict=True))
    for (mode, randomness), style in MARKS.items():
        of_kind = own[
            (own["mode"] == mode) & (own.randomness.isna() if randomness is None else own.randomness == randomness)
        ]
        for row in of_kind.itertuples():
            _mark(axes, row.gelbrich, row.mse_input, "0" if pd.isna(row.rate_bits) else colours[row.rate_bits], style)
        if len(of_kind):  # grey in the legend, where no rate is meant
            _mark(axes, np.nan, np.nan, "0" if randomness is None else "0.4", style, label=style["label"])
    for rate, at_rate in own[own["mode"] == "end_to_end"].groupby("rate_bits"):
        means = at_rate.groupby("randomness")[["gelbrich", "mse_input"]].mean().sort_values("gelbrich")
        axes.plot(means.gelbrich, means.mse_input, color=colours[rate], linewidth=1, zorder=1)
    _rate_colours(axes, colours)


def _mark(axes: Axes, gap: float, distortion: float, colour: Any, style: dict[str, Any], **options: Any) -> None:
    face = colour if style["filled"] else "white"
    axes.plot(gap, distortion, style["marker"], color=colour, markerfacecolor=face, markersize=5, **options)


def _rate_colours(axes: Axes, colours: dict[int, Any]) -> None:
    """A scale beside the panel that names the rates."""
    if not colours:
        return
    n = len(colours)
    scale = ScalarMappable(BoundaryNorm(np.arange(n + 1) - 0.5, n), ListedColormap(list(colours.values())))
    named = range(0, n, 1 + n // RATE_TICKS)
    bar = axes.figure.colorbar(scale, ax=axes, ticks=list(named), label="rate (bits an image)", aspect=30)
    bar.ax.set_yticklabels([str(list(colours)[i]) for i in named])
    bar.ax.minorticks_off()


def _bound(axes: Axes, floor: float) -> None:
    """What no system goes below: the floor for outputs of law p_Y, and lower the further they are from it."""
    right = axes.get_xlim()[1]
    gaps = np.linspace(0, min(right, floor), 200)
    axes.axhline(floor, color="0.4", linewidth=1, label=r"Gelbrich floor $F$, for outputs of law $p_Y$")
    axes.plot(
        *(gaps, (np.sqrt(floor) - np.sqrt(gaps)) ** 2), "--",
        color="0", linewidth=1, label=r"bound at gap $G$: $(\sqrt{F}-\sqrt{G})^2$",
    )  # fmt: skip
    axes.set_xlim(0, right)
    axes.set_ylim(bottom=0)


def _grid(rows: pd.DataFrame) -> Grid:
    """A task's block: a line for the clean images, then one a kind of cell and rate."""
    names = {**DISTORTIONS, **GAPS}
    grid: Grid = [["Mode", "Randomness", "Bits", "Seeds", *(heading for heading, _ in names.values())]]
    for column, title in (("zero_level", "clean test images"), ("training_level", "clean training images")):
        found = rows.groupby("quantity")[column].first()
        if found.notna().any():
            texts = [_text(found[name], None, decimals) for name, (_, decimals) in GAPS.items()]
            grid.append([title, "", "", "", "", "", *texts])
    for (mode, randomness, rate), own in rows.groupby(["mode", "randomness", "rate_bits"], dropna=False):
        by_name = own.set_index("quantity")
        texts = [_text(by_name.value[name], by_name["std"][name], decimals) for name, (_, decimals) in names.items()]
        kind = [
            str(mode).replace("_", " "),
            "" if pd.isna(randomness) else randomness,
            "" if pd.isna(rate) else str(rate),
        ]
        grid.append([*kind, str(own.n_seeds.max()), *texts])
    return grid


def _level(clean: pd.DataFrame, task: str, images: str, quantity: str) -> float:
    known = (task, images) in clean.index and quantity in clean.columns
    return float(clean.loc[(task, images), quantity]) if known else np.nan


def _text(value: float, std: float | None, decimals: int) -> str:
    return f"{value:.{decimals}f}" + ("" if std is None or pd.isna(std) else f" ± {std:.{decimals}f}")
