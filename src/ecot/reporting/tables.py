"""The paper's tables, from a run: tidy (.csv), and in the paper's shape (.md, .tex)."""

from collections.abc import Iterator

import pandas as pd
from tabulate import tabulate

from ecot import paper
from ecot.cells import results_folder
from ecot.config import Config
from ecot.errors import EcotError
from ecot.files import atomic, write_text
from ecot.reporting import metrics
from ecot.reporting.captions import describe, missing_note
from ecot.reporting.catalogue import TABLES, Line

RATES_A_LINE = 9  # as the paper breaks its tables


def write(number: int, config: Config) -> None:
    """Write table_NN.csv, .md and .tex of a run. EcotError if there is no such table or no cell of it is measured."""
    if number not in TABLES:
        raise EcotError(f"no Table {number}; there are {', '.join(map(str, TABLES))}")
    found = metrics.of(TABLES[number], config)
    if found.table.empty:
        raise EcotError(f"Table {number}: no cell of it is measured in {results_folder(config)}")
    rows = tidy(number, found.table)
    path = results_folder(config) / "tables" / f"table_{number:02d}"
    with atomic(path.with_suffix(".csv")) as temporary:
        rows.drop(columns="line").to_csv(temporary, index=False)
    caption = f"Table {number}: {TABLES[number].title}"
    notes = [*describe(config, sorted(set(rows["task"])), found.table), *missing_note(found.missing)]
    write_text(path.with_suffix(".md"), markdown(number, caption, notes, rows))
    write_text(path.with_suffix(".tex"), latex(number, caption, notes, rows))


def tidy(number: int, table: pd.DataFrame) -> pd.DataFrame:
    """A row a number of the table.

    Columns: task, rate_bits, randomness, mode, quantity, value, std (over seeds, empty for one),
    n_seeds, paper (empty where the paper has none or another data set), dataset, line (index).
    """
    key_columns = ["task", "rate_bits", "randomness", "mode", "quantity"]
    published = paper.published().query("table == @number").set_index(key_columns)
    rows = []
    for index, line in enumerate(TABLES[number].lines):
        own = table[(table.task == line.task) & (table["mode"] == line.mode) & (table.randomness == line.randomness)]
        for row in metrics.over_seeds(own, line.quantity).itertuples():
            dataset = own["dataset"].iloc[0]
            key = (line.task, row.rate_bits, line.randomness, line.mode, line.quantity)
            known = dataset == paper.DATASETS.get(line.task) and key in published.index
            rows.append(
                {
                    **dict(zip(key_columns, key, strict=True)),
                    "value": row.value,
                    "std": row.std,
                    "n_seeds": row.n_seeds,
                    "paper": published.loc[key, "value"] if known else None,
                    "dataset": dataset,
                    "line": index,
                }
            )
    return pd.DataFrame(rows)


def markdown(number: int, caption: str, notes: list[str], rows: pd.DataFrame) -> str:
    """The table in the paper's shape, as Markdown."""
    parts = [f"### {caption}", "\n".join(notes)]
    for heading, grids in _blocks(number, rows):
        parts.append(f"**{heading}**")
        parts += [tabulate(grid[1:], headers=grid[0], tablefmt="pipe", disable_numparse=True) for grid in grids]
    return "\n\n".join(parts) + "\n"


def latex(number: int, caption: str, notes: list[str], rows: pd.DataFrame) -> str:
    """The table in the paper's shape, as LaTeX with booktabs."""
    lines = [r"\begin{table}", r"\centering", rf"\caption{{{_tex(caption)}. {_tex(' '.join(notes))}}}"]
    for heading, grids in _blocks(number, rows):
        lines.append(rf"\par\medskip {_tex(heading)} \par")
        for grid in grids:
            lines.append(tabulate(grid[1:], headers=grid[0], tablefmt="latex_booktabs", disable_numparse=True))
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def _tex(text: str) -> str:
    return text.replace("&", r"\&").replace("%", r"\%").replace("_", r"\_").replace("lambda", r"$\lambda$")


def _blocks(number: int, rows: pd.DataFrame) -> Iterator[tuple[str, list[list[list[str]]]]]:
    """Each heading with its grids of text: a row of rates, then a row a line and one of the paper's numbers."""
    start = 0
    for heading, lines in TABLES[number].blocks.items():
        indices = range(start, start + len(lines))
        start += len(lines)
        rates = sorted(set(rows[rows.line.isin(indices)].rate_bits))
        pieces = [rates[i : i + RATES_A_LINE] for i in range(0, len(rates), RATES_A_LINE)]
        yield heading, [[["Rate (bits)", *map(str, piece)], *_lines(indices, lines, piece, rows)] for piece in pieces]


def _lines(indices: range, lines: tuple[Line, ...], rates: list[int], rows: pd.DataFrame) -> Iterator[list[str]]:
    for index, line in zip(indices, lines, strict=True):
        own = rows[rows.line == index].set_index("rate_bits")
        yield [line.label, *(_value(own, rate) for rate in rates)]
        if own.paper.notna().any():
            yield [f"{line.label} (paper)", *(_number(own, rate, "paper") for rate in rates)]


def _value(own: pd.DataFrame, rate: int) -> str:
    spread = _number(own, rate, "std")
    return _number(own, rate, "value") + (f" ± {spread}" if spread else "")


def _number(own: pd.DataFrame, rate: int, column: str) -> str:
    if rate not in own.index or pd.isna(own.loc[rate, column]):
        return ""
    return f"{own.loc[rate, column]:.4f}"
