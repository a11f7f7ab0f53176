"""Tables of quantities over rates: the class behind the paper's Tables 1, 2 and 5-11, and one table per task.

The paper's tables are declared in `ecot.products.paper_tables`, so that a change to one of them makes that one again
and no other.
"""

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pandas as pd

from ecot import paper
from ecot.config import Config
from ecot.errors import EcotError
from ecot.grid.cell import Cell
from ecot.grid.paths import results_folder
from ecot.grid.plan import grid, rated, tasks
from ecot.modes import MODES, Dither, Randomness
from ecot.paper import differences
from ecot.paper.comparable import match
from ecot.products import metrics
from ecot.products.base import Product, declare
from ecot.products.captions import describe, missing_note
from ecot.products.tables import Grid, table_files, write_files
from ecot.quantities import QUANTITIES, Quantity
from ecot.tasks import TASKS

Layout = Literal["rates across", "rates down", "methods across"]
RATES_PER_LINE = 9  # as the paper breaks its tables
SEEDS = "In brackets behind a number: how many seeds it is made of."
BOLD = (
    f"Bold: the lower of the two, where the {differences.CONFIDENCE:.0%} interval of their paired difference leaves"
    " out 0."
)
POINT = ["task", "rate_bits", "randomness", "mode", "quantity"]  # what tells a number of a table from all others
RANDOMNESS: dict[Randomness, str] = {
    "common": "With common randomness",
    "independent": "Without common randomness",
}


@dataclass(frozen=True)
class Line:
    """One quantity of one kind of cell over the rates."""

    label: str
    task: str
    mode: str
    randomness: Randomness
    quantity: Quantity
    method: str = ""  # heading of its columns where methods stand side by side
    printed_as: str = ""  # the paper's name of the quantity in this table, where it differs from ours
    dither: Dither | None = None  # the reading of the dither, for a mode that has several

    def has(self, cell: Cell) -> bool:
        """Whether the cell is one of this line's."""
        return (cell.task, cell.mode, cell.randomness, cell.dither) == (
            self.task,
            self.mode,
            self.randomness,
            self.dither,
        )


@dataclass(frozen=True)
class Block:
    """The lines under one heading. They are shown at the rates that all of them have."""

    heading: str
    lines: tuple[Line, ...]

    def cells(self, config: Config) -> Iterator[Cell]:
        """The cells of the grid that the block is made of."""
        cells = grid(config)
        rates = set.intersection(*({cell.rate_bits for cell in cells if line.has(cell)} for line in self.lines))
        for line in self.lines:
            yield from (cell for cell in cells if line.has(cell) and cell.rate_bits in rates)


@dataclass(frozen=True)
class RateTable(Product):
    """Numbers over rates: means and spreads over seeds, with the paper's numbers where they are comparable."""

    blocks: tuple[Block, ...]
    number: int | None = None  # of the paper's table whose numbers stand beside the run's
    layout: Layout = "rates across"
    bold: bool = False  # whether the lower of a block's two numbers is bold, where the seeds decide which one it is

    def cells(self, config: Config) -> list[Cell]:
        return list(dict.fromkeys(cell for block in self.blocks for cell in block.cells(config)))

    def files(self, config: Config) -> list[Path]:
        return table_files(results_folder(config), self.name)

    def write(self, config: Config, folder: Path) -> None:
        measured = metrics.read(self.cells(config), config)
        if measured.table.empty:
            raise EcotError(f"no cell of it is measured in {results_folder(config)}")
        rows = self.numbers(measured.table, config)
        notes = [
            *describe(config, sorted(set(rows["task"])), measured.table),
            SEEDS,
            *([BOLD] if self.bold else []),
            *missing_note(measured.missing),
        ]
        write_files(
            folder / "tables" / self.name,
            self.title,
            notes,
            self._grids(rows, self._decided(measured.table) if self.bold else set()),
            rows.drop(columns=["block", "line"]),
        )

    def numbers(self, table: pd.DataFrame, config: Config) -> pd.DataFrame:
        """The numbers of the table, from rows of metrics: one row per number.

        Columns: task, rate_bits, randomness, mode, quantity, value, std (over seeds, NaN for one), n_seeds, paper
        (None where the paper has none that is comparable), dataset, distribution_weight, dither (None for modes with
        one reading), block and line (indices).
        """
        printed = paper.published()
        published = printed[printed.table == self.number].set_index(POINT)["value"]
        rows = []
        for block, line, shown in self._lines():
            cells = table[(table.task == line.task) & (table["mode"] == line.mode)]
            cells = cells[
                (cells.randomness == line.randomness) & (cells.dither.isna() | (cells.dither == line.dither))
            ]
            for mean in metrics.over_seeds(cells, line.quantity.name).itertuples():
                first = cells.iloc[0]
                point = (line.task, mean.rate_bits, line.randomness, line.mode, shown)
                same = match(config, line.task, line.mode, line.randomness, int(mean.rate_bits), line.dither)
                known = same.comparable and point in published.index
                rows.append(
                    {
                        **dict(zip(POINT, point, strict=True)),
                        "value": mean.value,
                        "std": mean.std,
                        "n_seeds": mean.n_seeds,
                        "paper": published[point] if known else None,
                        "dataset": first.dataset,
                        "distribution_weight": first.distribution_weight,
                        "dither": line.dither,
                        "block": block,
                        "line": self.blocks[block].lines.index(line),
                    }
                )
        return pd.DataFrame(rows)

    def _lines(self) -> Iterator[tuple[int, Line, str]]:
        """The index of its block, each line, and the name of its quantity in this table."""
        for index, block in enumerate(self.blocks):
            for line in block.lines:
                yield index, line, line.printed_as or line.quantity.name

    def _decided(self, table: pd.DataFrame) -> set[tuple[int, int]]:
        """Block and rate at which the paired interval of the block's two lines leaves out zero."""
        found, numbers = set(), differences.of_run(table)
        for index, block in enumerate(self.blocks):
            first, second = (
                differences.Series(line.mode, line.randomness, line.quantity.name, line.dither).of(numbers, line.task)
                for line in block.lines
            )
            apart = first - second
            for rate in apart:
                _, low, high, _ = differences.interval(apart[rate])
                if low > 0 or high < 0:  # false where there is one seed, and so no interval
                    found.add((index, int(rate)))
        return found

    def _grids(self, rows: pd.DataFrame, decided: Set[tuple[int, int]]) -> list[tuple[str, Grid]]:
        """The table as text. A block that is broken like the paper's continues without a heading."""
        grids: list[tuple[str, Grid]] = []
        for index, block in enumerate(self.blocks):
            numbers = rows[rows.block == index]
            bold = {rate for place, rate in decided if place == index}
            entries = [_entries(line, numbers, i, bold) for i, line in enumerate(block.lines)]
            rates = sorted(set(numbers.rate_bits))
            match self.layout:
                case "rates across":
                    pieces = [rates[i : i + RATES_PER_LINE] for i in range(0, len(rates), RATES_PER_LINE)]
                    parts = [_rates_across(entries, piece) for piece in pieces]
                case "rates down":
                    parts = [[list(row) for row in zip(*_rates_across(entries, rates), strict=True)]]
                case "methods across":
                    parts = [_methods_across(block.lines, entries, rates)]
            if rates:
                grids += [(block.heading if i == 0 else "", part) for i, part in enumerate(parts)]
        return grids


@dataclass(frozen=True)
class _Entries:
    """The text of a line at each rate, and of the paper's numbers for it."""

    label: str
    ours: dict[int, str]
    published: dict[int, str]


def _entries(line: Line, block: pd.DataFrame, index: int, bold: Set[int]) -> _Entries:
    best, decimals = block.groupby("rate_bits")["value"].min(), line.quantity.decimals
    ours, published = {}, {}
    for row in block[block.line == index].itertuples():
        spread = "" if pd.isna(row.std) else f" ± {row.std:.{decimals}f}"
        text = f"{row.value:.{decimals}f}{spread} ({row.n_seeds})"
        ours[row.rate_bits] = f"**{text}**" if row.rate_bits in bold and row.value == best[row.rate_bits] else text
        if not pd.isna(row.paper):
            published[row.rate_bits] = f"{row.paper:.{decimals}f}"
    return _Entries(line.label, ours, published)


def _rates_across(lines: list[_Entries], rates: list[int]) -> Grid:
    rows = [["Rate (bits)", *map(str, rates)]]
    for line in lines:
        rows.append([line.label, *(line.ours.get(rate, "") for rate in rates)])
        if line.published:
            rows.append([f"{line.label} (paper)", *(line.published.get(rate, "") for rate in rates)])
    return rows


def _methods_across(lines: tuple[Line, ...], entries: list[_Entries], rates: list[int]) -> Grid:
    methods = list(dict.fromkeys(line.method for line in lines))
    rows = [["Rate (bits)", *(f"{rate} {method}" for rate in rates for method in methods)]]
    for label in dict.fromkeys(line.label for line in lines):
        by_method = {line.method: entry for line, entry in zip(lines, entries, strict=True) if line.label == label}
        rows.append([label, *(by_method[method].ours.get(rate, "") for rate in rates for method in methods)])
        if any(entry.published for entry in by_method.values()):
            texts = [by_method[method].published.get(rate, "") for rate in rates for method in methods]
            rows.append([f"{label} (paper)", *texts])
    return rows


@declare
def _products(config: Config) -> Iterator[RateTable]:
    """For every task both distortions of all modes that have a rate."""
    for task in tasks(config):
        cells = [cell for cell in rated(config) if cell.task == task]
        kinds = dict.fromkeys((cell.mode, cell.randomness, cell.dither) for cell in cells)
        blocks = tuple(
            Block(
                _capital(MODES[mode].title),
                tuple(_distortions(task, mode, [kind[1:] for kind in kinds if kind[0] == mode])),
            )
            for mode in dict.fromkeys(kind[0] for kind in kinds)
        )
        if blocks:
            title = TASKS[task].title
            yield RateTable(
                f"rate_distortion_table_{task}",
                f"Distortion at each rate: {title}",
                f"{title}: mean squared error per pixel between input and output and between ground truth and output,"
                " at each rate, for every mode: mean, standard deviation and number of seeds.",
                "Tables",
                blocks,
            )


def _distortions(task: str, mode: str, kinds: Iterable[tuple[Randomness | None, Dither | None]]) -> Iterator[Line]:
    for quantity in (QUANTITIES["mse_input"], QUANTITIES["mse_target"]):
        for kind, dither in kinds:
            if kind is not None:
                reading = f", {dither} dither" if dither else ""
                shared = RANDOMNESS[kind].lower() if kind in RANDOMNESS else f"{kind} randomness"
                label = f"{quantity.text}, {shared}{reading}"
                yield Line(label, task, mode, kind, quantity, dither=dither)


def _capital(title: str) -> str:
    return title[:1].upper() + title[1:]
