"""What a training is fed, epoch by epoch, from streams that belong to one cell alone."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecot.cells import CellSettings
from ecot.coding import randomness
from ecot.data import degradations
from ecot.errors import EcotError
from ecot.training.systems import dithers


@dataclass(frozen=True)
class Batch:
    """One step's draws."""

    x: Tensor  # degraded images (n, c, h, w)
    clean: Tensor  # images for the critic, in [0, 1], shape of x
    u: Tensor  # dither (n, k, d)
    position: Tensor  # uniform on [0, 1], (n, 1, 1, 1), for the gradient penalty


class Feed:
    """Shuffled, degraded batches of the training set, which stays on the device as uint8.

    Order and dither derive from (seed, cell, purpose, epoch), a step's noise from its number as well,
    so that any step can be repeated without those before it. The last images of an epoch that fill no
    batch are left out; the next order leaves out others.
    """

    def __init__(self, images: NDArray[np.uint8], settings: CellSettings, device: torch.device) -> None:
        # With a critic one batch goes to it and the next to the system.
        needed = settings.training.batch_size * (2 if settings.schedule.distribution_weight else 1)
        if len(images) < needed:
            raise EcotError(
                f"training.batch_size: {settings.training.batch_size} is too large for {len(images)} training images;"
                f" a step of each network takes {needed}"
            )
        self.images = torch.from_numpy(images).to(device)
        self.degrade = on_device(degradations.operator(settings.degradation, images.shape[-1]), device)
        self.settings = settings
        self.device = device
        self.steps = len(images) // settings.training.batch_size

    def epoch(self, number: int, start: int = 0) -> Iterator[Batch]:
        """The batches of epoch `number` (from 1) from step `start` (from 0) on."""
        settings, size = self.settings, self.settings.training.batch_size
        order, clean_order = self._order("order", number), self._order("clean order", number)
        u = self._dither(number)
        generator = torch.Generator(self.device)
        for step in range(start, self.steps):
            generator.manual_seed(randomness.torch_seed(self._stream("noise", number, step)))
            rows = slice(step * size, (step + 1) * size)
            y = self._clean(order[rows])
            noise = torch.randn(y.shape, device=self.device, generator=generator) if self.degrade.noise_std else None
            paired = settings.training.critic_batches == "paired"
            yield Batch(
                x=self.degrade(y, noise),
                clean=y if paired else self._clean(clean_order[rows]),
                u=u[rows],
                position=torch.rand(size, 1, 1, 1, device=self.device, generator=generator),
            )

    def _stream(self, purpose: str, *number: int) -> int:
        return randomness.key(self.settings.seed, *self.settings.identity, purpose, *number)

    def _order(self, purpose: str, epoch: int) -> Tensor:
        generator = np.random.Generator(np.random.Philox(key=self._stream(purpose, epoch)))
        return torch.from_numpy(generator.permutation(len(self.images))).to(self.device)

    def _dither(self, epoch: int) -> Tensor:
        streams = [self._stream(f"dither {i}", epoch) for i in range(dithers(self.settings))]
        return dither(streams, self.steps * self.settings.training.batch_size, self.settings).to(self.device)

    def _clean(self, indices: Tensor) -> Tensor:
        return self.images[indices].float().div_(255)


def dither(streams: list[int], n: int, settings: CellSettings, start: int = 0) -> Tensor:
    """Dither u (n, k, d) of images start, ..., start + n - 1, a stream for each of the k vectors."""
    u = np.empty((n, len(streams), settings.latent_dim), np.float32)
    for i, stream in enumerate(streams):
        u[:, i] = randomness.dither(stream, n, settings.latent_dim, settings.levels, start)
    return torch.from_numpy(u)


def on_device(operator: degradations.Operator, device: torch.device) -> degradations.Operator:
    """The same operator for images on a device."""
    matrix = operator.matrix
    return dataclasses.replace(operator, matrix=None if matrix is None else torch.from_numpy(matrix).to(device))
