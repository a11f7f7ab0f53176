"""How much common randomness is needed: distortion against shared bits, of trained systems and of simple sources."""

from collections.abc import Callable, Iterator
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
from ecot.tasks import TASKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME = "shared_randomness"
COLUMNS = ["panel", "rate_bits", "shared_bits", "distortion", "lower", "std", "n_seeds"]
MOST_BITS = 4  # of the simple sources
# The simple sources: three letters that come out equally likely, and standard normal ones; rates in bits a letter.
FINITE: dict[str, Any] = {"p_x": [0.5, 0.3, 0.2], "p_y": [1 / 3] * 3, "rate": 0.6}
FINITE_LETTERS = [-1.0, 0.0, 1.0]
GAUSSIAN_RATE = 0.6


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
        rows = pd.concat([trained(measured.table), *sources()], ignore_index=True)
        with atomic(folder / "tables" / f"{NAME}.csv") as temporary:
            rows.to_csv(temporary, index=False)
        drawing.write(folder / "figures" / NAME, lambda: draw(rows, missing_note(measured.missing)))


def trained(measured: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds of trained systems; see `COLUMNS`. `panel` is the task, shared bits are inf for `common`."""
    means = metrics.over_seeds(measured, "mse_input")
    bits = [randomness.shared_bits(kind) for kind in means.randomness]
    means = means.assign(
        panel=means.task,
        shared_bits=[np.inf if b == randomness.BITS else float(b) for b in bits],
        distortion=means.value,
        lower=np.nan,
    )
    return means.sort_values(["panel", "rate_bits", "shared_bits"])[COLUMNS]


def sources() -> list[pd.DataFrame]:
    """The theory's values for the simple sources; see `COLUMNS`. `lower` is NaN where the value is exact."""
    from ecot.theory import finite, gaussian

    whole = [*range(MOST_BITS + 1), np.inf]
    found = []
    # Each of the two is drawn where the theory has it.
    d_gaussian = getattr(gaussian, "d_limited", None)
    if d_gaussian is not None:
        bits = [*np.linspace(0, MOST_BITS, 81), np.inf]
        values = d_gaussian(0.0, 1.0, 0.0, 1.0, GAUSSIAN_RATE, np.array(bits))
        found.append(_of_source("gaussian", GAUSSIAN_RATE, bits, values))
    d_finite = getattr(finite, "d_limited", None)
    if d_finite is not None:
        cost = finite.squared_error(FINITE_LETTERS, FINITE_LETTERS)
        bracket = d_finite(FINITE["p_x"], FINITE["p_y"], cost, FINITE["rate"], np.array(whole), time_limit=0.5)
        found.append(_of_source("finite", FINITE["rate"], whole, bracket.upper, bracket.lower))
    return found


def _of_source(panel: str, rate: float, bits: list[float], values: Any, lower: Any = np.nan) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "panel": panel,
            "rate_bits": rate,
            "shared_bits": bits,
            "distortion": np.asarray(values),
            "lower": lower,
            "std": np.nan,
            "n_seeds": 0,
        }
    )[COLUMNS]


def draw(rows: pd.DataFrame, warnings: list[str]) -> "Figure":
    """One panel for each `panel` of the rows. What shares everything stands at the right, as "all"."""
    from ecot.products import drawing

    there = list(dict.fromkeys(rows.panel))
    figure, axes = drawing.panels(1, len(there), (4.2 * len(there), 4.2))
    for name, panel in zip(there, axes.flat, strict=True):
        PANELS.get(name, _tasks_panel)(panel, rows[rows.panel == name])
        finite_bits = rows.shared_bits[(rows.panel == name) & np.isfinite(rows.shared_bits)]
        last = int(finite_bits.max())
        panel.set_xticks([*range(last + 1), last + 1], [*map(str, range(last + 1)), "all"])
        drawing.tidy(panel)
    drawing.legend_below(figure, 3)
    drawing.warn(figure, warnings)
    return figure


def _places(bits: pd.Series) -> pd.Series:
    """Where shared bits stand on the axis: `inf` one place behind the largest number."""
    return bits.replace(np.inf, np.floor(bits[np.isfinite(bits)].max()) + 1)


def _tasks_panel(axes: "Axes", rows: pd.DataFrame) -> None:
    for (rate, part), marker in zip(rows.groupby("rate_bits"), "os^vD<>", strict=False):
        bars = part["std"].fillna(0)
        label = f"trained systems, {rate} bits per image, {count(part.n_seeds, 'seed')}"
        axes.errorbar(
            _places(rows.shared_bits)[part.index], part.distortion, bars,
            capsize=2, markersize=5, marker=marker, color="C2", linestyle="-", label=label,
        )  # fmt: skip
    axes.set(
        title=TASKS[str(rows.panel.iloc[0])].title,
        xlabel="shared bits for each dimension of the dither",
        ylabel=r"distortion $E\|X-\hat{Y}\|^2$ per pixel",
    )


def _gaussian_panel(axes: "Axes", rows: pd.DataFrame) -> None:
    curve, limit = rows[np.isfinite(rows.shared_bits)], rows[np.isinf(rows.shared_bits)]
    axes.plot(curve.shared_bits, curve.distortion, color="0.2", label="long blocks, exact")
    axes.plot(_places(rows.shared_bits)[limit.index], limit.distortion, "D", color="0.2")
    axes.set(title=f"standard normal letters, R = {rows.rate_bits.iloc[0]:g} bits", ylabel="squared error")
    axes.set_xlabel("common randomness (bits for each letter)")


def _finite_panel(axes: "Axes", rows: pd.DataFrame) -> None:
    x = _places(rows.shared_bits)
    axes.plot(x, rows.distortion, marker="o", color="C0", label="one letter: best mixture found")
    axes.plot(
        x,
        rows.lower,
        marker="^",
        markerfacecolor="white",
        linestyle="--",
        color="C1",
        label="one letter: lower bound",
    )
    axes.set(title=f"three letters, R = {rows.rate_bits.iloc[0]:g} bits", ylabel="squared error")
    axes.set_xlabel("common randomness (fair bits for each letter)")


PANELS: dict[str, Callable[["Axes", pd.DataFrame], None]] = {"gaussian": _gaussian_panel, "finite": _finite_panel}


@declare
def _products(config: Config) -> Iterator[SharedRandomness]:
    caption = (
        "Distortion against the bits of each number of the dither that encoder and decoder share, at a fixed rate:"
        " none (independent), the first k (limited-k), all (common). Each system was trained with what it shares;"
        f" means over seeds. Beside them, simple sources. The numbers are in ``tables/{NAME}.csv``."
    )
    product = SharedRandomness(NAME, "Distortion against shared randomness", caption, "Figures")
    if product.cells(config):
        yield product
