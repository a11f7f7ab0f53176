"""Paired comparisons: differences of two models of the same task, rate and seed, with intervals over the seeds."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ecot.config import Config
from ecot.errors import EcotError
from ecot.grid.cell import Cell
from ecot.grid.paths import results_folder
from ecot.grid.plan import rated, tasks
from ecot.paper import differences
from ecot.products import metrics
from ecot.products.base import Product, declare
from ecot.products.captions import describe, missing_note
from ecot.products.tables import Grid, write_markdown
from ecot.tasks import TASKS

NOTES = (
    "Difference of two models of the same seed, mean over seeds, with Student's interval at"
    f" {differences.CONFIDENCE:.0%}; one seed has none. Noise and dither of the test set are the same in all cells."
    " Intervals are of one row each; docs/claims.md says how a statement is tested on all rows together."
    " The row of all rates averages over the rates first, so that it has one number per seed; only seeds with all"
    " rates are in it.",
)


@dataclass(frozen=True)
class Paired(Product):
    """tables/paired.csv and .md: the comparisons of `ecot.paper.differences`, for every task."""

    def cells(self, config: Config) -> list[Cell]:
        return [cell for cell in rated(config) if (cell.mode, cell.randomness) in differences.COMPARED]

    def files(self, config: Config) -> list[Path]:
        return [results_folder(config) / "tables" / f"paired{suffix}" for suffix in (".csv", ".md")]

    def write(self, config: Config, folder: Path) -> None:
        measured = metrics.read(self.cells(config), config)
        if measured.table.empty:
            raise EcotError(f"no cell of it is measured in {results_folder(config)}")
        there = [task for task in tasks(config) if task in set(measured.table.task)]
        rows = differences.table(differences.of_run(measured.table), there)
        notes = [*describe(config, there, measured.table), *NOTES, *missing_note(measured.missing)]
        blocks = [
            (f"{TASKS[task].title}: {title}", _block(part))
            for (task, title), part in rows.groupby(["task", "title"], sort=False)
        ]
        write_markdown(folder / "tables" / "paired", self.title, notes, blocks, rows)


def _block(rows: pd.DataFrame) -> Grid:
    header = ["Rate (bits)", "Difference", f"{differences.CONFIDENCE:.0%} interval", "Seeds", "Pairs of that sign"]
    lines = [
        [
            "all" if pd.isna(row.rate_bits) else str(row.rate_bits),
            _signed(row.difference),
            "" if pd.isna(row.low) else f"{row.low:+.4f} to {row.high:+.4f}",
            str(row.n_seeds),
            f"{row.n_agree} of {row.n_pairs}",
        ]
        for row in rows.itertuples()
    ]
    return [header, *lines]


def _signed(value: float) -> str:
    """Empty where no seed has all rates."""
    return "" if pd.isna(value) else f"{value:+.4f}"


@declare
def _products(config: Config) -> Iterator[Paired]:
    caption = (
        "Differences of two models of the same task, rate and seed, measured with the same noise and dither: mean"
        " over seeds with Student's 95 % interval, and how many pairs have the sign of the mean. A row without a rate"
        " averages over the rates first and has one number per seed."
    )
    product = Paired("paired", "Paired comparisons", caption, "Tables")
    if product.cells(config):
        yield product
