"""Published and reproduced numbers side by side: every one, a summary a table, a figure.

Flags, the first that applies:

    doubtful in the paper   a misprint, or contradicted by another one (resources/paper_tables.csv says by which)
    not run                 no cell of the run has it
    other data              the run's data set is not the paper's: no agreement is to be expected
    within spread           at most two standard deviations over the run's seeds from the published number
    within 5 %              of the published number
    differs
"""

from typing import Any, Literal

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ecot import paper
from ecot.cells import results_folder
from ecot.config import Config
from ecot.data.registry import DATASETS
from ecot.errors import EcotError
from ecot.reporting import claims, drawing, metrics
from ecot.reporting.captions import count, describe, missing_note, task_title
from ecot.reporting.catalogue import TABLES
from ecot.reporting.tables import Grid, write_markdown

Flag = Literal["doubtful in the paper", "not run", "other data", "within spread", "within 5 %", "differs"]
CLOSE = 0.05
SPREADS = 2.0  # standard deviations
NUMBER = ["task", "rate_bits", "randomness", "mode", "quantity"]
NOTES = (
    "Ratio: reproduced / published. Flags, the first that applies: doubtful in the paper (a misprint, or contradicted"
    " by another published number); not run; other data (than the paper's: no agreement is to be expected); within"
    f" spread ({SPREADS:g} standard deviations over the seeds); within 5 %; differs. Doubtful numbers are left out of"
    " medians and extremes.",
)
# Marks of the figure by what is measured; randomness is told by colour and filling.
MARKS: dict[str, dict[str, Any]] = {
    "to the input (Tables 5, 6)": {"marker": "o"},
    "to the ground truth (9, 10)": {"marker": "^"},
    "baseline, to the input (7, 8)": {"marker": "s"},
    "decomposition (1, 2, 11)": {"marker": "D"},
    "doubtful in the paper": {"marker": "x"},
}
COLOURS: dict[str, dict[str, Any]] = {
    "common": {"color": "C0", "markerfacecolor": "C0"},
    "independent": {"color": "C1", "markerfacecolor": "none"},
}


def compare(table: pd.DataFrame, config: Config) -> pd.DataFrame:
    """A row a published number, with the mean of the run's beside it.

    Columns: table, task, rate_bits, randomness, mode, quantity, paper, value, std (over seeds), n_seeds, ratio, flag,
    note (of a doubtful one), and what the run's number was made with: dataset, n_train (images), epochs, paper_epochs
    (where the paper says so), width, distribution_weight (as used).
    """
    published = paper.published().rename(columns={"value": "paper"})
    own = _reproduced(table)
    # Tables 1 and 11 have a name of their own for mse_input.
    key = published.replace({"quantity": {"loss_end_to_end": "mse_input"}})[NUMBER]
    rows = published.join(key.merge(own, on=NUMBER, how="left").drop(columns=NUMBER))
    rows["ratio"] = rows.value / rows.paper
    rows["flag"] = [_flag(row) for row in rows.itertuples()]
    rows["epochs"] = [_epochs(config, task, mode) for task, mode in zip(rows.task, rows["mode"], strict=True)]
    rows["paper_epochs"] = [paper.EPOCHS.get(key) for key in zip(rows.task, rows["mode"], strict=True)]
    rows["width"] = [config.tasks[task].width if task in config.tasks else None for task in rows.task]
    rows["n_train"] = [_images(config, task) for task in rows.task]
    rows.loc[rows.value.isna(), ["epochs", "width", "n_train"]] = None
    values = ["paper", "value", "std", "n_seeds", "ratio", "flag", "note"]
    made = ["dataset", "n_train", "epochs", "paper_epochs", "width", "distribution_weight"]
    whole = dict.fromkeys(("rate_bits", "n_seeds", "n_train", "epochs", "paper_epochs"), "Int64")
    return rows[["table", *NUMBER, *values, *made]].astype(whole)


def summary(rows: pd.DataFrame, judged: pd.DataFrame) -> pd.DataFrame:
    """A row a table and task of `compare`; `judged` are the verdicts of `ecot.paper.claims.judge`.

    Columns: table, task, dataset, their_data (the paper's data set), schedule, published, reproduced, doubtful (how
    many numbers), n_seeds (fewest and most), median and largest (relative difference, the former absolute, over
    reproduced numbers that are not doubtful), largest_at, close (within spread or 5 %), claims (verdicts on those
    that speak of the table).
    """
    found = []
    for (number, task), own in rows.groupby(["table", "task"], sort=False):
        there = own[own.value.notna()]
        clean = there[there.flag != "doubtful in the paper"]
        apart = clean.ratio - 1
        worst = clean.loc[apart.abs().idxmax()] if len(clean) else None
        spoken = [task == row.task and number in row.tables for row in judged.itertuples()]
        found.append(
            {
                "table": number,
                "task": task,
                "dataset": there.dataset.iloc[0] if len(there) else None,
                "their_data": bool(len(there)) and there.dataset.iloc[0] == paper.DATASETS[str(task)],
                "schedule": _schedule(there),
                "published": len(own),
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
    return pd.DataFrame(found)


def write(config: Config) -> None:
    """Write paper_comparison.csv, .md, paper_summary.csv, .md and figures/paper_comparison.svg, .png.

    What is not measured is not run, and named. EcotError if no cell is measured.
    """
    found = metrics.rated(config)
    if found.table.empty:
        raise EcotError(f"no cell is measured in {results_folder(config)}")
    rows = compare(found.table, config)
    table = summary(rows, claims.experiments(found.table, config))
    tasks = [task for task in config.tasks if task in set(found.table.task)]
    notes = [*describe(config, tasks, found.table), *NOTES, *missing_note(found.missing)]
    block, results = ("", _summary_grid(table)), results_folder(config)
    write_markdown(results / "paper_summary", "The paper's tables and this run", notes, [block], table)
    numbers = [
        (f"Table {number}, {task_title(str(task)).lower()}", _grid(own))
        for (number, task), own in rows.groupby(["table", "task"], sort=False)
    ]
    write_markdown(results / "paper_comparison", "Every published number", notes, [block, *numbers], rows)
    drawing.write(results / "figures" / "paper_comparison", lambda: draw(rows))


def draw(rows: pd.DataFrame) -> Figure:
    """Reproduced against published, a panel a task; each number once, also where two tables print it."""
    tasks = list(dict.fromkeys(rows.task[rows.value.notna()]))
    figure, axes = plt.subplots(
        1, max(len(tasks), 1), figsize=(5 * max(len(tasks), 1), 5.4), squeeze=False, layout="constrained"
    )
    for panel, task in zip(axes[0], tasks, strict=False):
        _panel(panel, rows[(rows.task == task) & rows.value.notna()])
    if tasks:
        drawing.legend_below(figure, 1 + len(tasks))
    else:
        axes[0, 0].set_axis_off()
        axes[0, 0].text(0.5, 0.5, "No published number is reproduced in this run.", ha="center")
    return figure


def _panel(axes: Axes, own: pd.DataFrame) -> None:
    # Table 5 before 7, and so on: the first of two that print a number; a doubtful one gives way to the other.
    own = own.replace({"quantity": {"loss_end_to_end": "mse_input"}})
    own = own.assign(kind=[_kind(row) for row in own.itertuples()])
    own = own.sort_values("kind", key=lambda kinds: kinds == "doubtful in the paper", kind="stable")
    own = own.drop_duplicates(NUMBER)
    ends = np.array([0.0, 1.08 * own[["paper", "value"]].max().max()])
    axes.fill_between(ends, ends * (1 - CLOSE), ends * (1 + CLOSE), color="0.85", label="within 5 %")
    axes.plot(ends, ends, color="0.4", linewidth=0.8, label="equal")
    for kind, mark in MARKS.items():
        for randomness, colour in COLOURS.items():
            chosen = own[(own.kind == kind) & (own.randomness == randomness)]
            style = {"linestyle": "none", "markersize": 5, "capsize": 2, "elinewidth": 0.8, **mark, **colour}
            axes.errorbar(chosen.paper, chosen.value, chosen["std"].fillna(0), **style)
    # One entry a mark and one a colour, not one a combination.
    for kind in dict.fromkeys(own.kind):
        axes.plot([], [], linestyle="none", color="0.4", label=kind, **MARKS[kind])
    for randomness in dict.fromkeys(own.randomness):
        label = drawing.STYLES[randomness]["label"]
        axes.plot([], [], linestyle="none", marker="o", label=label, **COLOURS[randomness])
    dataset, task = own.dataset.iloc[0], own.task.iloc[0]
    other = "" if dataset == paper.DATASETS.get(task) else "\nother data than the paper's"
    axes.set(xlim=ends, ylim=ends, aspect="equal", xlabel="published")
    axes.set_title(f"{task_title(task)}\n{DATASETS[dataset].title}{other}", fontsize="medium")
    bars = ", bars: standard deviation" if own.n_seeds.max() > 1 else ""
    axes.set_ylabel(f"reproduced, mean over {count(own.n_seeds, 'seed')}{bars}")
    axes.grid(alpha=0.3)
    sns.despine(ax=axes)


def _kind(row: Any) -> str:
    """Which of MARKS a number has."""
    names = list(MARKS)
    if row.flag == "doubtful in the paper":
        return names[4]
    if row.mode == "end_to_end":
        return names[1] if row.quantity == "mse_target" else names[0]
    return names[2] if row.mode == "baseline" else names[3]


def _reproduced(table: pd.DataFrame) -> pd.DataFrame:
    """Means over seeds: the columns of NUMBER, value, std, n_seeds, dataset, distribution_weight."""
    quantities = [name for name in dict.fromkeys(line.column for line in _lines()) if name in table]
    parts = [metrics.over_seeds(table, name).assign(quantity=name).dropna(subset=["value"]) for name in quantities]
    about = table.groupby(metrics.KEY)[["dataset", "distribution_weight"]].first().reset_index()
    return pd.concat(parts).merge(about, on=metrics.KEY)


def _lines() -> list[Any]:
    return [line for product in TABLES.values() for line in product.lines]


def _flag(row: Any) -> Flag:
    apart = abs(row.value - row.paper)
    if not pd.isna(row.note):
        return "doubtful in the paper"
    if pd.isna(row.value):
        return "not run"
    if row.dataset != paper.DATASETS[row.task]:
        return "other data"
    if apart <= SPREADS * row.std:  # false where there is no spread
        return "within spread"
    return "within 5 %" if apart <= CLOSE * row.paper else "differs"


def _epochs(config: Config, task: str, mode: Any) -> int | None:
    schedule = config.tasks[task].schedules().get(mode) if task in config.tasks else None
    return schedule.epochs if schedule else None


def _images(config: Config, task: str) -> int | None:
    settings = config.tasks.get(task)
    return (settings.n_train or DATASETS[settings.dataset].n_train) if settings else None


def _schedule(there: pd.DataFrame) -> str:
    """For instance "60,000 images, width 1; end to end 5 of 50 epochs, lambda 0.01"."""
    if there.empty:
        return ""
    parts = []
    for mode, own in there.groupby("mode", sort=False):
        first = own.iloc[0]
        unknown = pd.isna(first.paper_epochs)
        epochs = count(int(first.epochs), "epoch") if unknown else f"{first.epochs} of {first.paper_epochs} epochs"
        weight = "/".join(f"{value:g}" for value in own.distribution_weight.unique())
        parts.append(f"{str(mode).replace('_', ' ')} {epochs}, lambda {weight}")
    return "; ".join([f"{there.n_train.iloc[0]:,} images, width {there.width.iloc[0]:g}", *parts])


def _range(numbers: pd.Series) -> str:
    low, high = numbers.min(), numbers.max()
    return "" if numbers.empty else f"{low}" if low == high else f"{low} to {high}"


def _point(row: pd.Series) -> str:
    return f"{row.rate_bits} bits, {row.randomness}, {row['mode'].replace('_', ' ')}"


def _verdicts(judged: pd.DataFrame) -> str:
    """For instance "holds: common_better, distortion_falls; fails: loss_is_sum"."""
    names = [identity.partition("/")[0] for identity in judged.id]
    parts = judged.assign(name=names).groupby("verdict").name.agg(", ".join)
    return "; ".join(
        f"{verdict}: {parts[verdict]}" for verdict in ("holds", "fails", "not testable") if verdict in parts
    )


def _summary_grid(table: pd.DataFrame) -> Grid:
    header = [
        "Table", "Task", "Data", "Schedule", "Numbers", "Seeds", "Median difference", "Largest", "Close", "Claims"
    ]  # fmt: skip
    lines = [
        [
            str(row.table),
            task_title(row.task).lower(),
            _data(row),
            row.schedule,
            f"{row.reproduced} of {row.published}",
            row.n_seeds,
            "" if pd.isna(row.median) else f"{row.median:.1%}",
            "" if pd.isna(row.largest) else f"{row.largest:+.1%} ({row.largest_at})",
            f"{row.close}" if row.their_data else "",
            row.claims,
        ]
        for row in table.itertuples()
    ]
    return [header, *lines]


def _data(row: Any) -> str:
    if pd.isna(row.dataset):
        return "not run"
    return f"{row.dataset}" if row.their_data else f"{row.dataset} (other data)"


def _grid(rows: pd.DataFrame) -> Grid:
    header = ["Rate (bits)", "Randomness", "Mode", "Quantity", "Published", "Reproduced", "Seeds", "Ratio", "Flag"]
    lines = [
        [
            str(row.rate_bits),
            row.randomness,
            row.mode.replace("_", " "),
            row.quantity,
            f"{row.paper:g}",
            "" if pd.isna(row.value) else f"{row.value:.4f}" + ("" if pd.isna(row.std) else f" ± {row.std:.4f}"),
            "" if pd.isna(row.n_seeds) else str(row.n_seeds),
            "" if pd.isna(row.ratio) else f"{row.ratio:.3f}",
            row.flag,
        ]
        for row in rows.itertuples()
    ]
    return [header, *lines]
