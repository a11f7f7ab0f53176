"""The words under tables and figures: what the numbers are made of."""

from collections.abc import Iterable

import pandas as pd

from ecot import paper
from ecot.config import Config
from ecot.data.sets import DATASETS
from ecot.grid.cell import Cell
from ecot.modes import MODES
from ecot.products import metrics
from ecot.tasks import TASKS


def describe(config: Config, tasks: Iterable[str], table: pd.DataFrame) -> list[str]:
    """One sentence per task, which names the data set and the settings behind the numbers of `table`."""
    sentences = []
    for task in tasks:
        settings, rows = config.tasks[task], table[table.task == task]
        dataset = DATASETS[settings.dataset]
        modes = ", ".join(
            f"{MODES[name].title}: {count(mode.epochs, 'epoch')},"
            f" {weight_title(task, name, mode.distribution_weight)}"
            for name, mode in settings.modes.items()
            if name in set(rows["mode"])
        )
        seeds = rows.groupby(metrics.KEY)["seed"].nunique()
        sentences.append(
            f"{TASKS[task].title}: {dataset.title}, {settings.n_train or dataset.n_train:,} training and"
            f" {rows.n_test.max():,} test images, width {settings.width:g}; {modes};"
            f" per pixel, {'mean ± standard deviation over ' if seeds.max() > 1 else ''}{count(seeds, 'seed')}."
        )
    return sentences


def weight_title(task: str, mode: str, weight: float) -> str:
    """For instance "lambda 0.01 (published: 0.001)", or "lambda 0.01" where the paper has no value."""
    published = paper.WEIGHTS.get((task, mode))
    if weight == published:
        return f"lambda {weight:g} (as published)"
    if published is not None:
        return f"lambda {weight:g} (published: {published:g})"
    return f"lambda {weight:g}" if weight else "lambda 0 (no critic)"


def missing_note(missing: list[Cell]) -> list[str]:
    """One sentence that names the missing cells, if there are any."""
    if not missing:
        return []
    return [f"INCOMPLETE, {count(len(missing), 'cell')} missing: {'; '.join(cell.title for cell in missing)}."]


def count(numbers: int | pd.Series, noun: str) -> str:
    """For instance "1 seed", "2 seeds" or, of several numbers, "1 to 2 seeds"."""
    low, high = (numbers, numbers) if isinstance(numbers, int) else (numbers.min(), numbers.max())
    return f"{low if low == high else f'{low} to {high}'} {noun}{'' if high == 1 else 's'}"
