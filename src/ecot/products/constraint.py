"""How far the law of the outputs is from p_Y, beside the distortion: one table and one figure of all cells."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecot.config import Config
from ecot.errors import EcotError
from ecot.grid.cell import Cell
from ecot.grid.paths import clean_scores_path, image_bounds_path, results_folder
from ecot.grid.plan import grid, tasks
from ecot.modes import MODES
from ecot.products import image_bounds, metrics, palette, reading
from ecot.products.base import Product, declare
from ecot.products.captions import data_title, describe, missing_note
from ecot.products.figure_paths import figure_files
from ecot.products.tables import Grid, table_files, write_files
from ecot.quantities import QUANTITIES, Quantity, measures
from ecot.tasks import TASKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KEY = ["task", "rate_bits", "randomness", "mode", "dither"]
NOTE = (
    "The features and the accuracy are those of a classifier of clean images. Clean test images: one half of the test"
    " set compared with the other, which is what outputs of law pY score on average."
)
# What clean images score: their name in clean_scores_<task>.csv, the column of constraint.csv, and how it is drawn.
CLEAN: dict[str, tuple[str, dict[str, Any]]] = {
    "test": ("clean_test", {"linestyle": ":", "label": "clean test images"}),
    "training": ("clean_training", {"linestyle": "-.", "label": "clean training images"}),
}
INK, GREY = (palette.COLOURS[name].light for name in ("ink", "grey"))
BOTH = {"common", "independent"}
RATE_TICKS = 8  # at most so many rates are named beside the colours


@dataclass(frozen=True)
class ConstraintReport(Product):
    """tables/constraint.{csv,md,tex} and figures/constraint.{svg,png}."""

    def cells(self, config: Config) -> list[Cell]:
        return grid(config)

    def reads(self, config: Config) -> list[Path]:
        paths = (image_bounds_path, clean_scores_path)
        return [path(config, task) for task in tasks(config) for path in paths]

    def files(self, config: Config) -> list[Path]:
        folder = results_folder(config)
        return [*table_files(folder, self.name), *figure_files(folder, self.name)]

    def write(self, config: Config, folder: Path) -> None:
        from ecot.products import drawing

        measured = metrics.read(self.cells(config), config)
        if measured.table.empty:
            raise EcotError(f"{self.name}: no cell is measured in {results_folder(config)}")
        scores = clean_scores(config)
        rows = numbers(measured.table, scores)
        there = [task for task in tasks(config) if task in set(rows.task)]
        notes = [*describe(config, there, measured.table), _units(), NOTE, *missing_note(measured.missing)]
        blocks = [(TASKS[task].title, _grid(rows[rows.task == task])) for task in there]
        write_files(folder / "tables" / self.name, self.title, notes, blocks, rows)
        drawing.write(folder / "figures" / self.name, lambda: draw(measured, scores, config))


def clean_scores(config: Config) -> pd.DataFrame:
    """What each measure gives for clean images, by (task, images), for those tasks that it is known of."""
    known = {task: reading.clean_scores(config, task) for task in tasks(config)}
    parts = [scores.reset_index().assign(task=task) for task, scores in known.items() if scores is not None]
    return pd.concat([pd.DataFrame(columns=["task", "images", *measures()]), *parts]).set_index(["task", "images"])


def numbers(table: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """One row per number, from rows of metrics and what `clean_scores` gives.

    Columns: task, rate_bits, randomness, mode, dither, quantity, value, std (over seeds, NaN for one), n_seeds,
    clean_test and clean_training (what clean test and training images score, NaN where it is not known), dataset.
    """
    parts = [metrics.over_seeds(table, name).assign(quantity=name) for name in (*_distortions(), *measures())]
    rows = pd.concat(parts, ignore_index=True)
    columns = {
        column: [_score(scores, row.task, images, row.quantity) for row in rows.itertuples()]
        for images, (column, _) in CLEAN.items()
    }
    rows = rows.assign(**columns, dataset=rows.task.map(table.groupby("task")["dataset"].first()))
    return rows[[*KEY, "quantity", "value", "std", "n_seeds", *columns, "dataset"]]


def draw(measured: metrics.Metrics, scores: pd.DataFrame, config: Config) -> "Figure":
    """One panel per task: the distortion of each cell against its Gelbrich distance, one colour and line per rate."""
    from ecot.products import drawing

    there = [task for task in tasks(config) if task in set(measured.table.task)]
    figure, (panels,) = drawing.panels(1, len(there), (5.2 * len(there), 4.6))
    for panel, task in zip(panels, there, strict=True):
        _cells(panel, measured.table[measured.table.task == task])
        for images, (_, style) in CLEAN.items():
            if not np.isnan(score := _score(scores, task, images, "gelbrich")):
                panel.axvline(score, color=GREY, linewidth=1, **style)
        if (bounds := image_bounds.read(config, task)) is not None:
            _bound(panel, float(bounds.distortion["gelbrich_floor"]))
        panel.set_title(f"{TASKS[task].title}\n{data_title(config, task, measured.table)}")
        panel.set_xlabel(r"squared Gelbrich distance of outputs to $p_Y$, per pixel")
        panel.set_ylabel(r"distortion $E\|X-\hat{Y}\|^2$ per pixel")
        drawing.tidy(panel)
    drawing.letter(panels)
    drawing.legend_below(figure, 1 + len(there))
    drawing.warn(figure, missing_note(measured.missing))
    return figure


def _cells(axes: "Axes", table: pd.DataFrame) -> None:
    """One mark per cell: its mode by shape, its randomness by filling, its rate by colour.

    A line for each rate joins the means of the two kinds of randomness of the first mode that has both.
    """
    from ecot.products import drawing

    rates = sorted(table.rate_bits.dropna().unique())
    colours = dict(zip(rates, drawing.colours(len(rates)), strict=True))
    for mode in MODES:
        for randomness in ("common", "independent", None):
            same = table.randomness.isna() if randomness is None else table.randomness == randomness
            cells = table[(table["mode"] == mode) & same]
            if cells.empty:
                continue
            look = drawing.style(mode, randomness)
            mark = {"marker": look["marker"], "linestyle": "none", "markersize": 5}
            if randomness == "independent":
                mark["markerfacecolor"] = "white"
            for cell in cells.itertuples():
                colour = INK if pd.isna(cell.rate_bits) else colours[cell.rate_bits]
                axes.plot(cell.gelbrich, cell.mse_input, color=colour, **mark)
            # Grey in the legend, where no rate is meant.
            axes.plot([], [], color=INK if randomness is None else GREY, label=look["label"], **mark)
    joined = next((mode for mode in MODES if set(table.randomness[table["mode"] == mode]) >= BOTH), None)
    both = table[(table["mode"] == joined) & table.randomness.isin(BOTH)]
    for rate, cells in both.groupby("rate_bits"):
        means = cells.groupby("randomness")[["gelbrich", "mse_input"]].mean().sort_values("gelbrich")
        axes.plot(means.gelbrich, means.mse_input, color=colours[rate], linewidth=1, zorder=1)
    if joined:
        label = f"{MODES[joined].title}: means over seeds at one rate"
        axes.plot([], [], color=GREY, linewidth=1, label=label)
    if rates:
        drawing.rate_colours(axes, rates, RATE_TICKS)


def _bound(axes: "Axes", floor: float) -> None:
    """What no system goes below: the floor for outputs of law p_Y, and lower the further they are from it."""
    right = axes.get_xlim()[1]
    gaps = np.linspace(0, min(right, floor), 200)
    axes.axhline(floor, color=GREY, linewidth=1, label=r"Gelbrich floor $F$, for outputs of law $p_Y$")
    axes.plot(
        *(gaps, (np.sqrt(floor) - np.sqrt(gaps)) ** 2), "--",
        color=INK, linewidth=1, label=r"bound at gap $G$: $(\sqrt{F}-\sqrt{G})^2$",
    )  # fmt: skip
    axes.set_xlim(0, right)
    axes.set_ylim(bottom=0)


def _grid(rows: pd.DataFrame) -> Grid:
    """The block of a task: one line for each kind of clean images, then one per kind of cell and rate."""
    of_law = [measure.quantity for measure in measures().values()]
    quantities = [*_distortions().values(), *of_law]
    grid: Grid = [["Mode", "Randomness", "Bits", "Seeds", *(quantity.text for quantity in quantities)]]
    for column, style in CLEAN.values():
        score = rows.groupby("quantity")[column].first()
        if score.notna().any():
            texts = [_text(quantity, score.get(quantity.name)) for quantity in of_law]
            grid.append([style["label"], "", "", "", *([""] * len(_distortions())), *texts])
    kinds = ["mode", "randomness", "dither", "rate_bits"]
    for (mode, randomness, dither, rate), numbers_there in rows.groupby(kinds, dropna=False):
        by_name = numbers_there.set_index("quantity")
        texts = [
            _text(quantity, by_name["value"].get(quantity.name), by_name["std"].get(quantity.name))
            for quantity in quantities
        ]
        title = MODES[mode].title if pd.isna(dither) else f"{MODES[mode].title}, {dither} dither"
        kind = [title, "" if pd.isna(randomness) else randomness, "" if pd.isna(rate) else str(rate)]
        grid.append([*kind, str(numbers_there.n_seeds.max()), *texts])
    return grid


def _distortions() -> dict[str, Quantity]:
    return {name: QUANTITIES[name] for name in ("mse_input", "mse_target")}


def _units() -> str:
    """For instance "Units, per pixel: Gelbrich², sliced W2²; share of images: accuracy."."""
    by_unit: dict[str, list[str]] = {}
    for quantity in [*_distortions().values(), *(measure.quantity for measure in measures().values())]:
        by_unit.setdefault(quantity.unit, []).append(quantity.text)
    units = "; ".join(f"{unit}: {', '.join(texts)}" for unit, texts in by_unit.items())
    return f"Units, {units}."


def _score(scores: pd.DataFrame, task: str, images: str, quantity: str) -> float:
    known = (task, images) in scores.index and quantity in scores.columns
    return float(scores.loc[(task, images), quantity]) if known else np.nan


def _text(quantity: Quantity, value: float | None, std: float | None = None) -> str:
    if value is None or pd.isna(value):
        return ""
    return f"{value:.{quantity.decimals}f}" + (
        "" if std is None or pd.isna(std) else f" ± {std:.{quantity.decimals}f}"
    )


@declare
def _products(config: Config) -> list[ConstraintReport]:
    caption = (
        "How far the law of the outputs is from that of the clean images, beside each distortion: mean, standard"
        " deviation and number of seeds. Two finite samples of one law differ as well, by what one half of the clean"
        " test images scores against the other; a cell near that score meets the constraint of the problem. Clean"
        " training images have a score of their own where the two splits of the data set differ in law. The critic's"
        " number is an estimate from below of the Wasserstein-1 distance between whole images, by a critic trained to"
        " the budget in the configuration. In the figure, no system whose outputs miss the moments of the clean"
        " images by a Gelbrich distance G has a distortion below (sqrt(floor) - sqrt(G))^2."
    )
    title = "Distortion, and how far the outputs are from the law pY"
    return [ConstraintReport("constraint", title, caption, "Tables")]
