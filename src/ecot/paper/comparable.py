"""Whether a number of a run answers the same question as a published one, and what differs in how it was trained.

The same question: data set, degradation with all its settings, quantiser levels, mode, rate and randomness. Tables,
figures, comparison and claims all ask `match`; what is not comparable gets no number of the paper beside it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ecot import paper
from ecot.config import Config, Schedule, TaskSettings
from ecot.data.sets import DATASETS
from ecot.degradations import KINDS, DegradationSettings
from ecot.modes import MODES

LEVELS = {"super_resolution": 4, "denoising": 8}  # Section B.2
# The degradations that the paper can mean (Section B.1). It says "bilinear downsampling" and nothing about the way
# up; its Table 2 excludes bilinear both ways. The released code has bicubic both ways, not clipped.
DEGRADATIONS: dict[str, tuple[Mapping[str, Any], ...]] = {
    "super_resolution": tuple(
        {"kind": "resampling", "factor": 4, "down": down, "up": up, "clip": clip}
        for down, up, clip in (
            ("bicubic", "bicubic", False),
            ("bicubic", "bicubic", True),
            ("bilinear", "bicubic", False),
            ("bilinear", "nearest", False),
        )
    ),
    "denoising": ({"kind": "gaussian_noise", "std": 20.0, "clip": False},),
}


@dataclass(frozen=True)
class Match:
    """How a number of a run stands to the published ones.

    `problem` says what makes it the answer to another question, `training` what differs in how it was trained and on
    how many images it was measured; each is empty where nothing does.
    """

    problem: tuple[str, ...]
    training: tuple[str, ...]

    @property
    def comparable(self) -> bool:
        """Whether a published number may stand beside it."""
        return not self.problem


def match(
    config: Config,
    task: str,
    mode: str | None = None,
    randomness: str | None = None,
    rate_bits: int | None = None,
    dither: str | None = None,
) -> Match:
    """Compare the numbers of a task of a run with the published ones; a further argument narrows it to its cells.

    `dither`: the reading of the dither, for `joint`. A task that the run or the paper does not have is another
    problem.
    """
    settings = config.tasks.get(task)
    if settings is None or task not in paper.TASKS:
        return Match((f"no task {task!r} in the {'run' if settings is None else 'paper'}",), ())
    problem = [*_problem(settings, task), *_point(task, mode, randomness, rate_bits, dither)]
    modes = [mode] if mode in settings.modes else [] if mode else list(settings.modes)
    training = [*_images(settings, task), *(word for name in modes for word in _schedule(settings, task, name))]
    steps = config.training.critic_steps
    if steps != 1 and any(settings.modes[name].distribution_weight for name in modes):
        training.append(f"{steps} critic steps for each step of the system (released code: 1)")
    return Match(tuple(problem), tuple(training))


def degradation_title(settings: DegradationSettings) -> str:
    """For instance "resampling (factor 4, down bicubic, up bicubic, no clip)"."""
    values = settings.model_dump(exclude={"kind"})
    words = [
        f"{'' if value else 'no '}{name}" if isinstance(value, bool) else f"{name} {_text(value)}"
        for name, value in values.items()
    ]
    return f"{settings.kind.replace('_', ' ')} ({', '.join(words)})"


def _problem(settings: TaskSettings, task: str) -> Iterator[str]:
    if settings.dataset != paper.DATASETS[task]:
        yield f"data set {settings.dataset} (paper: {paper.DATASETS[task]})"
    if settings.degradation.model_dump() not in DEGRADATIONS[task]:
        first, *others = DEGRADATIONS[task]
        known = degradation_title(KINDS[first["kind"]].settings.model_validate(first))
        several = " or another reading of it" if others else ""
        yield f"{degradation_title(settings.degradation)} (paper: {known}{several})"
    if settings.levels != LEVELS[task]:
        yield f"{settings.levels} levels (paper: {LEVELS[task]})"


def _point(
    task: str, mode: str | None, randomness: str | None, rate_bits: int | None, dither: str | None
) -> Iterator[str]:
    """What the paper has no number of."""
    printed = paper.published()
    printed = printed[printed.task == task]
    named = {"mode": mode, "randomness": randomness, "rate_bits": rate_bits}
    for column, value in named.items():
        if value is not None:
            printed = printed[printed[column] == value]
    if printed.empty:
        words = ", ".join(str(value) for value in named.values() if value is not None)
        yield f"no published number of {words}"
    if mode is not None and dither is not None and dither != (first := next(iter(MODES[mode].readings))):
        yield f"{dither} dither (the tables: {first})"


def _images(settings: TaskSettings, task: str) -> Iterator[str]:
    known = DATASETS[paper.DATASETS[task]]
    for used, all_of_them, kind in (
        (settings.n_train, known.n_train, "training"),
        (settings.n_test, known.n_test, "test"),
    ):
        if used is not None and used < all_of_them:
            yield f"{used:,} of {all_of_them:,} {kind} images"
    if settings.width != 1:
        yield f"width {settings.width:g} (full: 1)"


def _schedule(settings: TaskSettings, task: str, mode: str) -> Iterator[str]:
    """How the schedule of a mode differs from what the paper prints of it."""
    schedule: Schedule = settings.modes[mode]
    title = MODES[mode].title
    epochs, weight = paper.EPOCHS.get((task, mode)), paper.WEIGHTS.get((task, mode))
    if epochs is not None and schedule.epochs != epochs:
        yield f"{title} {schedule.epochs} of {epochs} epochs"
    if schedule.learning_rate != paper.LEARNING_RATE:
        yield f"{title} learning rate {schedule.learning_rate:g} (published: {paper.LEARNING_RATE:g})"
    if weight is not None and schedule.distribution_weight != weight:
        yield f"{title} lambda {schedule.distribution_weight:g} (published: {weight:g})"


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
