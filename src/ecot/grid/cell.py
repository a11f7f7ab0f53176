"""One point of the grid and its name, which is written and parsed here alone."""

from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from ecot.config.root import Seed
from ecot.config.tasks import Rate
from ecot.errors import MistakeError
from ecot.modes import MODES, Dither, Mode, Randomness
from ecot.tasks import TASKS

FORM = (
    "TASK/MODE/RANDOMNESS/rate-BITS/seed-K, with dither-fresh or dither-shared before the seed for joint, or"
    " TASK/MODE/seed-K for a mode without a bottleneck"
)
# A name obeys the types of the configuration.
RATE, SEED = TypeAdapter(Rate), TypeAdapter(Seed)


@dataclass(frozen=True)
class Cell:
    """One point of the grid: one trained model. A mode without a bottleneck has neither randomness nor rate.

    A cell with a `weight` is trained with this lambda in place of the configuration's, as in the sweep of lambda. The
    weight is no part of the name: another lambda gives another fingerprint.
    """

    task: str
    mode: str
    randomness: Randomness | None
    rate_bits: int | None
    seed: int
    weight: float | None = None
    dither: Dither | None = None  # the reading of the dither, for a mode that has several

    @property
    def name(self) -> str:
        """For example "super_resolution/end_to_end/common/rate-10/seed-0"."""
        point = [] if self.rate_bits is None else [str(self.randomness), f"rate-{self.rate_bits}"]
        reading = [] if self.dither is None else [f"dither-{self.dither}"]
        return "/".join([self.task, self.mode, *point, *reading, f"seed-{self.seed}"])

    @property
    def arguments(self) -> str:
        """The arguments of a command that name the cell, its lambda among them if it has one of its own."""
        return self.name if self.weight is None else f"{self.name} --weight {self.weight!r}"

    @classmethod
    def parse(cls, name: str) -> "Cell":
        """The cell of that name. MistakeError if it is no name of a cell."""
        parts = name.strip("/").split("/")
        try:
            if len(parts) < 3:
                raise ValueError("it has too few parts")
            task, mode, *point, seed = parts
            task, declared = TASKS[task].name, MODES[mode]
            dither = None
            if declared.readings:
                dither = next((reading for reading in declared.readings if point[-1:] == [f"dither-{reading}"]), None)
                if dither is None:
                    raise ValueError(f"{mode} has a dither: {', '.join(declared.readings)}")
                point = point[:-1]
            found = cls(task, mode, None, None, _number(seed, "seed-", SEED), None, dither)
            if declared.rated:
                if len(point) != 2:
                    raise ValueError(f"{mode} has a randomness and a rate")
                if not declared.has(point[0]):
                    raise ValueError(f"{point[0]!r} is no randomness of {mode}")
                found = cls(task, mode, point[0], _number(point[1], "rate-", RATE), found.seed, None, dither)
        except ValueError as error:
            raise MistakeError(f"{name!r} is no name of a cell ({error}); write {FORM}") from None
        if found.name != "/".join(parts):
            raise MistakeError(f"{name!r} is no name of a cell; write {found.name}")
        return found

    @property
    def title(self) -> str:
        """The cell in words, for messages and captions."""
        parts = [TASKS[self.task].title, MODES[self.mode].title]
        if self.rate_bits is not None:
            parts += [f"{self.randomness} randomness", f"{self.rate_bits} bits"]
        if self.dither is not None:
            parts.append(f"{self.dither} dither")
        if self.weight is not None:
            parts.append(f"lambda {self.weight:g}")
        return ", ".join([*parts, f"seed {self.seed}"])

    @property
    def builds_on(self) -> "Cell | None":
        """The cell whose frozen model this one needs."""
        base = MODES[self.mode].builds_on
        if base is None:
            return None
        randomness, rate = (self.randomness, self.rate_bits) if MODES[base].rated else (None, None)
        return Cell(self.task, base, randomness, rate, self.seed)


def point_pattern(mode: Mode) -> str:
    """The part of a name between mode and seed as a pattern of the workflow."""
    return ("{randomness}/rate-{rate}/" if mode.rated else "") + ("dither-{dither}/" if mode.readings else "")


def _number(text: str, prefix: str, allowed: TypeAdapter[int]) -> int:
    if not text.startswith(prefix) or not text.removeprefix(prefix).isdecimal():
        raise ValueError(f"{text!r} is not {prefix}NUMBER")
    try:
        return allowed.validate_python(int(text.removeprefix(prefix)))
    except ValidationError as error:
        raise ValueError(f"{text!r}: {error.errors()[0]['msg']}") from None
