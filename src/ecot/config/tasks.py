"""Settings of a task: its data, its degradation, and the schedule of each mode."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from ecot.config.training import Schedule
from ecot.data.sets import DATASETS
from ecot.degradations import AnyDegradation
from ecot.modes import MODES, Dither, Randomness
from ecot.settings import Settings

Rate = Annotated[int, Field(gt=0, le=10_000)]


def _ascending(values: list[Any] | None) -> list[Any] | None:
    if values is not None and values != sorted(set(values)):
        raise ValueError(f"must ascend without repetition; write {sorted(set(values))}")
    return values


def not_of_levels(rates: Iterable[int], levels: int) -> Iterator[str]:
    """What is wrong with each rate that is no multiple of log2(levels), the bits of one dimension."""
    bits = levels.bit_length() - 1
    for rate in rates:
        if rate % bits:
            below, above = rate // bits * bits, -(-rate // bits) * bits
            nearest = f"{below} or {above}" if below else f"{above}"
            yield f"{rate} is not a multiple of log2(levels) = {bits}; write {nearest}"


class ModeSettings(Schedule):
    """How the networks of a mode are trained, and at which points of the grid."""

    rates: list[Rate] | None = Field(
        None, min_length=1, description="bits per image, multiples of log2(levels); for modes with a bottleneck"
    )
    randomness: list[Randomness] | None = Field(
        None,
        min_length=1,
        description="common: the dither is shared (14); independent: it is not (16); limited-k: the first k bits of"
        " each of its numbers are; for modes that have both",
    )

    limited_rates: list[Rate] | None = Field(
        None, min_length=1, description="those of the rates at which limited-k is trained; null: all"
    )
    dither: list[Dither] | None = Field(
        None,
        min_length=1,
        description="fresh: the branches see a code with dither of its own; shared: the code of the frozen output",
    )

    _ordered = field_validator("rates", "limited_rates")(_ascending)

    @field_validator("randomness", "dither")
    @classmethod
    def _distinct(cls, values: list[str] | None) -> list[str] | None:
        if values is not None and len(set(values)) < len(values):
            raise ValueError("each value may be named once")
        return values


class FitWeight(Settings):
    """The sweep of lambda from which the target fit_weight finds the value that gives the paper's tables."""

    weights: list[Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        min_length=3, description="values of lambda in end_to_end; the fitted value lies between the outer ones"
    )
    rates: list[Rate] = Field(
        min_length=1, description="bits per image at which the paper has both mse_input and mse_target"
    )
    n_validation: int = Field(
        ge=4,  # the measures halve the images twice
        description="the last n training images: kept out of the sweep's trainings, which are measured on them",
    )

    _ordered = field_validator("weights", "rates")(_ascending)


class TaskSettings(Settings):
    """One restoration problem: where X and Y come from and what is trained on them."""

    dataset: str = Field(description="the data set whose images are Y")
    n_train: int | None = Field(None, ge=1, description="use only the first n training images; null: all")
    n_test: int | None = Field(None, ge=1, description="use only the first n test images; null: all")
    degradation: AnyDegradation = Field(description="how X is made from Y")
    levels: int = Field(description="L, the quantiser's levels per dimension; a power of two")
    width: float = Field(1.0, gt=0, le=4, description="factor on the inner channels of all networks")
    modes: dict[str, ModeSettings] = Field(description="the experiments; one that is left out or null is not run")
    fit_weight: FitWeight | None = Field(None, description="the sweep of the target fit_weight; null: none")

    @field_validator("dataset")
    @classmethod
    def _known_dataset(cls, name: str, info: ValidationInfo) -> str:
        names = [*(info.context or {}).get("own", []), *DATASETS]
        if name not in names:
            raise ValueError(f"{name!r} is no data set; allowed: {', '.join(dict.fromkeys(names))}")
        return name

    @field_validator("levels")
    @classmethod
    def _power_of_two(cls, levels: int) -> int:
        if not 2 <= levels <= 65_536 or levels & (levels - 1):
            raise ValueError(f"{levels} is not a power of two; allowed: 2, 4, 8, ..., 65536")
        return levels

    @field_validator("modes", mode="before")
    @classmethod
    def _left_out(cls, modes: Any) -> Any:
        return {name: mode for name, mode in modes.items() if mode is not None} if isinstance(modes, dict) else modes

    @field_validator("modes")
    @classmethod
    def _fit_their_declarations(cls, modes: dict[str, ModeSettings], info: ValidationInfo) -> dict[str, ModeSettings]:
        if not modes:
            raise ValueError(f"an empty grid; name at least one of {', '.join(MODES)}")
        levels = info.data.get("levels")  # none if it is wrong itself
        faults = []
        for name, settings in modes.items():
            if name not in MODES:
                faults.append(f"there is no mode {name!r}; allowed: {', '.join(MODES)}")
                continue
            mode = MODES[name]
            if mode.builds_on is not None and mode.builds_on not in modes:
                faults.append(
                    f"{name} needs a model of {mode.builds_on}; add modes.{mode.builds_on} or leave {name} out"
                )
            axes = {"rates": mode.rated, "randomness": len(mode.dithers) > 1, "dither": bool(mode.readings)}
            for axis, has_it in axes.items():
                if has_it and getattr(settings, axis) is None:
                    faults.append(f"{name}.{axis}: missing; write a list for it")
                if not has_it and getattr(settings, axis) is not None:
                    faults.append(f"{name}.{axis}: {name} has no choice of {axis}; leave it out")
            if mode.rated and levels is not None:
                faults += [f"{name}.rates: {fault}" for fault in not_of_levels(settings.rates or [], levels)]
            odd = sorted(set(settings.limited_rates or []) - set(settings.rates or []))
            if odd:
                faults.append(f"{name}.limited_rates: {odd[0]} is none of the rates; write some of {settings.rates}")
            faults += [
                f"{name}.randomness: {randomness}; allowed: {', '.join(mode.dithers)}"
                for randomness in settings.randomness or []
                if len(mode.dithers) > 1 and not mode.has(randomness)
            ]
        if faults:
            raise ValueError(*faults)
        return {name: modes[name] for name in MODES if name in modes}

    def rates(self) -> list[int]:
        """All rates of the task's grid, bits per image, ascending."""
        return sorted({rate for mode in self.modes.values() for rate in mode.rates or []})
