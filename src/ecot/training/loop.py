"""The training loop, one for all modes: it can be left at any step and taken up there again."""

import logging
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from torch import Tensor
from tqdm import tqdm

from ecot.config import Schedule
from ecot.errors import EcotError
from ecot.training.feed import Feed
from ecot.training.trainer import Trainer

log = logging.getLogger(__name__)


class NotFiniteError(EcotError):
    """A loss is not finite, nor would it be if the training went on."""


Row = dict[str, float]


@dataclass
class Progress:
    """How far a training is, and what it has observed."""

    epoch: int = 1  # the one under way
    step: int = 0  # its next
    seconds: float = 0.0  # spent on it so far
    sums: dict[str, tuple[float, int]] = field(default_factory=dict)  # of its losses, and how many of each
    history: list[Row] = field(default_factory=list)  # a row a finished epoch
    resumed: int = 0  # how often it was taken up again

    @property
    def total_seconds(self) -> float:
        """All the time spent in epochs."""
        return self.seconds + sum(row["seconds"] for row in self.history)


class _Means:
    """Means of losses, summed on the device: reading one at each step would stop a GPU."""

    def __init__(self, sums: dict[str, tuple[float, int]]) -> None:
        self.sums: dict[str, tuple[Any, int]] = dict(sums)

    def add(self, values: dict[str, Tensor]) -> None:
        for name, value in values.items():
            total, count = self.sums.get(name, (0.0, 0))
            self.sums[name] = total + value, count + 1

    def read(self) -> dict[str, tuple[float, int]]:
        # A float32 is a Python float to the last bit, so that sums go on from there as if never read.
        return {name: (float(total), count) for name, (total, count) in sorted(self.sums.items())}


def fit(
    trainer: Trainer,
    feed: Feed,
    progress: Progress | None = None,
    save: Callable[[Progress], None] | None = None,
    save_seconds: float = math.inf,
) -> list[Row]:
    """Train from `progress` (default: the start) to the end of the schedule; the history, a row an epoch.

    `save` is called with the progress every `save_seconds`. Shows a bar on a terminal and writes a
    line an epoch to the log elsewhere. Raises NotFiniteError at the end of an epoch in which a loss was
    not finite.
    """
    progress = progress or Progress()
    schedule, size = trainer.settings.schedule, trainer.settings.training.batch_size
    terminal = _on_terminal()
    done = ((progress.epoch - 1) * feed.steps + progress.step) * size
    total = schedule.epochs * feed.steps * size
    with tqdm(total=total, initial=done, unit="image", disable=not terminal, dynamic_ncols=True) as bar:
        saver = _Saver(save, save_seconds)
        while progress.epoch <= schedule.epochs:
            number, rate = progress.epoch, learning_rate(schedule, progress.epoch)
            bar.set_description(f"epoch {number}/{schedule.epochs}")
            trainer.set_learning_rate(rate)
            means = _epoch(trainer, feed, progress, saver, bar)
            _check_finite(means, number)
            row = {"epoch": number, **means, "learning_rate": rate, "seconds": progress.seconds}
            row["images_per_second"] = feed.steps * size / progress.seconds
            progress.history.append(row)
            progress.epoch, progress.step, progress.seconds, progress.sums = number + 1, 0, 0.0, {}
            text = ", ".join(f"{name} {value:.4f}" for name, value in means.items())
            bar.set_postfix_str(text)
            if not terminal:
                log.info("epoch %d/%d: %s, %.0f images/s", number, schedule.epochs, text, row["images_per_second"])
    return progress.history


def learning_rate(schedule: Schedule, epoch: int) -> float:
    """Adam's step size in an epoch (from 1): divided once, after `decay_epoch` epochs (Table 3)."""
    return schedule.learning_rate / (schedule.decay_factor if epoch > schedule.decay_epoch else 1)


@dataclass
class _Saver:
    """Saves when it is time to."""

    save: Callable[[Progress], None] | None
    seconds: float

    def __post_init__(self) -> None:
        self.last = time.monotonic()

    def due(self) -> bool:
        return self.save is not None and time.monotonic() - self.last >= self.seconds

    def __call__(self, progress: Progress) -> None:
        assert self.save is not None
        self.save(progress)
        self.last = time.monotonic()


def _epoch(
    trainer: Trainer, feed: Feed, progress: Progress, saver: _Saver, bar: "tqdm[NoReturn]"
) -> dict[str, float]:
    """The rest of the epoch under way; the mean of each loss over its steps."""
    start = time.perf_counter() - progress.seconds
    means = _Means(progress.sums)
    trainer.system.train()
    for batch in feed.epoch(progress.epoch, progress.step):
        means.add(trainer.step(progress.step, batch))
        progress.step += 1
        bar.update(len(batch.x))
        if saver.due():
            progress.sums = means.read()
            progress.seconds = time.perf_counter() - start
            saver(progress)
    sums = means.read()  # waits for the device
    progress.seconds = time.perf_counter() - start
    return {name: total / count for name, (total, count) in sums.items()}


def _on_terminal() -> bool:
    return sys.stderr.isatty()


def _check_finite(means: dict[str, float], epoch: int) -> None:
    wrong = [f"{name} {value}" for name, value in means.items() if not math.isfinite(value)]
    if wrong:
        raise NotFiniteError(
            f"epoch {epoch}: the loss is not finite ({', '.join(wrong)}), no model is kept;"
            " a lower learning_rate or distribution_weight may help"
        )
