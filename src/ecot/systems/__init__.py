"""What is trained: one module per mode, each with a subclass of `System`.

Dither comes as u, shape (n, k, d): the k vectors that a system draws for each image. The encoder's vector is the
first and the decoder's the last; with common randomness k = 1, and both are the same vector.
"""

import importlib
from abc import abstractmethod
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Self

from torch import Tensor, nn

from ecot.coding.quantiser import Code
from ecot.grid.cell_settings import CellSettings
from ecot.modes import MODES
from ecot.systems.compressor import Compressor
from ecot.tasks import TASKS


@dataclass(frozen=True)
class Outcome:
    """One pass: the output images, the squared errors that are trained on, and those that are only reported.

    `code` is what a system that is itself a code has sent.
    """

    output: Tensor
    terms: dict[str, Tensor]
    reported: dict[str, Tensor]
    code: Code | None = None


class Networks:
    """The networks of a cell's task, in the sizes of the cell. Each call makes a new one."""

    def __init__(self, settings: CellSettings) -> None:
        self.family: ModuleType = importlib.import_module(TASKS[settings.task].networks)
        self.settings = settings
        self.d, self.width, self.levels = settings.latent_dim, settings.width, settings.levels

    def encoder(self) -> nn.Module:
        """f: images to d numbers in (-1, 1)."""
        return self.family.encoder(self.d, self.width)  # type: ignore[no-any-return]

    def decoder(self) -> nn.Module:
        """g: d numbers to an image."""
        return self.family.decoder(self.d, self.width)  # type: ignore[no-any-return]

    def branch_decoder(self) -> nn.Module:
        """g1 or g2 of (18)."""
        return self.family.branch_decoder(self.d, self.width)  # type: ignore[no-any-return]

    def restorer(self) -> nn.Module:
        """The U-Net of the baseline."""
        return self.family.restorer(self.width)  # type: ignore[no-any-return]

    def critic(self) -> Any:
        """h: images to one number each, an `ecot.networks.critic.Critic`."""
        return self.family.critic(self.width)

    def compressor(self) -> Compressor:
        """An encoder and a decoder around the quantiser."""
        return Compressor(self.encoder(), self.decoder(), self.levels)


class System(nn.Module):
    """Networks that turn degraded images into an output. Those in `frozen` stay as they are."""

    def __init__(self, frozen: nn.Module | None = None) -> None:
        super().__init__()
        self.frozen: Any = frozen

    @classmethod
    @abstractmethod
    def build(cls, networks: Networks) -> Self:
        """The untrained system, initialised by torch's global generator."""

    @abstractmethod
    def forward(self, x: Tensor, u: Tensor) -> Outcome:
        """The system's pass over degraded images x (n, c, h, w) with dither u (n, k, d)."""

    def freeze(self) -> None:
        """Fix the frozen networks: no gradients, and running statistics in place of the batch's."""
        if self.frozen is not None:
            self.frozen.requires_grad_(False)
            self.frozen.eval()

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        self.freeze()
        return self

    def __call__(self, x: Tensor, u: Tensor) -> Outcome:
        outcome: Outcome = super().__call__(x, u)
        return outcome


class Coder(System):
    """A system that is itself a code: from degraded images to indices, and from indices to the output."""

    @abstractmethod
    def encode(self, x: Tensor, u1: Tensor) -> Code:
        """The indices (n, d) of degraded images x (n, c, h, w) with the encoder's dither u1 (n, d)."""

    @abstractmethod
    def decode(self, code: Code, u2: Tensor) -> Tensor:
        """The output images (n, c, h, w) in [0, 1] of indices (n, d) with the decoder's dither u2 (n, d)."""


def build(settings: CellSettings) -> System:
    """The untrained system of a cell, initialised by torch's global generator."""
    module, _, name = MODES[settings.mode].system.partition(":")
    system: type[System] = getattr(importlib.import_module(module), name)
    return system.build(Networks(settings))
