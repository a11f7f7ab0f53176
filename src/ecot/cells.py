"""The grid: its cells, the settings that decide each one, and where its files lie."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from ecot.config import (
    NEEDS,
    Config,
    DatasetName,
    Degradation,
    Mode,
    Randomness,
    Schedule,
    Settings,
    TaskSettings,
    Training,
)
from ecot.errors import EcotError

DATASETS = Path("results") / "datasets"  # prepared data sets, shared by all runs


def results_folder(config: Config) -> Path:
    """Where a run's results lie, relative to the working directory."""
    return Path("results") / config.run


def logs_folder(config: Config) -> Path:
    """Where a run's logs and benchmarks lie; it mirrors the results."""
    return Path("logs") / config.run


def dataset_path(name: str) -> Path:
    """The array file of a prepared data set."""
    return DATASETS / f"{name}.npz"


def bounds_path(config: Config, task: str) -> Path:
    """What the images of a task say about its distortion before anything is trained."""
    return results_folder(config) / "bounds" / f"images_{task}.csv"


def fitted_weight_path(config: Config, task: str) -> Path:
    """What the sweep of a task's lambda gave: this path with a suffix for each of its files."""
    return results_folder(config) / "fit_weight" / task


@dataclass(frozen=True)
class Cell:
    """One point of the grid: one trained model. The restoration network has neither randomness nor rate.

    A cell with a `weight` belongs to the sweep of lambda: it is trained with this in place of its mode's.
    """

    task: str
    mode: Mode
    randomness: Randomness | None
    rate_bits: int | None
    seed: int
    weight: float | None = None

    @property
    def kind(self) -> tuple[str, Mode, Randomness | None]:
        """What it shares with the cells at other rates and seeds."""
        return self.task, self.mode, self.randomness

    @property
    def title(self) -> str:
        """The cell in words, for messages."""
        parts = [self.task.replace("_", "-"), self.mode.replace("_", " ")]
        if self.rate_bits is not None:
            parts += [f"{self.randomness} randomness", f"{self.rate_bits} bits"]
        if self.weight is not None:
            parts.append(f"lambda {self.weight:g}")
        return ", ".join([*parts, f"seed {self.seed}"])

    @property
    def folder(self) -> Path:
        """Where the cell's files lie below results/<run>/ and its logs below logs/<run>/."""
        kind = [self.mode] if self.weight is None else ["fit_weight", f"weight-{self.weight}"]
        point = [] if self.rate_bits is None else [str(self.randomness), f"rate-{self.rate_bits}"]
        return Path("cells", self.task, *kind, *point, f"seed-{self.seed}")

    @property
    def needs(self) -> "Cell | None":
        """The cell whose frozen model this one stands on."""
        match self.mode:
            case "joint" | "separate":
                return Cell(self.task, NEEDS[self.mode], "independent", self.rate_bits, self.seed)
            case "baseline":
                return Cell(self.task, NEEDS[self.mode], None, None, self.seed)
        return None


class CellSchedule(Schedule):
    """How the network of a cell is trained: with which lambda, wherever its value comes from."""

    distribution_weight: float


class CellSettings(Settings):
    """Everything that decides what model a cell trains to; nothing that does not."""

    task: str
    mode: Mode
    randomness: Randomness | None
    rate_bits: int | None = Field(description="bits an image: latent_dim x log2(levels)")
    seed: int
    dataset: DatasetName
    n_train: int | None
    degradation: Degradation
    levels: int
    width: float
    schedule: CellSchedule
    training: Training
    frozen: "CellSettings | None" = Field(description="settings of the model that this one stands on")

    @property
    def identity(self) -> tuple[str | int, ...]:
        """What tells the cell from all others of its seed: the head of its random streams' names."""
        return self.task, self.mode, str(self.randomness), str(self.rate_bits)

    @property
    def latent_dim(self) -> int:
        """d, the encoder's outputs; 0 without an encoder."""
        return (self.rate_bits or 0) // (self.levels.bit_length() - 1)


class MeasurementSettings(Settings):
    """What decides the measurement of a trained model, beside the model itself."""

    n_test: int | None
    seed: int
    n_samples: int


def grid(config: Config) -> Iterator[Cell]:
    """The cells of a configuration, in the order of its lists."""
    for task, settings in config.tasks.items():
        for mode, schedule in settings.schedules().items():
            for randomness, rate in schedule.points():
                for seed in config.seeds:
                    yield Cell(task, mode, randomness, rate, seed)


def sweep(config: Config, task: str) -> list[Cell]:
    """The cells of a task's sweep of lambda: end to end at each weight and rate, by the mode's own schedule.

    Raises EcotError for a task that has no sweep, or no schedule for it.
    """
    settings = _task(config, task)
    if settings.fit_weight is None:
        raise EcotError(f"tasks.{task}.fit_weight: missing; write the weights and rates to sweep, see config.yaml")
    if settings.modes.end_to_end is None:
        raise EcotError(f"tasks.{task}.modes.end_to_end: missing; fit_weight trains by its schedule")
    return [
        Cell(task, "end_to_end", randomness, rate, seed, weight)
        for weight in settings.fit_weight.weights
        for rate in settings.fit_weight.rates
        for randomness in settings.modes.end_to_end.randomness
        for seed in config.seeds
    ]


def cell_settings(config: Config, cell: Cell) -> CellSettings:
    """The settings that decide the model of `cell`.

    Raises EcotError for a cell that the configuration has no schedule for.
    """
    task = _task(config, cell.task)
    schedule = task.schedules().get(cell.mode)
    if schedule is None:
        raise EcotError(f"tasks.{cell.task}.modes has no {cell.mode}; it has {', '.join(task.schedules())}")
    bits = task.levels.bit_length() - 1
    if cell.rate_bits is not None and (cell.rate_bits < 1 or cell.rate_bits % bits):
        raise EcotError(f"rate {cell.rate_bits} of {cell.task} is not a positive multiple of log2(levels) = {bits}")
    return CellSettings(
        task=cell.task,
        mode=cell.mode,
        randomness=cell.randomness,
        rate_bits=cell.rate_bits,
        seed=cell.seed,
        dataset=task.dataset,
        n_train=task.n_train,
        degradation=task.degradation,
        levels=task.levels,
        width=task.width,
        schedule=CellSchedule(
            **{name: getattr(schedule, name) for name in Schedule.model_fields},
            distribution_weight=schedule.weight if cell.weight is None else cell.weight,
        ),
        training=config.training,
        frozen=cell_settings(config, cell.needs) if cell.needs else None,
    )


def measurement_settings(config: Config, task: str) -> MeasurementSettings:
    """How the models of a task are measured."""
    return MeasurementSettings(
        n_test=_task(config, task).n_test, seed=config.evaluation.seed, n_samples=config.evaluation.n_samples
    )


def _task(config: Config, name: str) -> TaskSettings:
    if name not in config.tasks:
        raise EcotError(f"no task {name!r} in the configuration; it has {', '.join(config.tasks)}")
    return config.tasks[name]
