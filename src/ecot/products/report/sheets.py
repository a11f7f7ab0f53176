"""The tables of the report: every product's numbers as rows that the page sorts."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ecot.config import Config
from ecot.grid.paths import results_folder
from ecot.modes import MODES
from ecot.products.report import csv_files, sources, tabulated
from ecot.quantities import QUANTITIES
from ecot.tasks import TASKS

TITLES = {
    "rate_bits": "rate (bits per image)",
    "std": "std over seeds",
    "n_seeds": "seeds",
    "distribution_weight": "lambda",
    "n_test": "test images",
    "n_train": "training images",
    "mse_input": "E‖X − Ŷ‖²",
    "mse_target": "E‖Y − Ŷ‖²",
}
LEFT_OUT = {"claims.csv"}  # has a section of its own


@dataclass(frozen=True)
class Cell:
    """A cell of a table: its text, and for numbers what it is sorted by."""

    text: str
    number: float | None = None


@dataclass(frozen=True)
class Sheet:
    """A table: header and rows; columns with one value alone stand in `about`."""

    title: str
    caption: str
    file: str
    about: str
    header: list[str]
    rows: list[list[Cell]]


def sheets(config: Config, folder: Path) -> Iterator[Sheet]:
    """The tables of all products that are there, those of incomplete products in place of missing ones.

    `folder` is the one that the report goes to.
    """
    for product in tabulated(config):
        for path in csv_files(product, config):
            found = None if path.name in LEFT_OUT else sources.product_table(path, config, folder)
            if found is not None:
                title = product.title if len(csv_files(product, config)) == 1 else f"{product.title}: {path.stem}"
                yield sheet(title, product.caption, str(path.relative_to(results_folder(config))), found)


def sheet(title: str, caption: str, file: str, table: pd.DataFrame) -> Sheet:
    """A table as the page shows it: in words, with differences from the paper's numbers where it has those."""
    table = with_differences(table.dropna(axis="columns", how="all"))
    alone = [column for column in table if len(table) > 1 and table[column].drop_duplicates().size == 1]
    about = "; ".join(f"{name(column)}: {cell(column, table[column].iloc[0]).text}" for column in alone)
    table = table.drop(columns=alone)
    rows = [
        [cell(column, value) for column, value in zip(table, row, strict=True)]
        for row in table.itertuples(index=False)
    ]
    return Sheet(title, caption.replace("``", ""), file, about, [name(column) for column in table], rows)


def with_differences(table: pd.DataFrame) -> pd.DataFrame:
    """With columns `difference` (run less paper) and `relative`, behind the paper's numbers, if there are such."""
    if not {"value", "paper"} <= set(table):
        return table
    place = list(table).index("paper") + 1
    difference = table.value - table.paper
    table = table.copy()
    table.insert(place, "difference", difference)
    table.insert(place + 1, "relative", difference / table.paper)
    return table


def name(column: str) -> str:
    """The heading of a column in words."""
    if column in TITLES:
        return TITLES[column]
    return QUANTITIES[column].text if column in QUANTITIES else column.replace("_", " ")


def cell(column: str, value: Any) -> Cell:
    """A value in words."""
    if pd.isna(value):
        return Cell("")
    if column == "task" and value in TASKS:
        return Cell(TASKS[value].title)
    if column == "mode" and value in MODES:
        return Cell(MODES[value].title)
    if column == "quantity" and value in QUANTITIES:
        return Cell(QUANTITIES[value].text)
    if isinstance(value, bool | str):
        return Cell(str(value))
    number = float(value)
    if column == "relative":
        return Cell(f"{number:+.1%}", number)
    if column == "difference":
        return Cell(f"{number:+.4f}", number)
    if column == "distribution_weight" or number.is_integer():
        return Cell(f"{number:g}" if abs(number) < 1e6 else f"{number:,.0f}", number)
    return Cell(f"{number:.4f}" if abs(number) >= 1e-3 else f"{number:.3g}", number)
