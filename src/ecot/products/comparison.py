"""Published and reproduced numbers side by side: every one, a summary per table, a figure.

A number that several tables print counts in the first of ORDER alone. Flags, the first that applies:

    doubtful in the paper   a misprint, or contradicted by another one (resources/paper_tables.csv says by which)
    not run                 no cell of the run has it
    not comparable          the run solves another problem, see `ecot.paper.comparable`: its number is left out
    within spread           at most two standard deviations over the run's seeds from the published number
    within 5 %              of the published number
    differs
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from ecot import paper
from ecot.config import Config
from ecot.data.sets import DATASETS
from ecot.errors import EcotError
from ecot.grid.cell import Cell
from ecot.grid.paths import results_folder
from ecot.grid.plan import rated
from ecot.modes import MODES
from ecot.paper.comparable import match
from ecot.paper.differences import TABLES_DITHER
from ecot.paper.verdicts import VERDICTS
from ecot.products import claims, metrics, palette
from ecot.products.base import Product, declare
from ecot.products.captions import count, describe, missing_note
from ecot.products.figure_paths import figure_files
from ecot.products.tables import Grid, grid_markdown, write_list
from ecot.quantities import QUANTITIES
from ecot.tasks import TASKS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Flag = Literal["doubtful in the paper", "not run", "not comparable", "within spread", "within 5 %", "differs"]
ORDER = (5, 6, 9, 10, 7, 8, 1, 2, 11)  # of the tables: end to end, baseline, decomposition
SUMMARY = "paper_summary"
CLOSE = 0.05
SPREADS = 2.0  # standard deviations
NUMBER = ["task", "rate_bits", "randomness", "mode", "quantity"]
PRINTED_AS = {"loss_end_to_end": "mse_input"}  # Tables 1 and 11 have a name of their own for it
NOTES = (
    "Ratio: reproduced / published. Flags, the first that applies: doubtful in the paper (a misprint, or contradicted"
    " by another published number); not run; not comparable (the run solves another problem than the paper); within"
    f" spread ({SPREADS:g} standard deviations over the seeds); within 5 %; differs. Doubtful numbers are left out of"
    " medians and extremes. A number that several tables print counts in the first of them alone, in the order"
    f" {', '.join(map(str, ORDER))}.",
)
# Marks of the figure by what is measured; randomness is told by colour and filling.
MARKS: dict[str, dict[str, Any]] = {
    "to the input (Tables 5, 6)": {"marker": "o"},
    "to the ground truth (9, 10)": {"marker": "^"},
    "baseline, to the input (7, 8)": {"marker": "s"},
    "decomposition (1, 2, 11)": {"marker": "D"},
    "doubtful in the paper": {"marker": "x"},
}
COMMON, INDEPENDENT, GREY, BAND = (palette.COLOURS[name].light for name in ("common", "independent", "grey", "band"))
COLOURS: dict[str, dict[str, Any]] = {
    "common": {"color": COMMON, "markerfacecolor": COMMON},
    "independent": {"color": INDEPENDENT, "markerfacecolor": "none"},
}


@dataclass(frozen=True)
class PaperComparison(Product):
    """paper_comparison.csv, .md, paper_summary.csv, .md and figures/paper_comparison.svg, .png.

    A published number that no measured cell reproduces is listed as not run.
    """

    def cells(self, config: Config) -> list[Cell]:
        return [cell for cell in rated(config) if cell.task in paper.TASKS]

    def reads(self, config: Config) -> list[Path]:
        return claims.test_set_paths(config)

    def files(self, config: Config) -> list[Path]:
        folder = results_folder(config)
        tables = [folder / f"{name}{suffix}" for name in (SUMMARY, self.name) for suffix in (".csv", ".md")]
        return [*tables, *figure_files(folder, self.name)]

    def write(self, config: Config, folder: Path) -> None:
        from ecot.products import drawing

        measured = metrics.read(self.cells(config), config)
        if measured.table.empty:
            raise EcotError(f"{self.name}: no cell is measured in {results_folder(config)}")
        rows = compare(measured.table, config)
        judged = claims.experiments(measured.table, config)
        table = summary(rows, judged)
        there = [task for task in claims.paper_tasks(config) if task in set(measured.table.task)]
        notes = [*describe(config, there, measured.table), *NOTES, *missing_note(measured.missing)]
        words = dict(zip(judged.id, judged.claim, strict=True))
        sections = [(_heading(row), _summary_list(row, words)) for row in table.itertuples()]
        write_list(folder / SUMMARY, "The paper's tables and this run", notes, sections, table)
        numbers = [
            (_heading(group.iloc[0]), grid_markdown(_grid(group)))
            for _, group in rows.groupby(["table", "task"], sort=False)
        ]
        write_list(folder / self.name, "Every published number", notes, numbers, rows)
        drawing.write(folder / "figures" / self.name, lambda: draw(rows))


def compare(table: pd.DataFrame, config: Config) -> pd.DataFrame:
    """One row per published number, with the mean of the run's beside it where the two are comparable.

    Columns: table, task, rate_bits, randomness, mode, quantity, repeats (the table that prints the number first, if
    another does), paper, value, std (over seeds), n_seeds, ratio, flag, note (of a doubtful one), problem (what makes
    a measured number another problem's), and what the run's number was made with: dataset, n_train (images), epochs,
    paper_epochs (where the paper says so), width, distribution_weight (as used), training (what differs in it).
    """
    published = paper.published().rename(columns={"value": "paper"})
    key = published.replace({"quantity": PRINTED_AS})[NUMBER]
    rows = published.join(key.merge(_reproduced(table), on=NUMBER, how="left").drop(columns=NUMBER))
    first = key.assign(table=rows.table, place=rows.table.map(ORDER.index)).sort_values("place", kind="stable")
    first = key.merge(first.drop_duplicates(NUMBER), on=NUMBER, how="left")["table"]
    rows["repeats"] = first.where(first != rows.table)
    found = [match(config, row.task, row.mode, row.randomness, row.rate_bits) for row in rows.itertuples()]
    run = rows.value.notna()
    rows["problem"] = ["; ".join(one.problem) if there else None for one, there in zip(found, run, strict=True)]
    rows["training"] = ["; ".join(one.training) for one in found]
    rows["epochs"] = [_epochs(config, task, mode) for task, mode in zip(rows.task, rows["mode"], strict=True)]
    rows["paper_epochs"] = [paper.EPOCHS.get(key) for key in zip(rows.task, rows["mode"], strict=True)]
    rows["width"] = [config.tasks[task].width if task in config.tasks else None for task in rows.task]
    rows["n_train"] = [_images(config, task) for task in rows.task]
    rows["ratio"] = rows.value / rows.paper
    values = ["value", "std", "n_seeds", "ratio"]
    made = ["dataset", "n_train", "epochs", "paper_epochs", "width", "distribution_weight", "training"]
    rows.loc[[not one.comparable for one in found], values] = None
    rows.loc[rows.value.isna(), made] = None
    rows["flag"] = [_flag(row) for row in rows.itertuples()]
    whole = dict.fromkeys(("rate_bits", "repeats", "n_seeds", "n_train", "epochs", "paper_epochs"), "Int64")
    return rows[["table", *NUMBER, "repeats", "paper", *values, "flag", "note", "problem", *made]].astype(whole)


def summary(rows: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """One row per table and task of `compare`; `judged` are the verdicts of `ecot.paper.checks.judge`.

    Numbers that an earlier table prints are not counted. Columns: table, task, dataset, problem (what makes the run's
    another one, empty if nothing), schedule, published, repeated (numbers of earlier tables), reproduced, doubtful
    (how many numbers), n_seeds (fewest and most), median and largest (relative difference, the former absolute, over
    reproduced numbers that are not doubtful), largest_at, close (within spread or 5 %), claims (verdicts on those
    that speak of the table, if the problem is the paper's).
    """
    lines = []
    for (number, task), group in rows.groupby(["table", "task"], sort=False):
        own = group[group.repeats.isna()]
        there = own[own.value.notna()]
        clean = there[there.flag != "doubtful in the paper"]
        apart = clean.ratio - 1
        worst = clean.loc[apart.abs().idxmax()] if len(clean) else None
        problem = next(iter(group.problem.dropna()), "")
        spoken = [task == row.task and number in row.tables and not row.problem for row in judged.itertuples()]
        lines.append(
            {
                "table": number,
                "task": task,
                "dataset": there.dataset.iloc[0] if len(there) else None,
                "problem": problem,
                "schedule": _schedule(there),
                "published": len(own),
                "repeated": len(group) - len(own),
                "reproduced": len(there),
                "doubtful": int((own.flag == "doubtful in the paper").sum()),
                "n_seeds": _range(there.n_seeds),
                "median": apart.abs().median(),
                "largest": np.nan if worst is None else worst.ratio - 1,
                "largest_at": "" if worst is None else _point(worst),
                "close": int(clean.flag.isin(["within spread", "within 5 %"]).sum()),
                "claims": _verdicts(judged[spoken]),
            }
        )
    return pd.DataFrame(lines)


def draw(rows: pd.DataFrame) -> "Figure":
    """Reproduced against published, one panel per task; each number once, also where two tables print it."""
    from ecot.products import drawing

    tasks = list(dict.fromkeys(rows.task[rows.value.notna()]))
    figure, (panels,) = drawing.panels(1, max(len(tasks), 1), (5 * max(len(tasks), 1), 5.4))
    for panel, task in zip(panels, tasks, strict=False):
        _panel(panel, rows[(rows.task == task) & rows.value.notna()])
    if tasks:
        drawing.letter(panels)
        drawing.legend_below(figure, 1 + len(tasks))
    else:
        problem = "; ".join(dict.fromkeys(rows.problem.dropna()))
        why = f": it solves another problem ({problem})" if problem else ""
        drawing.say(panels[0], f"No published number is comparable with one of this run{why}.")
    return figure


def _panel(axes: "Axes", rows: pd.DataFrame) -> None:
    from ecot.products import drawing

    rows = rows[rows.repeats.isna()]
    rows = rows.assign(kind=[_kind(row) for row in rows.itertuples()])
    ends = np.array([0.0, 1.08 * rows[["paper", "value"]].max().max()])
    axes.fill_between(ends, ends * (1 - CLOSE), ends * (1 + CLOSE), color=BAND, label="within 5 %")
    axes.plot(ends, ends, color=GREY, linewidth=0.8, label="equal")
    for kind, mark in MARKS.items():
        for randomness, colour in COLOURS.items():
            chosen = rows[(rows.kind == kind) & (rows.randomness == randomness)]
            style = {"linestyle": "none", "markersize": 5, "capsize": 2, "elinewidth": 0.8, **mark, **colour}
            axes.errorbar(chosen.paper, chosen.value, drawing.bars(chosen["std"]), **style)
    # One entry per mark and one per colour, not one per combination.
    for kind in dict.fromkeys(rows.kind):
        axes.plot([], [], linestyle="none", color=GREY, label=kind, **MARKS[kind])
    for randomness in dict.fromkeys(rows.randomness):
        label = drawing.STYLES[randomness]["label"]
        axes.plot([], [], linestyle="none", marker="o", label=label, **COLOURS[randomness])
    first = rows.iloc[0]
    axes.set(xlim=ends, ylim=ends, aspect="equal", xlabel="published squared error, per pixel")
    axes.set_title(f"{TASKS[first.task].title}\n{DATASETS[first.dataset].title}, {first.n_train:,} training images")
    bars = ", bars: standard deviation" if rows.n_seeds.max() > 1 else ""
    axes.set_ylabel(f"reproduced squared error, per pixel; mean over {count(rows.n_seeds, 'seed')}{bars}")
    drawing.tidy(axes)


def _kind(row: Any) -> str:
    """Which of MARKS a number has."""
    names = list(MARKS)
    if row.flag == "doubtful in the paper":
        return names[4]
    if row.mode == "end_to_end":
        return names[1] if row.quantity == "mse_target" else names[0]
    return names[2] if row.mode == "baseline" else names[3]


def _reproduced(table: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds: the columns of NUMBER, value, std, n_seeds, dataset, distribution_weight.

    Of joint cells those whose dither is read as in the paper's tables.
    """
    table = table[table.dither.isna() | (table.dither == TABLES_DITHER)]
    quantities = paper.published()["quantity"].replace(PRINTED_AS).unique()
    parts = [metrics.over_seeds(table, name).assign(quantity=name) for name in quantities]
    about = table.groupby(metrics.KEY, dropna=False)[["dataset", "distribution_weight"]].first().reset_index()
    return pd.concat(parts).merge(about, on=metrics.KEY).drop(columns="dither")


def _flag(row: Any) -> Flag:
    """`row` has no value where the run has none, and where the two are not comparable."""
    apart = abs(row.value - row.paper)
    if not pd.isna(row.note):
        return "doubtful in the paper"
    if row.problem is None or pd.isna(row.problem):
        return "not run"
    if row.problem:
        return "not comparable"
    if apart <= SPREADS * row.std:  # false where there is no spread
        return "within spread"
    return "within 5 %" if apart <= CLOSE * row.paper else "differs"


def _epochs(config: Config, task: str, mode: Any) -> int | None:
    schedule = config.tasks[task].modes.get(mode) if task in config.tasks else None
    return schedule.epochs if schedule else None


def _images(config: Config, task: str) -> int | None:
    settings = config.tasks.get(task)
    return (settings.n_train or DATASETS[settings.dataset].n_train) if settings else None


def _schedule(there: pd.DataFrame) -> str:
    """For instance "60,000 images, width 1; end to end 5 of 50 epochs, lambda 0.01"."""
    if there.empty:
        return ""
    parts = []
    for mode, group in there.groupby("mode", sort=False):
        first = group.iloc[0]
        unknown = pd.isna(first.paper_epochs)
        epochs = count(int(first.epochs), "epoch") if unknown else f"{first.epochs} of {first.paper_epochs} epochs"
        weight = "/".join(f"{value:g}" for value in group.distribution_weight.unique())
        parts.append(f"{MODES[str(mode)].title} {epochs}, lambda {weight}")
    return "; ".join([f"{there.n_train.iloc[0]:,} images, width {there.width.iloc[0]:g}", *parts])


def _range(numbers: pd.Series) -> str:
    low, high = numbers.min(), numbers.max()
    return "" if numbers.empty else f"{low}" if low == high else f"{low} to {high}"


def _point(row: pd.Series) -> str:
    return f"{row.rate_bits} bits, {row.randomness}, {MODES[row['mode']].title}"


def _verdicts(judged: pd.DataFrame) -> str:
    """For instance "holds: common_better, distortion_falls; fails: decomposed_close"."""
    names = [identity.partition("/")[0] for identity in judged.id]
    parts = judged.assign(name=names).groupby("verdict").name.agg(", ".join)
    return "; ".join(f"{verdict}: {parts[verdict]}" for verdict in VERDICTS if verdict in parts)


def _heading(row: Any) -> str:
    return f"Table {row.table}, {TASKS[row.task].title.lower()}"


def _summary_list(row: Any, words: Mapping[str, str]) -> str:
    """What the run has of a table of the paper; `words` are the claims by their ids."""
    repeated = f", {row.repeated} more repeat other tables" if row.repeated else ""
    lines = [f"Data: {_data(row)}", f"Numbers: {row.reproduced} of {row.published} reproduced{repeated}"]
    if row.reproduced:
        lines += [
            f"Schedule: {row.schedule}; {row.n_seeds} {'seed' if row.n_seeds == '1' else 'seeds'}",
            f"Close to the published ones (within spread or 5 %): {row.close}",
        ]
    if not pd.isna(row.median):
        lines.append(f"Difference: median {row.median:.1%}, largest {row.largest:+.1%} at {row.largest_at}")
    for part in filter(None, row.claims.split("; ")):
        verdict, _, names = part.partition(": ")
        for name in names.split(", "):
            lines.append(f"{verdict[0].upper()}{verdict[1:]}: {words[f'{name}/{row.task}']}")
    return "\n".join(f"- {line}" for line in lines)


def _text(quantity: Any) -> str:
    return QUANTITIES[PRINTED_AS.get(quantity, quantity)].text


def _data(row: Any) -> str:
    if row.problem:
        return f"not comparable: {row.problem}"
    return "not run" if pd.isna(row.dataset) else str(row.dataset)


def _grid(rows: pd.DataFrame) -> Grid:
    header = ["Rate (bits)", "Randomness", "Mode", "Quantity", "Published", "Reproduced", "Seeds", "Ratio", "Flag"]
    lines = [
        [
            str(row.rate_bits),
            row.randomness,
            MODES[row.mode].title,
            _text(row.quantity),
            f"{row.paper:g}",
            "" if pd.isna(row.value) else f"{row.value:.4f}" + ("" if pd.isna(row.std) else f" ± {row.std:.4f}"),
            "" if pd.isna(row.n_seeds) else str(row.n_seeds),
            "" if pd.isna(row.ratio) else f"{row.ratio:.3f}",
            row.flag if pd.isna(row.repeats) else f"{row.flag} (also in Table {row.repeats})",
        ]
        for row in rows.itertuples()
    ]
    return [header, *lines]


@declare
def _products(config: Config) -> Iterator[PaperComparison]:
    if any(cell.task in paper.TASKS for cell in rated(config)):
        yield PaperComparison(
            "paper_comparison",
            "Published and reproduced numbers",
            "Every published number beside this run's: mean over seeds, ratio and a flag (doubtful in the paper, not"
            " run, not comparable, within spread, within 5 %, differs), and a summary for each table with data set,"
            " schedule and the claims that speak of it. In the figure, numbers on the diagonal are equal; the band is"
            " 5 % wide on either side.",
            "Paper",
        )
