"""The training modes: what each one is called, what it builds on, and how much dither it draws.

A mode is declared here (or in a module listed under `extensions`) and trained by the class that `system` names. The
configuration gives it a schedule under `tasks.<task>.modes.<mode>`. This module imports no torch, so that a workflow
is planned fast.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import AfterValidator, WithJsonSchema

from ecot.registry import Registry

KINDS_OF_RANDOMNESS = "common, independent, limited-k with k from 1 to 16"
_FORM = r"common|independent|limited-([1-9]|1[0-6])"


def _known(name: str) -> str:
    if not re.fullmatch(_FORM, name):
        raise ValueError(f"{name!r} is no randomness; allowed: {KINDS_OF_RANDOMNESS}")
    return name


# common: encoder and decoder share the dither (14); independent: each has its own (16); limited-k: they share the
# first k bits of each number of the dither, and each draws the rest on its own.
Randomness = Annotated[
    str, AfterValidator(_known), WithJsonSchema({"type": "string", "pattern": f"^({_FORM})$", "title": "Randomness"})
]
Dither = Literal["fresh", "shared"]


def is_limited(randomness: str) -> bool:
    """Whether a kind of randomness is `limited-k`, with a k that is allowed."""
    return randomness.startswith("limited-") and re.fullmatch(_FORM, randomness) is not None


@dataclass(frozen=True)
class Mode:
    """One way to train a system.

    `dithers` gives, for each kind of randomness that the mode is defined for, how many dither vectors a system draws
    per image. A mode without a bottleneck has an empty one, and then neither rate nor randomness. A mode that has
    both common and independent randomness also has what lies between them, `limited-k`, with as many vectors as
    `independent`.
    """

    name: str
    title: str  # in words, for captions and legends
    system: str  # "module:Class", the subclass of ecot.systems.System that is trained
    dithers: Mapping[Randomness, int]
    marker: str  # matplotlib's, in figures that show several modes
    builds_on: str | None = None  # the mode of the frozen model that it needs
    # Where the paper leaves open which dither the system sees: the readings, and how many more vectors each draws.
    readings: Mapping[Dither, int] = field(default_factory=dict)

    def vectors(self, randomness: Randomness | None, dither: Dither | None) -> int:
        """How many dither vectors a system draws per image."""
        kind = "independent" if randomness and is_limited(randomness) else randomness
        return (self.dithers[kind] if kind else 0) + (self.readings[dither] if dither else 0)

    def has(self, randomness: str) -> bool:
        """Whether the mode is defined for a kind of randomness."""
        return randomness in self.dithers or (is_limited(randomness) and len(self.dithers) > 1)

    @property
    def rated(self) -> bool:
        """Whether its models have a bottleneck, and so a rate."""
        return bool(self.dithers)


MODES: Registry[Mode] = Registry("mode")

for _mode in (
    Mode("end_to_end", "end to end", "ecot.systems.end_to_end:EndToEnd", {"common": 1, "independent": 2}, "o"),
    Mode(
        "joint",
        "joint",
        "ecot.systems.joint:Joint",
        {"independent": 2},
        "^",
        builds_on="end_to_end",
        readings={"fresh": 3, "shared": 0},
    ),
    Mode("separate", "separate", "ecot.systems.separate:Separate", {"independent": 6}, "v", builds_on="end_to_end"),
    Mode("restoration", "restoration", "ecot.systems.restoration:Restoration", {}, "*"),
    Mode(
        "baseline",
        "baseline",
        "ecot.systems.baseline:Baseline",
        {"common": 1, "independent": 2},
        "D",
        builds_on="restoration",
    ),
):
    MODES.register(_mode)
