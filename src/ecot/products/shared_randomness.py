"""How much common randomness is needed: distortion against shared bits, of trained systems and of simple sources."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ecot.coding import randomness
from ecot.config import Config
from ecot.errors import EcotError
from ecot.files import atomic
from ecot.grid.cell import Cell
from ecot.grid.paths import results_folder
from ecot.grid.plan import rated
from ecot.modes import is_limited
from ecot.products import metrics
from ecot.products.base import Product, declare
from ecot.products.captions import count, missing_note
from ecot.products.figure_paths import figure_files
from ecot.products.palette import COLOURS
from ecot.tasks import TASKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME = "shared_randomness"
COLUMNS = ["panel", "curve", "rate_bits", "shared_bits", "distortion", "std", "n_seeds"]
# How the theory's curves are drawn: what is attained filled, bounds open, long blocks grey.
OPEN = {"markerfacecolor": "white", "linestyle": ":"}
SCHEME, ONE, BLOCKS = (COLOURS[name].light for name in ("third", "fourth", "grey"))
CURVES: dict[str, dict[str, Any]] = {
    "scheme": {"color": SCHEME, "marker": "o", "label": "the scheme's distortion: dithered quantiser"},
    "d_limited": {"color": ONE, "marker": "s", "linestyle": "--", "label": "one letter: best found"},
    "d_limited_lower": {"color": ONE, "marker": "s", **OPEN, "label": "one letter: lower bound"},
    "d_limited_asymptotic": {"color": BLOCKS, "marker": "^", "linestyle": "--", "label": "long blocks: best found"},
    "d_limited_asymptotic_lower": {"color": BLOCKS, "marker": "^", **OPEN, "label": "long blocks: lower bound"},
}
# d_limited of Gaussians
EXACT = {"color": COLOURS["ink"].light, "marker": "D", "linestyle": "--", "label": "long blocks: exact"}
SOURCES = {"ternary": "three letters", "gaussian": "standard normal letters", "uniform": "uniform letters"}


@dataclass(frozen=True)
class SharedRandomness(Product):
    """figures/shared_randomness and tables/shared_randomness.csv: a panel for each task, and one for each source.

    Of the grid, the end-to-end systems at the rates at which limited-k is trained.
    """

    def cells(self, config: Config) -> list[Cell]:
        cells = [cell for cell in rated(config) if cell.mode == "end_to_end"]
        places = {(cell.task, cell.rate_bits) for cell in cells if is_limited(str(cell.randomness))}
        return [cell for cell in cells if (cell.task, cell.rate_bits) in places]

    def files(self, config: Config) -> list[Path]:
        folder = results_folder(config)
        return [*figure_files(folder, NAME), folder / "tables" / f"{NAME}.csv"]

    def write(self, config: Config, folder: Path) -> None:
        from ecot.products import drawing

        measured = metrics.read(self.cells(config), config)
        if measured.table.empty:
            raise EcotError(f"{NAME}: no cell of it is measured in {results_folder(config)}")
        rows = pd.concat([trained(measured.table), *_sources()], ignore_index=True)
        with atomic(folder / "tables" / f"{NAME}.csv") as temporary:
            rows.to_csv(temporary, index=False)
        drawing.write(folder / "figures" / NAME, lambda: draw(rows, missing_note(measured.missing)))


def trained(measured: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds of trained systems; see `COLUMNS`. `panel` is the task, shared bits are inf for `common`."""
    means = metrics.over_seeds(measured, "mse_input")
    bits = [randomness.shared_bits(kind) for kind in means.randomness]
    means = means.assign(
        panel=means.task,
        curve="trained",
        shared_bits=[np.inf if b == randomness.BITS else float(b) for b in bits],
        distortion=means.value,
    )
    return means.sort_values(["panel", "rate_bits", "shared_bits"])[COLUMNS]


def _sources() -> list[pd.DataFrame]:
    """The theory's curves for simple sources; see `COLUMNS`."""
    from ecot.theory import curves

    return [curves.shared_bits().assign(std=np.nan, n_seeds=0)[COLUMNS]]


def draw(rows: pd.DataFrame, warnings: list[str]) -> "Figure":
    """One panel for each `panel` of the rows. What shares everything stands at the right, as "all"."""
    from ecot.products import drawing

    there = list(dict.fromkeys(rows.panel))
    columns = min(len(there), 2)
    figure, axes = drawing.panels(-(-len(there) // columns), columns, (5 * columns, 3.8 * -(-len(there) // columns)))
    for panel in axes.flat[len(there) :]:
        panel.set_axis_off()
    for name, panel in zip(there, axes.flat, strict=False):
        part = rows[rows.panel == name]
        last = int(part.shared_bits[np.isfinite(part.shared_bits)].max())
        part = part.assign(place=part.shared_bits.replace(np.inf, last + 1))
        _source_panel(panel, part) if name in SOURCES else _task_panel(panel, part)
        panel.set_xticks(range(last + 2), [*map(str, range(last + 1)), "all"])
        drawing.tidy(panel)
    drawing.legend_below(figure, 2)
    drawing.warn(figure, warnings)
    return figure


def _task_panel(axes: "Axes", rows: pd.DataFrame) -> None:
    for (rate, part), marker in zip(rows.groupby("rate_bits"), "os^vD<>", strict=False):
        label = f"trained systems, {rate:g} bits per image, {count(part.n_seeds, 'seed')}"
        axes.errorbar(
            part.place, part.distortion, part["std"].fillna(0), capsize=2, markersize=5, marker=marker,
            color=COLOURS["common"].light, label=label,
        )  # fmt: skip
    axes.set_title(TASKS[str(rows.panel.iloc[0])].title)
    axes.set_xlabel("shared bits for each dimension of the dither")
    axes.set_ylabel(r"distortion $E\|X-\hat{Y}\|^2$ per pixel")


def _source_panel(axes: "Axes", rows: pd.DataFrame) -> None:
    panel = str(rows.panel.iloc[0])
    for name, part in rows.groupby("curve", sort=False):
        style = EXACT if (panel, name) == ("gaussian", "d_limited") else CURVES[str(name)]
        axes.plot(part.place, part.distortion, markersize=4, **style)
    rates = " and ".join(f"{rate:g}" for rate in sorted(set(rows.rate_bits)))
    axes.set_title(f"{SOURCES[panel]}, {rates} bits per letter")
    axes.set(xlabel="shared bits for each letter", ylabel="squared error", ylim=(0, None))


@declare
def _products(config: Config) -> Iterator[SharedRandomness]:
    caption = (
        "Distortion against the bits of each number of the dither that encoder and decoder share, at a fixed rate:"
        " none (independent), the first k (limited-k), all (common). Each system was trained with what it shares;"
        " means over seeds. Beside them, simple sources: bounds, and what a designed dithered quantiser attains. The"
        f" numbers are in ``tables/{NAME}.csv``."
    )
    product = SharedRandomness(NAME, "Distortion against shared randomness", caption, "Figures")
    if product.cells(config):
        yield product
