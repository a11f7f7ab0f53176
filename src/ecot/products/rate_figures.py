"""Rate-distortion figures: left the curves of a task with its bounds, right sample images by rate.

There is one figure per task of the grid. Figure 5 of the paper, declared in `ecot.products.paper_figures`, shows the
same panels for the paper's two tasks.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecot import paper
from ecot.artefacts import samples
from ecot.config import Config
from ecot.errors import EcotError
from ecot.grid.cell import Cell
from ecot.grid.paths import image_bounds_path, results_folder, samples_path
from ecot.grid.plan import rated, tasks
from ecot.paper.comparable import degradation_title, match
from ecot.paper.differences import TABLES_DITHER
from ecot.products import image_bounds, metrics, palette
from ecot.products.base import Product, declare
from ecot.products.captions import count, data_title, missing_note, weight_title
from ecot.products.figure_paths import figure_files
from ecot.tasks import TASKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COMMON, INDEPENDENT, INK, GREY, BAND_GREY = (
    palette.COLOURS[name].light for name in ("common", "independent", "ink", "grey", "band")
)
# What is known before training: bounds are black and grey, Gaussian vectors thin curves, an estimate open marks.
BOUNDS: dict[str, dict[str, Any]] = {
    "rate_zero": {"color": INK, "marker": "D", "linestyle": "none", "label": "bound: independent output, R = 0"},
    "gaussian_d_cr": {"color": COMMON, "linestyle": ":", "label": "Gaussian vectors, common randomness"},
    "gaussian_d_ncr": {
        "color": INDEPENDENT, "linestyle": "-.", "linewidth": 1, "label": "Gaussian vectors, no common randomness",
    },
    "entropic_d_cr": {
        "color": COMMON, "marker": "^", "markerfacecolor": "white", "linestyle": "none",
        "label": "estimate: entropic transport, common randomness",
    },
}  # fmt: skip
FLOOR = "bound: floor for outputs of law $p_Y$ (Gelbrich)"
BAND = "bounds: $W_2^2(p_X, p_Y)$, the limit, lies between"
HEADROOM = 1.15  # the axis ends at so much of the largest measured value ...
REACH = 1.25  # ... or where R = 0 is, if that is no further than this
TICKS = 12  # at most so many rates are named on an axis
ROWS = 6  # at most so many rates are shown as images, as in the paper
CAPTION = (
    'Lines and marks whose label begins with "bound" hold for every system whose output has the mean and covariance'
    " of the clean test images (the Gelbrich floor) or their law (the others), with the test set as the law of the"
    " sources. A measured value below the floor therefore shows that the outputs do not have that law. The curves of"
    " Gaussian vectors have the moments of the images, and the estimate is a plug-in value from a part of the test"
    " set; neither bounds anything. With fewer test images than values per image, the floor is that of the sample and"
    " not of the law that it was drawn from. The numbers are in ``bounds/images_<task>.csv``."
)


@dataclass(frozen=True)
class RateDistortionFigure(Product):
    """Per task, distortion against rate of some modes and, from the first of them, sample images."""

    file_name: str
    tasks: tuple[str, ...]
    modes: tuple[str, ...]

    def cells(self, config: Config) -> list[Cell]:
        return [cell for cell in rated(config) if cell.task in self.tasks and cell.mode in self.modes]

    def samples(self, config: Config) -> list[Cell]:
        return [cell for task in self.tasks for cell in self._shown(config, task)]

    def reads(self, config: Config) -> list[Path]:
        return [image_bounds_path(config, task) for task in self.tasks]

    def files(self, config: Config) -> list[Path]:
        return figure_files(results_folder(config), self.file_name)

    def write(self, config: Config, folder: Path) -> None:
        from ecot.products import drawing

        measured = metrics.read(self.cells(config), config)
        if measured.table.empty:
            raise EcotError(f"{self.name}: no cell of it is measured in {results_folder(config)}")
        drawing.write(folder / "figures" / self.file_name, lambda: self.draw(measured, config))

    def draw(self, measured: metrics.Metrics, config: Config) -> "Figure":
        """The figure of what is measured; the missing cells are named."""
        from ecot.products import drawing

        there = [task for task in self.tasks if task in set(measured.table.task)]
        figure, axes = drawing.panels(len(there), 2, (10, 4 * len(there)), width_ratios=[1, 1.25])
        for task, (curves, images) in zip(there, axes, strict=True):
            self._rate_distortion(curves, measured.table[measured.table.task == task], task, config)
            if (bounds := image_bounds.read(config, task)) is not None:
                _bounds(curves, bounds)
            settings = config.tasks[task]
            parts = [TASKS[task].title]
            if len(self.modes) == 1:
                weight = settings.modes[self.modes[0]].distribution_weight
                parts.append(weight_title(task, self.modes[0], weight))
            problem = f"{degradation_title(settings.degradation)}, {settings.levels} levels"
            data = data_title(config, task, measured.table)
            curves.set_title(f"{', '.join(parts)}\n{data}\n{problem}")
            _images(images, self._shown(config, task), config)
        drawing.letter(axes.flat)
        drawing.legend_below(figure, 3)
        drawing.warn(figure, missing_note(measured.missing))
        return figure

    def _shown(self, config: Config, task: str) -> list[Cell]:
        """The cells of a task whose sample images are shown: one seed of one mode, evenly over its rates."""
        cells = [cell for cell in self.cells(config) if cell.task == task]
        of_mode = [cell for cell in cells if cell.mode == cells[0].mode]
        first = next((cell for cell in of_mode if cell.randomness == "common"), of_mode[0]) if of_mode else None
        alike = [cell for cell in of_mode if first and (cell.randomness, cell.seed) == (first.randomness, first.seed)]
        alike.sort(key=lambda cell: cell.rate_bits or 0)
        picked = np.linspace(0, len(alike) - 1, min(ROWS, len(alike))).round().astype(int)
        return [alike[i] for i in np.unique(picked)]

    def _style(self, mode: str, randomness: str) -> dict[str, Any]:
        """Randomness is colour and filling. A figure of several modes tells them apart by their marks and names."""
        from ecot.products import drawing

        if len(self.modes) == 1:
            return drawing.STYLES[randomness]
        return drawing.style(mode, randomness)

    def _rate_distortion(self, axes: "Axes", table: pd.DataFrame, task: str, config: Config) -> None:
        """Means over seeds with their spread, and the paper's numbers where the problem is the paper's."""
        from ecot.products import drawing

        means = metrics.over_seeds(table, "mse_input")
        kinds = [(mode, randomness) for mode in self.modes for randomness in drawing.STYLES]
        for mode, randomness in kinds:
            line = means[(means["mode"] == mode) & (means.randomness == randomness)]
            # Where the paper leaves the dither open, the reading of its tables is drawn; the tables have both.
            line = line[line.dither.isna() | (line.dither == TABLES_DITHER)]
            if line.empty:
                continue
            style = self._style(mode, randomness)
            axes.errorbar(line.rate_bits, line.value, drawing.bars(line["std"]), capsize=2, markersize=4, **style)
            for point in line[line.n_seeds < means.n_seeds.max()].itertuples():
                axes.annotate(
                    count(int(point.n_seeds), "seed"),
                    (point.rate_bits, point.value),
                    (4, 4),
                    textcoords="offset points",
                    fontsize="x-small",
                )
        if "end_to_end" in self.modes and match(config, task, "end_to_end").comparable:
            published = paper.published().query(
                "quantity == 'mse_input' and mode == 'end_to_end' and table in (5, 6)"
            )
            for randomness, line in published[published.task == task].groupby("randomness"):
                style = self._style("end_to_end", randomness)
                axes.plot(
                    line.rate_bits, line.value, "x",
                    color=style["color"], label=f"paper, {style['label']}", markersize=4,
                )  # fmt: skip
        spread = ", bars: standard deviation" if means.n_seeds.max() > 1 else ""
        rates = sorted(set(means.rate_bits))
        axes.set_xticks(rates[:: 1 + len(rates) // TICKS])
        axes.set_xlabel(f"rate (bits per image); mean over {count(means.n_seeds, 'seed')}{spread}")
        axes.set_ylabel(r"distortion $E\|X-\hat{Y}\|^2$ per pixel")
        drawing.tidy(axes)


def _bounds(axes: "Axes", bounds: pd.DataFrame) -> None:
    """Lines, a band and marks for the statements of bounds/images_<task>.csv; `bounds` is indexed by bound.

    What lies far above the measured values is cut off, and the value at R = 0 then stands there as text.
    """
    from ecot.products import drawing

    bottom, highest = axes.get_ylim()
    floor, paired = bounds.distortion["gelbrich_floor"], bounds.distortion["paired_upper_bound_on_transport"]
    start = bounds.distortion["rate_zero"]
    in_reach = start < REACH * highest
    axes.axhline(floor, color=GREY, linewidth=1, label=FLOOR)
    axes.axhspan(floor, paired, color=BAND_GREY, zorder=0, label=BAND)
    top = max(1.05 * start, highest) if in_reach else HEADROOM * highest
    axes.set_ylim(min(bottom, floor - 0.05 * (top - floor)), top)
    for name, style in BOUNDS.items():
        values = bounds.loc[[name]]
        if (values.distortion <= top).any():
            axes.plot(values.rate_bits, values.distortion, markersize=4, clip_on=not in_reach, **style)
            joined = style["linestyle"] != "none"
            drawing.goes_on_above(axes, values.rate_bits, values.distortion, style["color"], joined=joined)
    if not in_reach:
        axes.text(0.98, 0.97, f"R = 0 (bound): {start:.3f}", transform=axes.transAxes, ha="right", va="top")
    axes.set_xlim(left=0)


def _images(axes: "Axes", cells: list[Cell], config: Config) -> None:
    """Rows of images: degraded, clean, then one row of outputs per rate, from the cells that are measured."""
    from ecot.products import drawing

    rows: dict[str, Any] = {}
    for cell in cells:
        path = samples_path(config, cell)
        if path.is_file():
            arrays = samples.read(path, metrics.key(config, cell))
            rows = rows or {"degraded": arrays["x"], "clean": arrays["y"]}
            rows[f"R = {cell.rate_bits}"] = arrays["output"]
    if not rows:
        drawing.say(axes, "No cell that shows images is measured.")
        return
    drawing.image_rows(axes, rows)
    label = drawing.STYLES[str(cells[0].randomness)]["label"]
    axes.set_title(f"outputs, {label}, seed {cells[0].seed}")


@declare
def _products(config: Config) -> Iterator[RateDistortionFigure]:
    for task in tasks(config):
        modes = tuple(dict.fromkeys(cell.mode for cell in rated(config) if cell.task == task))
        if modes:
            title = TASKS[task].title
            yield RateDistortionFigure(
                f"rate_distortion_figure_{task}",
                f"Rate and distortion: {title}",
                f"{title}: distortion against rate of every mode that has a rate, and images by rate. {CAPTION}",
                "Figures",
                f"rate_distortion_{task}",
                (task,),
                modes,
            )
