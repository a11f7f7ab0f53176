"""Tables 3 and 4: the settings of training, from the configuration of the run."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ecot import paper
from ecot.config import Config, ModeSettings
from ecot.errors import MistakeError
from ecot.grid.paths import results_folder
from ecot.grid.plan import grid
from ecot.products.base import Product, declare
from ecot.products.captions import weight_title
from ecot.products.tables import Grid, table_files, write_files
from ecot.tasks import TASKS


@dataclass(frozen=True)
class TrainingTable(Product):
    """Optimiser and schedule of each network of one mode, for the tasks of the paper."""

    mode: str

    def files(self, config: Config) -> list[Path]:
        return table_files(results_folder(config), self.name)

    def write(self, config: Config, folder: Path) -> None:
        notes, blocks, rows = ["From the configuration of this run."], list[tuple[str, Grid]](), []
        for task in self.tasks(config):
            settings, title = config.tasks[task].modes[self.mode], TASKS[task].title
            networks = self._networks(task, settings, config)
            notes.append(f"{title}: {weight_title(task, self.mode, settings.distribution_weight)}.")
            blocks.append((title, [list(networks[0]), *([str(text) for text in row.values()] for row in networks)]))
            rows += [{"task": task, **row} for row in networks]
        if not rows:
            raise MistakeError(f"{self.name}: the configuration has no {self.mode} of a task of the paper")
        write_files(folder / "tables" / self.name, self.title, notes, blocks, pd.DataFrame(rows))

    def tasks(self, config: Config) -> list[str]:
        """The tasks of the paper of which the grid has cells of this mode."""
        there = {cell.task for cell in grid(config) if cell.mode == self.mode}
        return [task for task in paper.TASKS if task in there]

    def _networks(self, task: str, settings: ModeSettings, config: Config) -> list[dict[str, object]]:
        """One row per network that the mode trains or builds on."""
        beta_1, beta_2 = config.training.betas
        published = paper.WEIGHTS.get((task, self.mode))
        learned: dict[str, object] = {
            "learning rate": f"{settings.learning_rate:g}",
            "beta 1": f"{beta_1:g}",
            "beta 2": f"{beta_2:g}",
            "gradient penalty": "-",
            "lambda": f"{settings.distribution_weight:g}",
            "published lambda": "-" if published is None else f"{published:g}",
            "epochs": settings.epochs,
            "rate divided": "; ".join(f"by {by:g} after {epoch}" for epoch, by in settings.decays.items()) or "-",
        }
        frozen = learned | dict.fromkeys(learned, "-") | {"learning rate": "0 (frozen)"}
        critic = learned | {"gradient penalty": f"{config.training.gradient_penalty:g}"}
        networks = {"Encoder": learned, "Decoder": learned, "Critic": critic}
        if self.mode == "joint":
            networks = {"Encoder": frozen, "Decoder 1": learned, "Decoder 2": learned, "Critic": critic}
        if not settings.distribution_weight:
            del networks["Critic"]
        return [{"network": name, **row} for name, row in networks.items()]


TABLES = tuple(
    TrainingTable(
        f"table_{number:02d}",
        f"Table {number}: Settings of the {model}",
        f"Table {number} of the paper from this run: optimiser, schedule and lambda of each network.",
        "Tables",
        mode,
    )
    for number, model, mode in ((3, "end-to-end model", "end_to_end"), (4, "two-branch model", "joint"))
)


@declare
def _products(config: Config) -> Iterator[TrainingTable]:
    """The tables of the modes that the grid has."""
    return (table for table in TABLES if table.tasks(config))
