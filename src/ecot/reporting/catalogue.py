"""Which tables and figures of the paper there are, and which cells each is made of."""

from collections.abc import Iterator
from dataclasses import dataclass

from ecot.cells import Cell, grid
from ecot.config import Config, Mode, Randomness

WITH = "With common randomness"
WITHOUT = "Without common randomness"


@dataclass(frozen=True)
class Line:
    """A row of numbers over the rates: one quantity of one kind of cell."""

    label: str
    task: str
    mode: Mode
    randomness: Randomness
    quantity: str  # column of metrics.csv


@dataclass(frozen=True)
class Product:
    """A table or figure: its title and, by heading, its lines."""

    title: str
    blocks: dict[str, tuple[Line, ...]]

    @property
    def lines(self) -> Iterator[Line]:
        """All lines, from top to bottom."""
        for lines in self.blocks.values():
            yield from lines

    def cells(self, config: Config) -> list[Cell]:
        """The cells of a run's grid that it is made of."""
        kinds = {(line.task, line.mode, line.randomness) for line in self.lines}
        return [cell for cell in grid(config) if (cell.task, cell.mode, cell.randomness) in kinds]


def _end_to_end(task: str, quantity: str) -> dict[str, tuple[Line, ...]]:
    return {
        WITH: (Line("MSE", task, "end_to_end", "common", quantity),),
        WITHOUT: (Line("MSE", task, "end_to_end", "independent", quantity),),
    }


INPUT = "MSE between input and output"
TARGET = "MSE between ground truth and output"

TABLES = {
    5: Product(f"{INPUT}, super-resolution", _end_to_end("super_resolution", "mse_input")),
    6: Product(f"{INPUT}, denoising", _end_to_end("denoising", "mse_input")),
    9: Product(f"{TARGET}, super-resolution", _end_to_end("super_resolution", "mse_target")),
    10: Product(f"{TARGET}, denoising", _end_to_end("denoising", "mse_target")),
}

FIGURES = {
    5: Product(
        "Rate-distortion trade-offs and samples",
        {
            task: tuple(line for lines in _end_to_end(task, "mse_input").values() for line in lines)
            for task in ("super_resolution", "denoising")
        },
    ),
}
