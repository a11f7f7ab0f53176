"""The paper's tables, from a run: tidy (.csv), and in the paper's shape (.md, .tex)."""

import re
from dataclasses import dataclass
from pathlib import Path

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
SEEDS = "In brackets behind a number: how many seeds it is made of."
Grid = list[list[str]]


def write(number: int, config: Config) -> None:
    """Write table_NN.csv, .md and .tex of a run. EcotError if there is no such table or no cell of it is measured."""
    if number not in TABLES:
        raise EcotError(f"no Table {number}; there are {', '.join(map(str, TABLES))}")
    found = metrics.of(TABLES[number], config)
    if found.table.empty:
        raise EcotError(f"Table {number}: no cell of it is measured in {results_folder(config)}")
    rows = tidy(number, found.table)
    notes = [*describe(config, sorted(set(rows["task"])), found.table), SEEDS, *missing_note(found.missing)]
    write_files(
        results_folder(config) / "tables" / f"table_{number:02d}",
        f"Table {number}: {TABLES[number].title}",
        notes,
        _blocks(number, rows),
        _with_weights(rows.drop(columns="line"), config),
    )


def write_files(
    path: Path, caption: str, notes: list[str], blocks: list[tuple[str, Grid]], rows: pd.DataFrame
) -> None:
    """Write `rows` to path.csv and the blocks, grids of text under headings, to path.md and path.tex.

    The first row of a grid is its header; a text between asterisks is bold.
    """
    write_markdown(path, caption, notes, blocks, rows)
    write_text(path.with_suffix(".tex"), latex(caption, notes, blocks))


def write_markdown(
    path: Path, caption: str, notes: list[str], blocks: list[tuple[str, Grid]], rows: pd.DataFrame
) -> None:
    """Write `rows` to path.csv and the blocks to path.md: what is too wide for a page has no .tex."""
    with atomic(path.with_suffix(".csv")) as temporary:
        rows.to_csv(temporary, index=False)
    write_text(path.with_suffix(".md"), markdown(caption, notes, blocks))


def tidy(number: int, table: pd.DataFrame) -> pd.DataFrame:
    """A row a number of the table.

    Columns: task, rate_bits, randomness, mode, quantity, value, std (over seeds, empty for one),
    n_seeds, paper (empty where the paper has none or another data set), dataset, line (index).
    """
    key_columns = ["task", "rate_bits", "randomness", "mode", "quantity"]
    published = paper.published().query("table == @number").set_index(key_columns)
    rows = []
    for index, line in enumerate(TABLES[number].lines):
        task, mode, randomness = line.kind
        own = table[(table.task == task) & (table["mode"] == mode) & (table.randomness == randomness)]
        if own.empty:  # no cell of it is measured, and perhaps there is no column of its quantity
            continue
        for row in metrics.over_seeds(own, line.column).itertuples():
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


def _with_weights(rows: pd.DataFrame, config: Config) -> pd.DataFrame:
    """`rows` with the lambda that each number was trained with and where it comes from."""
    schedules = [config.tasks[row.task].schedules()[row.mode] for row in rows.itertuples()]
    return rows.assign(
        distribution_weight=[schedule.weight for schedule in schedules],
        weight_origin=[schedule.weight_origin for schedule in schedules],
    )


def markdown(caption: str, notes: list[str], blocks: list[tuple[str, Grid]]) -> str:
    """Blocks of a table as Markdown."""
    parts = [f"### {caption}", "\n".join(notes)]
    for heading, grid in blocks:
        parts += [f"**{heading}**"] if heading else []
        header, *lines = [[cell.replace("|", r"\|") for cell in row] for row in grid]
        parts.append(tabulate(lines, headers=header, tablefmt="pipe", disable_numparse=True))
    return "\n\n".join(parts) + "\n"


def latex(caption: str, notes: list[str], blocks: list[tuple[str, Grid]]) -> str:
    """Blocks of a table as LaTeX with booktabs."""
    lines = [r"\begin{table}", r"\centering", rf"\caption{{{_tex(caption)}. {_tex(' '.join(notes))}}}"]
    for heading, grid in blocks:
        lines += [rf"\par\medskip {_tex(heading)} \par"] if heading else []
        cells = [[_tex(cell) for cell in row] for row in grid]
        tabular = tabulate(cells[1:], headers=cells[0], tablefmt="latex_raw", disable_numparse=True)
        first, *others = tabular.split(r"\hline")
        # tabulate has booktabs' rules only together with its own escaping.
        rules = [r"\toprule", r"\midrule", r"\bottomrule"]
        lines.append(first + "".join(rule + part for rule, part in zip(rules, others, strict=True)))
    return "\n".join([*lines, r"\end{table}"]) + "\n"


TEX = {
    "&": r"\&", "%": r"\%", "_": r"\_", "lambda": r"$\lambda$", "±": r"$\pm$", "‖": r"$\|$", "−": "$-$",
    "²": "$^2$", "Ỹ": r"$\tilde{Y}$", "Y1": "$Y_1$", "Y2": "$Y_2$",
}  # fmt: skip


def _tex(text: str) -> str:
    for sign, code in TEX.items():
        text = text.replace(sign, code)
    return re.sub(r"\*\*(.+)\*\*", r"\\textbf{\1}", text)


def _blocks(number: int, rows: pd.DataFrame) -> list[tuple[str, Grid]]:
    """The table in the paper's shape; a block that is broken like the paper's goes on without a heading."""
    product, start = TABLES[number], 0
    blocks: list[tuple[str, Grid]] = []
    for heading, lines in product.blocks.items():
        own = rows[rows.line.isin(range(start, start + len(lines)))]
        columns = [_entries(line, own[own.line == start + i], own, bold=product.bold) for i, line in enumerate(lines)]
        start += len(lines)
        rates = sorted(set(own.rate_bits))
        match product.layout:
            case "rates across":
                pieces = [rates[i : i + RATES_A_LINE] for i in range(0, len(rates), RATES_A_LINE)]
                grids = [_rates_across(columns, piece) for piece in pieces]
            case "rates down":
                grids = [[list(row) for row in zip(*_rates_across(columns, rates), strict=True)]]
            case "methods across":
                grids = [_methods_across(lines, columns, rates)]
        if rates:
            blocks += [(heading if i == 0 else "", grid) for i, grid in enumerate(grids)]
    return blocks


@dataclass(frozen=True)
class _Entries:
    """The text of a line at each rate, and of the paper's numbers for it."""

    label: str
    ours: dict[int, str]
    published: dict[int, str]


def _entries(line: Line, own: pd.DataFrame, block: pd.DataFrame, *, bold: bool) -> _Entries:
    best = block.groupby("rate_bits")["value"].min()
    values = {}
    for row in own.itertuples():
        text = f"{row.value:.4f}" + ("" if pd.isna(row.std) else f" ± {row.std:.4f}") + f" ({row.n_seeds})"
        values[row.rate_bits] = f"**{text}**" if bold and row.value == best[row.rate_bits] else text
    published = {row.rate_bits: f"{row.paper:.4f}" for row in own.itertuples() if not pd.isna(row.paper)}
    return _Entries(line.label, values, published)


def _rates_across(columns: list[_Entries], rates: list[int]) -> Grid:
    grid = [["Rate (bits)", *map(str, rates)]]
    for entries in columns:
        grid.append([entries.label, *(entries.ours.get(rate, "") for rate in rates)])
        if entries.published:
            grid.append([f"{entries.label} (paper)", *(entries.published.get(rate, "") for rate in rates)])
    return grid


def _methods_across(lines: tuple[Line, ...], columns: list[_Entries], rates: list[int]) -> Grid:
    methods = list(dict.fromkeys(line.method for line in lines))
    grid = [["Rate (bits)", *(f"{rate} {method}" for rate in rates for method in methods)]]
    for label in dict.fromkeys(line.label for line in lines):
        by_method = {
            line.method: entries for line, entries in zip(lines, columns, strict=True) if line.label == label
        }
        grid.append([label, *(by_method[method].ours.get(rate, "") for rate in rates for method in methods)])
        if any(entries.published for entries in by_method.values()):
            texts = [by_method[method].published.get(rate, "") for rate in rates for method in methods]
            grid.append([f"{label} (paper)", *texts])
    return grid
