"""Tables 12-15: the layers of the networks, read off the networks themselves."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from ecot.config import Config
from ecot.grid.paths import results_folder
from ecot.grid.plan import cell_settings, grid
from ecot.products.base import Product, declare
from ecot.products.tables import Grid, table_files, write_files
from ecot.tasks import TASKS

MODELS = {"end_to_end": "end-to-end model", "joint": "two-branch model"}
# The paper's number of each table, and whose networks it shows.
TABLES = {
    12: ("super_resolution", "end_to_end"),
    13: ("super_resolution", "joint"),
    14: ("denoising", "end_to_end"),
    15: ("denoising", "joint"),
}


@dataclass(frozen=True)
class ArchitectureTable(Product):
    """The layers of one mode's networks for a task, at the longest code of the grid."""

    task: str
    mode: str
    networks: str  # the module that defines them
    latent_dim: int
    width: float
    environment = "torch"

    @property
    def modules(self) -> tuple[str, ...]:
        return *super().modules, self.networks

    def files(self, config: Config) -> list[Path]:
        return table_files(results_folder(config), self.name)

    def write(self, config: Config, folder: Path) -> None:
        from ecot.systems.architecture import layers

        rows = pd.DataFrame([asdict(layer) for layer in layers(self.task, self.mode, self.latent_dim, self.width)])
        blocks: list[tuple[str, Grid]] = []
        for network, part in rows.groupby("network", sort=False):
            lines = [[row.layer, row.output, f"{row.parameters:,}"] for row in part.itertuples()]
            total = ["total", "", f"{part.parameters.sum():,}"]
            blocks.append((str(network), [["layer", "output", "parameters"], *lines, total]))
        notes = [
            f"From the modules, at width {self.width:g} and {self.latent_dim} latent dimensions;"
            " batch normalisation is counted."
        ]
        write_files(folder / "tables" / self.name, self.title, notes, blocks, rows.assign(task=self.task))


@declare
def _products(config: Config) -> Iterator[ArchitectureTable]:
    """The tables of the tasks that have an end-to-end cell."""
    widest = {cell.task: cell for cell in grid(config) if cell.mode == "end_to_end"}  # rates ascend: the last one
    for number, (task, mode) in TABLES.items():
        if task in widest:
            settings = cell_settings(config, widest[task])
            yield ArchitectureTable(
                f"table_{number:02d}",
                f"Table {number}: Architecture of the {MODELS[mode]}, {TASKS[task].title.lower()}",
                f"Table {number} of the paper, from the program's own networks: layers, shapes and parameters.",
                "Tables",
                task,
                mode,
                TASKS[task].networks,
                settings.latent_dim,
                settings.width,
            )
