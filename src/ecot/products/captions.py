"""The words under tables and figures: what the numbers are made of."""

from collections.abc import Iterable

import pandas as pd

from ecot import paper
from ecot.config import Config
from ecot.data.sets import DATASETS
from ecot.grid.cell import Cell
from ecot.modes import MODES
from ecot.paper.comparable import degradation_title, match
from ecot.products import metrics
from ecot.tasks import TASKS


def describe(config: Config, tasks: Iterable[str], table: pd.DataFrame) -> list[str]:
    """For each task a sentence that names the data set and the settings behind the numbers of `table`.

    For a task of the paper a second one says whether the paper's numbers answer the same question, and if so, what
    differs in training.
    """
    sentences = []
    for task in tasks:
        settings, rows = config.tasks[task], table[table.task == task]
        modes = ", ".join(
            f"{MODES[name].title}: {count(mode.epochs, 'epoch')},"
            f" {weight_title(task, name, mode.distribution_weight)}"
            for name, mode in settings.modes.items()
            if name in set(rows["mode"])
        )
        seeds = rows.groupby(metrics.KEY, dropna=False)["seed"].nunique()
        sentences.append(
            f"{TASKS[task].title}: {data_title(config, task, rows)}, {degradation_title(settings.degradation)},"
            f" {settings.levels} levels, width {settings.width:g}; {modes};"
            f" per pixel, {'mean ± standard deviation over ' if seeds.max() > 1 else ''}{count(seeds, 'seed')}."
        )
        if task in paper.TASKS:
            sentences.append(beside_the_paper(config, task, list(dict.fromkeys(rows["mode"]))))
    return sentences


def data_title(config: Config, task: str, table: pd.DataFrame) -> str:
    """The data set of a task and how many of its images are used, from rows of metrics.

    For instance "MNIST sample, 4,000 training and 1,000 test images".
    """
    settings = config.tasks[task]
    dataset, n_test = DATASETS[settings.dataset], table.n_test[table.task == task].max()
    return f"{dataset.title}, {settings.n_train or dataset.n_train:,} training and {n_test:,} test images"


def beside_the_paper(config: Config, task: str, modes: Iterable[str]) -> str:
    """One sentence: whether numbers of these modes answer the paper's question, and what differs in training."""
    if problem := match(config, task).problem:
        return f"Another problem than the paper's, whose numbers do not stand beside these: {'; '.join(problem)}."
    training = dict.fromkeys(word for mode in modes for word in match(config, task, mode).training)
    return f"The paper's problem, trained otherwise: {'; '.join(training)}." if training else "The paper's problem."


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
