"""The metrics of a run's cells: read, gathered, averaged over seeds."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ecot.artefacts import DamagedError
from ecot.artefacts import metrics as row
from ecot.config import Config
from ecot.data.arrays import stated_checksum
from ecot.errors import EcotError
from ecot.files import atomic
from ecot.grid import fingerprint
from ecot.grid.cell import Cell
from ecot.grid.paths import dataset_path, metrics_path, results_folder
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


def key(config: Config, cell: Cell) -> row.Key:
    """What a cell is under a configuration, and on the data that are prepared now."""
    settings = cell_settings(config, cell)
    measured = fingerprint.measured(settings, measurement_settings(config, cell.task))
    data = stated_checksum(dataset_path(settings.dataset))
    return row.key(settings, fingerprint.trained(settings), measured, data)


def read(cells: list[Cell], config: Config) -> Metrics:
    """The metrics of the given cells, in their order.

    Raises EcotError, which names each of them, if there are files that are not their cell's.
    """
    rows, missing, faults = [], [], []
    for cell in cells:
        path = metrics_path(config, cell)
        if not path.is_file():
            missing.append(cell)
            continue
        try:
            rows.append(row.read(path, key(config, cell)))
        except DamagedError as error:
            faults.append(error)
    if faults:
        raise faults[0] if len(faults) == 1 else EcotError("\n".join(map(str, faults)))
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
        return [results_folder(config) / "metrics.csv"]

    def write(self, config: Config, folder: Path) -> None:
        table = read(self.cells(config), config).table.dropna(axis="columns", how="all")
        if table.empty:
            raise EcotError(f"no cell of it is measured in {results_folder(config)}")
        with atomic(folder / "metrics.csv") as temporary:
            table.to_csv(temporary, index=False)


@declare
def _products(config: Config) -> list[Product]:
    caption = "The metrics of all cells of the run, one row per cell. Squared errors are per pixel and channel."
    return [AllMetrics("metrics", "Metrics of all cells", caption, "Tables")]
