"""The cells' metrics: read, gathered, averaged over seeds."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ecot.cells import Cell, grid, results_folder
from ecot.config import Config
from ecot.files import atomic
from ecot.reporting import reading
from ecot.reporting.catalogue import Product

KEY = ["task", "mode", "randomness", "rate_bits"]


@dataclass(frozen=True)
class Metrics:
    """A row a cell, and the cells that have none."""

    table: pd.DataFrame
    missing: list[Cell]


def read(cells: list[Cell], config: Config) -> Metrics:
    """The metrics of the given cells, in their order; EcotError for a file that is damaged or not the cell's."""
    rows, missing = [], []
    for cell in cells:
        path = results_folder(config) / cell.folder / "metrics.csv"
        if path.is_file():
            rows.append(_row(path, cell))
        else:
            missing.append(cell)
    return Metrics(pd.concat(rows, ignore_index=True) if rows else pd.DataFrame(columns=KEY), missing)


def _row(path: Path, cell: Cell) -> pd.DataFrame:
    row = reading.table(path)
    with reading.reading(path):
        key = {"task": cell.task, "mode": cell.mode, "seed": cell.seed}
        if row[list(key)].to_dict("records") != [key]:
            raise ValueError(f"it is not the one row of {cell.title}")
    return row


def of(product: Product, config: Config) -> Metrics:
    """The metrics that a table or figure is made of."""
    return read(product.cells(config), config)


def rated(config: Config) -> Metrics:
    """The metrics of all cells that have a rate: all but the restoration networks."""
    return read([cell for cell in grid(config) if cell.rate_bits is not None], config)


def collect(config: Config) -> None:
    """Write metrics.csv of a run: a row a cell, for those cells that are measured."""
    with atomic(results_folder(config) / "metrics.csv") as temporary:
        read(list(grid(config)), config).table.to_csv(temporary, index=False)


def over_seeds(metrics: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Mean, sample standard deviation (NaN for one seed) and number of seeds of a quantity.

    Columns: task, mode, randomness, rate_bits, value, std, n_seeds.
    """
    groups = metrics.groupby(KEY, sort=True, dropna=False)[quantity]  # a restoration network has no rate
    return groups.agg(value="mean", std="std", n_seeds="count").reset_index()
