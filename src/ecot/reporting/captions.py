"""The words under tables and figures: what the numbers are made of."""

import pandas as pd

from ecot.cells import Cell
from ecot.config import Config, ModeSchedule
from ecot.data.registry import DATASETS
from ecot.reporting import metrics


def describe(config: Config, tasks: list[str], table: pd.DataFrame) -> list[str]:
    """A sentence a task that names the data set and the settings behind the numbers."""
    sentences = []
    for task in tasks:
        settings, own = config.tasks[task], table[table.task == task]
        info = DATASETS[settings.dataset]
        schedules = settings.schedules()
        modes = ", ".join(
            f"{mode.replace('_', ' ')}: {count(schedule.epochs, 'epoch')}, {weight_title(schedule)}"
            for mode, schedule in schedules.items()
            if mode in set(own["mode"])
        )
        seeds = own.groupby(metrics.KEY)["seed"].nunique()
        sentences.append(
            f"{task_title(task)}: {info.title}, {settings.n_train or info.n_train:,} training and"
            f" {own.n_test.max():,} test images, width {settings.width:g}; {modes};"
            f" per pixel, {'mean ± standard deviation over ' if seeds.max() > 1 else ''}{count(seeds, 'seed')}."
        )
    return sentences


def weight_title(schedule: ModeSchedule) -> str:
    """For instance "lambda 0.01 (fitted)"."""
    return f"lambda {schedule.weight:g} ({schedule.weight_origin if schedule.weight else 'no critic'})"


def missing_note(missing: list[Cell]) -> list[str]:
    """A sentence that names the missing cells, if there are any."""
    if not missing:
        return []
    return [f"INCOMPLETE, {count(len(missing), 'cell')} missing: {'; '.join(cell.title for cell in missing)}."]


def count(numbers: int | pd.Series, noun: str) -> str:
    """For instance "1 seed", "2 seeds" or, of several numbers, "1 to 2 seeds"."""
    low, high = (numbers, numbers) if isinstance(numbers, int) else (numbers.min(), numbers.max())
    return f"{low if low == high else f'{low} to {high}'} {noun}{'' if high == 1 else 's'}"


def task_title(task: str) -> str:
    """For instance "Super-resolution"."""
    return task.replace("_", "-").capitalize()
