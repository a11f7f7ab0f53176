"""The training loop, one for all modes: it can be left at any step and taken up there again."""

import math
import time
from dataclasses import dataclass, field
from typing import Any, Protocol

from torch import Tensor

from ecot.config import Schedule
from ecot.engine import messages
from ecot.engine.feed import Feed
from ecot.engine.trainer import Trainer

Row = dict[str, float]
LOOK = 200  # steps between two looks at the losses, for each of which the device is waited for


@dataclass
class Progress:
    """How far a training is, and what it has observed."""

    epoch: int = 1  # the one under way
    step: int = 0  # its next step
    seconds: float = 0.0  # spent on it so far
    sums: dict[str, tuple[float, int]] = field(default_factory=dict)  # of its losses, and how many of each
    history: list[Row] = field(default_factory=list)  # one row per finished epoch
    resumed: int = 0  # how often it was taken up again

    @property
    def total_seconds(self) -> float:
        """All the time spent in epochs."""
        return self.seconds + sum(row["seconds"] for row in self.history)


class Observer(Protocol):
    """Who follows a training: shows it to a person, and saves its state."""

    def step_done(self, images: int) -> None:
        """A step on so many images is done."""

    def wants_state(self) -> bool:
        """Whether `save` is to be called after this step."""

    def save(self, progress: Progress) -> None:
        """Keep the state of the training, which is at `progress`."""

    def epoch_done(self, row: Row, epochs: int) -> None:
        """An epoch of so many is done."""


class Silent:
    """An observer that does nothing."""

    def step_done(self, images: int) -> None:
        pass

    def wants_state(self) -> bool:
        return False

    def save(self, progress: Progress) -> None:
        pass

    def epoch_done(self, row: Row, epochs: int) -> None:
        pass


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
    trainer: Trainer, feed: Feed, progress: Progress | None = None, observer: Observer | None = None
) -> list[Row]:
    """Train from `progress` (default: the start) to the end of the schedule; the history, one row per epoch.

    Raises NotFiniteError within LOOK steps of a loss that is not finite, and before such a state is saved.
    """
    progress, observer = progress or Progress(), observer or Silent()
    schedule, size = trainer.settings.schedule, trainer.settings.training.batch_size
    while progress.epoch <= schedule.epochs:
        rate = learning_rate(schedule, progress.epoch)
        trainer.set_learning_rate(rate)
        means = _epoch(trainer, feed, progress, observer)
        row = {"epoch": progress.epoch, **means, "learning_rate": rate, "seconds": progress.seconds}
        row["images_per_second"] = feed.steps * size / progress.seconds
        progress.history.append(row)
        progress.epoch, progress.step, progress.seconds, progress.sums = progress.epoch + 1, 0, 0.0, {}
        observer.epoch_done(row, schedule.epochs)
    return progress.history


def learning_rate(schedule: Schedule, epoch: int) -> float:
    """Adam's step size in an epoch (from 1): divided by each of the decays that lie before it (Section B.3)."""
    return schedule.learning_rate / math.prod(factor for after, factor in schedule.decays.items() if epoch > after)


def _epoch(trainer: Trainer, feed: Feed, progress: Progress, observer: Observer) -> dict[str, float]:
    """The rest of the epoch under way; the mean of each loss over its steps."""
    start = time.perf_counter() - progress.seconds
    means = _Means(progress.sums)
    trainer.system.train()
    for batch in feed.epoch(progress.epoch, progress.step):
        means.add(trainer.step(progress.step, batch))
        progress.step += 1
        observer.step_done(len(batch.x))
        wants_state = observer.wants_state()
        if wants_state or progress.step % LOOK == 0:
            sums = _finite(means.read(), progress)
            if wants_state:
                progress.sums = sums
                progress.seconds = time.perf_counter() - start
                observer.save(progress)
    sums = _finite(means.read(), progress)  # waits for the device
    progress.seconds = time.perf_counter() - start
    return {name: total / count for name, (total, count) in sums.items()}


def _finite(sums: dict[str, tuple[float, int]], progress: Progress) -> dict[str, tuple[float, int]]:
    """The sums of the losses. NotFiniteError if one is not finite, which it stays once a loss was not."""
    wrong = {name: total for name, (total, _) in sums.items() if not math.isfinite(total)}
    if wrong:
        raise messages.NotFiniteError(progress.epoch, progress.step, wrong)
    return sums
