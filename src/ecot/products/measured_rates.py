"""Distortion against measured rates: what entropy-coded indices take, beside the count d log2(L)."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ecot.config import Config
from ecot.errors import EcotError
from ecot.files import atomic, write_text
from ecot.grid.cell import Cell
from ecot.grid.paths import results_folder
from ecot.grid.plan import rated, tasks
from ecot.products import metrics
from ecot.products.base import Product, declare
from ecot.products.captions import count, describe, missing_note
from ecot.products.figure_paths import figure_files
from ecot.products.tables import markdown
from ecot.quantities import QUANTITIES
from ecot.tasks import TASKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAME = "measured_rates"
MEASURED = ("cross_entropy_bits", "file_bits")
LABELS = {"rate_bits": "d log2(L), the paper's count", "cross_entropy_bits": "cross-entropy", "file_bits": "file"}


@dataclass(frozen=True)
class MeasuredRates(Product):
    """figures/measured_rates and tables/measured_rates.{csv,md}: end-to-end systems, one panel for each task."""

    def cells(self, config: Config) -> list[Cell]:
        return [cell for cell in rated(config) if cell.mode == "end_to_end"]

    def files(self, config: Config) -> list[Path]:
        folder = results_folder(config)
        tables = [folder / "tables" / f"{NAME}{suffix}" for suffix in (".md", ".csv")]
        return [*figure_files(folder, NAME), *tables]

    def write(self, config: Config, folder: Path) -> None:
        from ecot.products import drawing

        measured = metrics.read(self.cells(config), config)
        rows = table(measured.table)
        if rows.empty:
            raise EcotError(f"{NAME}: no cell of it has measured rates in {results_folder(config)}")
        there = [task for task in tasks(config) if task in set(rows.task)]
        with atomic(folder / "tables" / f"{NAME}.csv") as temporary:
            rows.to_csv(temporary, index=False)
        notes = [*describe(config, there, measured.table), *missing_note(measured.missing)]
        blocks = [(f"{TASKS[task].title}. {sentence(rows[rows.task == task])}", _grid(rows, task)) for task in there]
        write_text(folder / "tables" / f"{NAME}.md", markdown(self.title, notes, blocks))
        drawing.write(folder / "figures" / NAME, lambda: draw(rows, missing_note(measured.missing)))


def table(measured: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds, one row for each task, randomness and rate that has measured rates.

    Columns: task, randomness, rate_bits (d log2 L), cross_entropy_bits, file_bits, mse_input, n_seeds.
    """
    rows = measured.dropna(subset=list(MEASURED))
    groups = rows.groupby(["task", "randomness", "rate_bits"], sort=True)
    means = groups[[*MEASURED, "mse_input"]].mean()
    order = list(rows.task.unique())  # the configuration's
    found = means.assign(n_seeds=groups.size()).reset_index()
    return found.sort_values("task", key=lambda task: task.map(order.index), kind="stable")


def savings(rows: pd.DataFrame, rate: str) -> list[float]:
    """Bits per image that common randomness saves at equal distortion, by one way to count the rate.

    One number for each system without common randomness whose distortion the curve of those with it reaches, between
    whose points it is linear. `rows` are those of one task.
    """
    common, without = (rows[rows.randomness == kind] for kind in ("common", "independent"))
    common = common.sort_values("mse_input")
    if len(common) < 2:
        return []
    low, high = common.mse_input.min(), common.mse_input.max()
    reached = without[without.mse_input.between(low, high)]
    there = np.interp(reached.mse_input, common.mse_input, common[rate].astype(float))
    return [float(bits) for bits in reached[rate].astype(float) - there]


def sentence(rows: pd.DataFrame) -> str:
    """What the measured rates of one task say of the paper's statement that common randomness saves bits."""
    by_count, by_coder = (savings(rows, rate) for rate in ("rate_bits", "cross_entropy_bits"))
    if not by_count:
        return "The curves with and without common randomness have no distortion in common: nothing is compared."
    counted, coded = float(np.mean(by_count)), float(np.mean(by_coder))
    agree = {
        (True, True): "Both counts agree",
        (True, False): "Only the paper's count agrees",
        (False, True): "Only the entropy-coded count agrees",
        (False, False): "Neither count agrees",
    }[counted > 0, coded > 0]
    return (
        f"At equal distortion common randomness saves {counted:.2f} bits per image by the paper's count and"
        f" {coded:.2f} when indices are entropy-coded (mean over {count(len(by_count), 'point')})."
        f" {agree} with the paper's statement that it saves bits; the spread over seeds is not tested here."
    )


def draw(rows: pd.DataFrame, warnings: list[str]) -> "Figure":
    """One panel for each task of `table`."""
    from ecot.products import drawing

    there = list(dict.fromkeys(rows.task))
    figure, axes = drawing.panels(1, len(there), (max(7.5, 5.2 * len(there)), 4.6))
    for task, panel in zip(there, axes.flat, strict=True):
        _panel(panel, rows[rows.task == task])
        panel.set_title(f"{TASKS[task].title}\n{sentence(rows[rows.task == task])}", fontsize="small", wrap=True)
    drawing.legend_below(figure, 2)
    drawing.warn(figure, warnings)
    return figure


def _panel(axes: "Axes", rows: pd.DataFrame) -> None:
    from ecot.products import drawing

    for randomness in ("common", "independent"):
        line = rows[rows.randomness == randomness]
        if line.empty:
            continue
        style = drawing.STYLES[randomness]
        label = style["label"]
        axes.plot(
            line.cross_entropy_bits, line.mse_input, markersize=5, **style | {"label": f"cross-entropy, {label}"}
        )
        axes.plot(line.file_bits, line.mse_input, "+", color=style["color"], label=f"file, {label}")
        axes.plot(
            line.rate_bits, line.mse_input, color=style["color"], linestyle=":", marker="x", markersize=4,
            label=f"$d\\,\\log_2 L$, the paper's count, {label}",
        )  # fmt: skip
    axes.set_xlabel("rate (bits per image)")
    axes.set_ylabel(r"distortion $E\|X-\hat{Y}\|^2$ per pixel")
    drawing.tidy(axes)


def _grid(rows: pd.DataFrame, task: str) -> list[list[str]]:
    header = ["Randomness", LABELS["rate_bits"], *(f"{LABELS[name]} (bits)" for name in MEASURED)]
    lines = [
        [
            row.randomness,
            str(row.rate_bits),
            f"{row.cross_entropy_bits:.2f}",
            f"{row.file_bits:.2f}",
            f"{row.mse_input:.{QUANTITIES['mse_input'].decimals}f}",
            str(row.n_seeds),
        ]
        for row in rows[rows.task == task].itertuples()
    ]
    return [[*header, QUANTITIES["mse_input"].text, "Seeds"], *lines]


@declare
def _products(config: Config) -> Iterator[MeasuredRates]:
    caption = (
        "Distortion of end-to-end systems against three counts of their rate, means over seeds: d log2(L), which the"
        " paper counts; the cross-entropy of the test set's indices under frequencies from training data, given the"
        " first bits of the shared dither where one is shared; and the size of one file of all test images, its head"
        f" included, by image. The numbers are in ``tables/{NAME}.csv``."
    )
    product = MeasuredRates(NAME, "Measured rates", caption, "Figures")
    if product.cells(config):
        yield product
