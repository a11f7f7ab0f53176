"""How X is made from Y: one module per degradation.

A degradation is two classes: its settings, which the configuration holds, and the subclass of `Degradation` that they
make. No module here imports torch: one description serves NumPy arrays (the bounds) and torch tensors (training and
measurement).
"""

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, SerializeAsAny, WithJsonSchema

from ecot.registry import Registry
from ecot.settings import Settings

Array = TypeVar("Array")


class DegradationSettings(Settings):
    """The settings of a degradation; `kind` names it."""

    kind: str


class Degradation(ABC):
    """Makes X from Y, images in [0, 1] of shape (..., side, side)."""

    noisy: bool = False  # whether `apply` needs noise, drawn anew for each visit of an image

    def prepare(self, images: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
        """X as uint8, shape of `images` (n, c, h, w), where it is made once when the images are loaded; else None."""
        return None

    def draw_noise(self, normal: Callable[[], Array]) -> Array | None:
        """The noise of some images: standard normal numbers from `normal`, or None if X needs none.

        Training, measurement and bounds all draw their noise here.
        """
        return normal() if self.noisy else None

    @abstractmethod
    def apply(self, y: Any, prepared: Any, noise: Any) -> Any:
        """X for the images `y`; `prepared` is `prepare`'s result for them in [0, 1], `noise` that of `draw_noise`.

        Works on NumPy arrays and on torch tensors, and gives the kind that it gets.
        """

    def to(self, move: Callable[[NDArray[np.float32]], Any]) -> "Degradation":
        """The same degradation with its arrays passed through `move`, for instance to a device."""
        return self


@dataclass(frozen=True)
class Kind:
    """A kind of degradation: its name, its settings and how to make it for images of a given side."""

    name: str
    settings: type[DegradationSettings]
    make: Callable[[Any, int], Degradation]

    @property
    def module(self) -> str:
        """The module that defines it."""
        return self.settings.__module__


KINDS: Registry[Kind] = Registry("degradation")


def degradation(settings: DegradationSettings, side: int) -> Degradation:
    """The degradation of square images of the given side. EcotError if the two do not fit."""
    return KINDS[settings.kind].make(settings, side)


def _of_its_kind(value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    if "kind" not in value:
        raise ValueError(f"kind is missing; allowed: {', '.join(KINDS)}")
    if value["kind"] not in KINDS:
        raise ValueError(f"kind: {value['kind']!r} is no degradation; allowed: {', '.join(KINDS)}")
    return KINDS[value["kind"]].settings.model_validate(dict(value))


# A field of the configuration: the settings of any registered degradation.
AnyDegradation = Annotated[
    SerializeAsAny[DegradationSettings], BeforeValidator(_of_its_kind), WithJsonSchema({"title": "AnyDegradation"})
]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
