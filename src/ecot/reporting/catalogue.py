"""Which tables and figures of the paper there are, and which cells each is made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ecot.cells import Cell, grid
from ecot.config import Config, Mode, Randomness

Layout = Literal["rates across", "rates down", "methods across"]


@dataclass(frozen=True)
class Line:
    """A row of numbers over the rates: one quantity of one kind of cell."""

    label: str
    task: str
    mode: Mode
    randomness: Randomness
    quantity: str
    method: str = ""  # heading of its columns where methods stand side by side

    @property
    def kind(self) -> tuple[str, Mode, Randomness]:
        """Task, mode and randomness of its cells."""
        return self.task, self.mode, self.randomness

    @property
    def column(self) -> str:
        """The quantity's column in metrics.csv; Tables 1 and 11 have a name of their own for mse_input."""
        return "mse_input" if self.quantity == "loss_end_to_end" else self.quantity


@dataclass(frozen=True)
class Product:
    """A table or figure: its title and, by heading, its lines."""

    title: str
    blocks: dict[str, tuple[Line, ...]]
    layout: Layout = "rates across"
    bold: bool = False  # the best of a block at each rate

    @property
    def lines(self) -> Iterator[Line]:
        """All lines, from top to bottom."""
        for lines in self.blocks.values():
            yield from lines

    def cells(self, config: Config) -> list[Cell]:
        """The cells of a run's grid that it is made of: in each block, at the rates that all its lines have."""
        everything = list(grid(config))
        chosen: dict[Cell, None] = {}  # a set that keeps its order
        for lines in self.blocks.values():
            of_line = [
                [cell for cell in everything if (cell.task, cell.mode, cell.randomness) == line.kind]
                for line in lines
            ]
            rates = set.intersection(*({cell.rate_bits for cell in cells} for cells in of_line))
            chosen |= {cell: None for cells in of_line for cell in cells if cell.rate_bits in rates}
        return list(chosen)


SUPER_RESOLUTION, DENOISING = "super_resolution", "denoising"
HEADINGS = {SUPER_RESOLUTION: "Super-resolution", DENOISING: "Denoising"}
SETTINGS: dict[str, Randomness] = {
    "With common randomness": "common",
    "Without common randomness": "independent",
}
METHODS: dict[Mode, str] = {"joint": "Joint", "separate": "Separate"}
TERMS = {"mse_x_y1": "E‖X − Y1‖²", "mse_y_y2": "E‖Ỹ − Y2‖²", "mse_y1_y2": "E‖Y1 − Y2‖²"}
INPUT = "MSE between input and output"
TARGET = "MSE between ground truth and output"


def _end_to_end(task: str, quantity: str) -> dict[str, tuple[Line, ...]]:
    return {
        heading: (Line("MSE", task, "end_to_end", randomness, quantity),) for heading, randomness in SETTINGS.items()
    }


def _against_baseline(task: str) -> dict[str, tuple[Line, ...]]:
    return {
        heading: (
            Line("Baseline", task, "baseline", randomness, "mse_input"),
            Line("Ours", task, "end_to_end", randomness, "mse_input"),
        )
        for heading, randomness in SETTINGS.items()
    }


def _losses(task: str) -> tuple[Line, ...]:
    return (
        Line("End-to-end loss", task, "end_to_end", "independent", "loss_end_to_end"),
        Line("Decomposed loss", task, "joint", "independent", "loss_decomposed"),
    )


def _joint_and_separate(task: str) -> tuple[Line, ...]:
    return tuple(
        Line(TERMS[quantity], task, mode, "independent", quantity, method)
        for quantity in TERMS
        for mode, method in METHODS.items()
    )


def _breakdown(task: str) -> tuple[Line, ...]:
    end_to_end, decomposed = _losses(task)
    return (
        *(Line(label, task, "joint", "independent", quantity) for quantity, label in TERMS.items()),
        decomposed,
        end_to_end,
    )


TABLES = {
    1: Product(
        "End-to-end and decomposed loss without common randomness (Theorem 1)",
        {heading: _losses(task) for task, heading in HEADINGS.items()},
    ),
    2: Product(
        "Separate and joint training for the decomposed loss (18)",
        {heading: _joint_and_separate(task) for task, heading in HEADINGS.items()},
        layout="methods across",
    ),
    5: Product(f"{INPUT}, super-resolution", _end_to_end(SUPER_RESOLUTION, "mse_input")),
    6: Product(f"{INPUT}, denoising", _end_to_end(DENOISING, "mse_input")),
    7: Product("End-to-end system and baseline, super-resolution", _against_baseline(SUPER_RESOLUTION), bold=True),
    8: Product("End-to-end system and baseline, denoising", _against_baseline(DENOISING), bold=True),
    9: Product(f"{TARGET}, super-resolution", _end_to_end(SUPER_RESOLUTION, "mse_target")),
    10: Product(f"{TARGET}, denoising", _end_to_end(DENOISING, "mse_target")),
    11: Product(
        "Breakdown of Table 1",
        {f"{heading}, joint training": _breakdown(task) for task, heading in HEADINGS.items()},
        layout="rates down",
    ),
}

# Tables of networks: the task and the mode that has them.
ARCHITECTURES: dict[int, tuple[str, Mode]] = {
    12: (SUPER_RESOLUTION, "end_to_end"),
    13: (SUPER_RESOLUTION, "joint"),
    14: (DENOISING, "end_to_end"),
    15: (DENOISING, "joint"),
}

FIGURES = {
    5: Product(
        "Rate-distortion trade-offs and samples",
        {
            heading: tuple(line for lines in _end_to_end(task, "mse_input").values() for line in lines)
            for task, heading in HEADINGS.items()
        },
    ),
}

THEORY_FIGURES = 3, 6, 7, 8  # of no cell of a run
SIMULATED = 7, 8  # those with the operating points of simulated quantisers


def architectures(config: Config) -> dict[int, Cell]:
    """The tables of networks that a configuration has, each with the end-to-end cell of the longest code."""
    widest = {cell.task: cell for cell in grid(config) if cell.mode == "end_to_end"}
    return {number: widest[task] for number, (task, _) in ARCHITECTURES.items() if task in widest}
