"""The metrics of a run's cells: read, gathered, averaged over seeds."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ecot.artefacts import metrics as row
from ecot.config import Config
from ecot.files import atomic
from ecot.grid import fingerprint
from ecot.grid.cell import Cell
from ecot.grid.paths import metrics_path
from ecot.grid.plan import cell_settings, grid, measurement_settings
from ecot.products.base import Product, declare
from ecot.quantities import QUANTITIES

KEY = ["task", "mode", "randomness", "rate_bits", "dither"]


@dataclass(frozen=True)
class Metrics:
    """One row for each measured cell, and the cells that are not measured.

    Columns: those of `ecot.artefacts.metrics.Key`, n_test, and every registered quantity (NaN where a cell has none).
    """

    table: pd.DataFrame
    missing: list[Cell]


def read(cells: list[Cell], config: Config) -> Metrics:
    """The metrics of the given cells, in their order. Raises DamagedError for a file that is not the cell's."""
    rows, missing = [], []
    for cell in cells:
        settings, path = cell_settings(config, cell), metrics_path(config, cell)
        if path.is_file():
            measured = fingerprint.measured(settings, measurement_settings(config, cell.task))
            rows.append(row.read(path, row.key(settings, fingerprint.trained(settings), measured)))
        else:
            missing.append(cell)
    columns = [*row.Key.model_fields, "n_test", *QUANTITIES]
    table = pd.DataFrame(rows, columns=columns).astype({"rate_bits": "Int64"})
    return Metrics(table.astype(dict.fromkeys(QUANTITIES, "float64")), missing)


def over_seeds(metrics: pd.DataFrame, quantity: str) -> pd.DataFrame:
    """Mean, sample standard deviation (NaN for one seed) and number of seeds of a quantity.

    Columns: task, mode, randomness, rate_bits, dither, value, std, n_seeds. Cells without the quantity are left out.
    """
    groups = metrics.dropna(subset=[quantity]).groupby(KEY, sort=True, dropna=False)[quantity]
    return groups.agg(value="mean", std="std", n_seeds="count").reset_index()


@dataclass(frozen=True)
class AllMetrics(Product):
    """metrics.csv of a run: one row per measured cell."""

    def cells(self, config: Config) -> list[Cell]:
        return grid(config)

    def files(self, config: Config) -> list[Path]:
        from ecot.grid.paths import results_folder

        return [results_folder(config) / "metrics.csv"]

    def write(self, config: Config, folder: Path) -> None:
        table = read(self.cells(config), config).table.dropna(axis="columns", how="all")
        with atomic(folder / "metrics.csv") as temporary:
            table.to_csv(temporary, index=False)


@declare
def _products(config: Config) -> list[Product]:
    caption = "The metrics of all cells of the run, one row per cell. Squared errors are per pixel and channel."
    return [AllMetrics("metrics", "Metrics of all cells", caption, "Tables")]
