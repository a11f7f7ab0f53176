"""From a configuration to its cells and their settings."""

from collections.abc import Iterator
from itertools import product

from ecot.config import Config, Schedule, TaskSettings
from ecot.config.tasks import not_of_levels
from ecot.data.sets import DATASETS
from ecot.errors import MistakeError
from ecot.grid.cell import Cell
from ecot.grid.cell_settings import CellSettings, MeasurementSettings
from ecot.modes import MODES, Dither, Randomness, is_limited


def grid(config: Config) -> list[Cell]:
    """The cells of a configuration, in the order of its lists: those selected, and those that they build on.

    A cell that another one builds on belongs to the grid even if no list has its rate or its randomness. Raises
    MistakeError, which names what there is, if the selection leaves nothing or names what no cell has.
    """
    everything = list(_whole_grid(config))
    axes = _axes(everything)
    select = config.select.model_dump(exclude_none=True)
    unknown = [
        f"select.{name}: no cell has {value!r}; there are {', '.join(map(str, axes[name]))}"
        for name, values in select.items()
        for value in values
        if value not in axes[name]
    ]
    if unknown:
        raise MistakeError("\n".join(unknown))
    chosen = [cell for cell in everything if all(_has(cell, name, values) for name, values in select.items())]
    if not chosen:
        there = "; ".join(f"{name} {', '.join(map(str, values))}" for name, values in axes.items())
        raise MistakeError(f"select leaves no cell: {select}; there are {there}")
    needed: set[Cell] = set()
    for cell in chosen:
        base: Cell | None = cell
        while base is not None:
            needed.add(base)
            base = base.builds_on
    return sorted(needed, key=lambda cell: _place(config, cell))


def rated(config: Config) -> list[Cell]:
    """The cells of the grid that have a rate."""
    return [cell for cell in grid(config) if cell.rate_bits is not None]


def tasks(config: Config) -> list[str]:
    """The tasks of the grid, in the configuration's order."""
    return list(dict.fromkeys(cell.task for cell in grid(config)))


def sweep(config: Config, task: str) -> list[Cell]:
    """The cells of a task's sweep of lambda: end to end at each weight and rate, by the mode's own schedule.

    Raises MistakeError for a task that has no sweep, or no schedule for it.
    """
    settings = task_settings(config, task)
    if settings.fit_weight is None:
        raise MistakeError(f"tasks.{task}.fit_weight: missing; write the weights and rates to sweep, see config.yaml")
    end_to_end = settings.modes.get("end_to_end")
    if end_to_end is None:
        raise MistakeError(f"tasks.{task}.modes.end_to_end: missing; fit_weight trains by its schedule")
    if faults := list(not_of_levels(settings.fit_weight.rates, settings.levels)):
        raise MistakeError("\n".join(f"tasks.{task}.fit_weight.rates: {fault}" for fault in faults))
    return [
        Cell(task, "end_to_end", randomness, rate, seed, weight)
        for weight in settings.fit_weight.weights
        for rate in settings.fit_weight.rates
        for randomness in end_to_end.randomness or []
        if not is_limited(randomness)  # of which the paper has no numbers
        for seed in config.seeds
    ]


def swept(config: Config) -> list[str]:
    """The tasks of the configuration whose sweep of lambda can be made.

    A sweep that cannot is a fault only where it is asked for.
    """
    return [
        name
        for name, task in config.tasks.items()
        if task.fit_weight
        and "end_to_end" in task.modes
        and not any(not_of_levels(task.fit_weight.rates, task.levels))
    ]


def cell_settings(config: Config, cell: Cell) -> CellSettings:
    """The settings that decide the model of `cell`.

    Raises MistakeError for a cell that the configuration has no schedule for.
    """
    task, mode = task_settings(config, cell.task), MODES[cell.mode]
    schedule = task.modes.get(cell.mode)
    if schedule is None:
        raise MistakeError(f"tasks.{cell.task}.modes has no {cell.mode}; it has {', '.join(task.modes)}")
    bits = task.levels.bit_length() - 1
    if cell.rate_bits is not None and (cell.rate_bits < 1 or cell.rate_bits % bits):
        raise MistakeError(
            f"rate {cell.rate_bits} of {cell.task} is not a positive multiple of log2(levels) = {bits}"
        )
    values = {name: getattr(schedule, name) for name in Schedule.model_fields}
    n_validation = None
    if cell.weight is not None:
        values["distribution_weight"] = cell.weight
        n_validation = task.fit_weight.n_validation if task.fit_weight else None
    return CellSettings(
        task=cell.task,
        mode=cell.mode,
        randomness=cell.randomness,
        rate_bits=cell.rate_bits,
        seed=cell.seed,
        dataset=task.dataset,
        dataset_version=DATASETS[task.dataset].version,
        n_train=task.n_train,
        n_validation=n_validation,
        degradation=task.degradation,
        levels=task.levels,
        width=task.width,
        dither=cell.dither,
        dithers=mode.vectors(cell.randomness, cell.dither),
        schedule=Schedule(**values),
        training=config.training,
        frozen=cell_settings(config, cell.builds_on) if cell.builds_on else None,
    )


def measurement_settings(config: Config, task: str) -> MeasurementSettings:
    """How the models of a task are measured."""
    return MeasurementSettings(n_test=task_settings(config, task).n_test, **config.evaluation.model_dump())


def task_settings(config: Config, task: str) -> TaskSettings:
    """The settings of a task. MistakeError if the configuration has no such task."""
    if task not in config.tasks:
        raise MistakeError(f"no task {task!r} in the configuration; it has {', '.join(config.tasks)}")
    return config.tasks[task]


def _whole_grid(config: Config) -> Iterator[Cell]:
    for task, settings in config.tasks.items():
        for name, schedule in settings.modes.items():
            rates: list[int | None] = list(schedule.rates) if schedule.rates else [None]
            kinds: list[Randomness | None] = list(schedule.randomness or MODES[name].dithers)
            readings: list[Dither | None] = list(schedule.dither or MODES[name].readings)
            for rate, randomness, dither in product(rates, kinds or [None], readings or [None]):
                if randomness and is_limited(randomness) and rate not in (schedule.limited_rates or rates):
                    continue
                for seed in config.seeds:
                    yield Cell(task, name, randomness, rate, seed, None, dither)


def _place(config: Config, cell: Cell) -> tuple[int, ...]:
    """Where a cell stands in the grid: by task, mode, rate, randomness, dither and seed."""
    modes = config.tasks[cell.task].modes
    kinds = [*(modes[cell.mode].randomness or []), *MODES[cell.mode].dithers, None]
    readings = [*(modes[cell.mode].dither or []), *MODES[cell.mode].readings, None]
    return (
        list(config.tasks).index(cell.task),
        list(modes).index(cell.mode),
        cell.rate_bits or 0,
        kinds.index(cell.randomness),
        readings.index(cell.dither),
        config.seeds.index(cell.seed),
    )


def _has(cell: Cell, axis: str, values: list[str | int]) -> bool:
    """Whether a cell has one of the values on an axis; a cell without a rate fits any rates."""
    value = {"tasks": cell.task, "modes": cell.mode, "rates": cell.rate_bits, "seeds": cell.seed}[axis]
    return value is None or value in values


def _axes(cells: list[Cell]) -> dict[str, list[str | int]]:
    """The values that the cells have, by axis of the selection."""
    axes: dict[str, list[str | int]] = {
        "tasks": [cell.task for cell in cells],
        "modes": [cell.mode for cell in cells],
        "rates": sorted(cell.rate_bits for cell in cells if cell.rate_bits),
        "seeds": [cell.seed for cell in cells],
    }
    return {name: list(dict.fromkeys(values)) for name, values in axes.items()}
