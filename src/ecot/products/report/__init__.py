"""report.html: all results of a run in one file that needs no network.

It is made of what the tables and figures are made of: rows of metrics, sample images, histories and run records of
the cells, bounds, and the tables that other products write. The curves of the theory are computed here beforehand by
`ecot.theory`; the page itself computes nothing, it chooses among what it holds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from ecot.artefacts.names import HISTORY, RECORD
from ecot.config import Config
from ecot.errors import EcotError
from ecot.files import write_text
from ecot.grid.cell import Cell
from ecot.grid.paths import clean_scores_path, image_bounds_path, model_folder, results_folder
from ecot.grid.plan import grid, tasks
from ecot.products.base import Product, declare, products

PAGE = Path(__file__).parent / "page"  # template, style and script


@dataclass(frozen=True)
class Report(Product):
    """report.html of a run."""

    page: str  # hash of template, style and script: with them changed, the report is made again
    environment = "torch"  # the reader of run records needs it

    def cells(self, config: Config) -> list[Cell]:
        return grid(config)

    def samples(self, config: Config) -> list[Cell]:
        """One seed is shown: the first."""
        return [cell for cell in grid(config) if cell.seed == config.seeds[0]]

    def reads(self, config: Config) -> list[Path]:
        of_cells = [model_folder(config, cell) / name for cell in grid(config) for name in (HISTORY, RECORD)]
        of_tasks = [path(config, task) for task in tasks(config) for path in (image_bounds_path, clean_scores_path)]
        tables = [path for product in tabulated(config) for path in csv_files(product, config)]
        return list(dict.fromkeys([*of_cells, *of_tasks, *tables]))

    def files(self, config: Config) -> list[Path]:
        return [results_folder(config) / "report.html"]

    def write(self, config: Config, folder: Path) -> None:
        from ecot.products import metrics
        from ecot.products.report import document  # Plotly, which planning does not need

        measured = metrics.read(self.cells(config), config)
        if measured.table.empty:
            raise EcotError(f"{self.name}: no cell is measured in {results_folder(config)}")
        write_text(folder / "report.html", document.render(config, measured, self.samples(config), folder))


def tabulated(config: Config) -> list[Product]:
    """The products of the target `all` whose tables the report shows: all but the curves of figures."""
    shown = {"Paper": 0, "Tables": 1, "Bounds": 2}  # in this order
    found = [product for product in products(config).values() if product.in_all and product.category in shown]
    return sorted(found, key=lambda product: (shown[product.category], product.name))


def csv_files(product: Product, config: Config) -> list[Path]:
    """The tables that a product writes as numbers."""
    return [path for path in product.files(config) if path.suffix == ".csv"]


@declare
def _products(_config: Config) -> Iterator[Report]:
    parts = sorted(PAGE.iterdir())
    yield Report(
        "report",
        "Report",
        "All results of the run in one page: what common randomness buys, curves, images by rate, every table and"
        " claim, the theory with sliders, training curves, run times and settings.",
        "Report",
        sha256(b"".join(path.read_bytes() for path in parts)).hexdigest()[:16],
    )
