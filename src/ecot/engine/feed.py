"""What a training is fed, epoch by epoch, from streams that belong to one cell alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecot.coding import randomness
from ecot.degradations import degradation
from ecot.engine import messages
from ecot.grid.cell_settings import CellSettings


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
        # One batch for each step of the system, and those of the critic before it.
        needed = settings.training.batch_size * (1 + settings.critic_steps)
        if len(images) < needed:
            raise messages.batch_too_large(settings.training.batch_size, len(images), needed)
        self.degradation = degradation(settings.degradation, images.shape[-1]).to(
            lambda array: torch.from_numpy(array).to(device)
        )
        prepared = self.degradation.prepare(images)
        self.images = torch.from_numpy(images).to(device)
        self.prepared = None if prepared is None else torch.from_numpy(prepared).to(device)
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
            y = _scaled(self.images, order[rows])
            normal = partial(torch.randn, y.shape, device=self.device, generator=generator)
            noise = self.degradation.draw_noise(normal)
            prepared = None if self.prepared is None else _scaled(self.prepared, order[rows])
            paired = settings.training.critic_batches == "paired"
            yield Batch(
                x=self.degradation.apply(y, prepared, noise),
                clean=y if paired else _scaled(self.images, clean_order[rows]),
                u=u[rows],
                position=torch.rand(size, 1, 1, 1, device=self.device, generator=generator),
            )

    def contexts(self, number: int, bits: int) -> NDArray[np.uint8]:
        """The first `bits` bits of each number of the encoder's dither in epoch `number`, (images, d)."""
        n = self.steps * self.settings.training.batch_size
        return randomness.leading_bits(self._stream("dither 0", number), n, self.settings.latent_dim, bits)

    def _stream(self, purpose: str, *number: int) -> int:
        return randomness.key(self.settings.seed, *self.settings.identity, purpose, *number)

    def _order(self, purpose: str, epoch: int) -> Tensor:
        generator = np.random.Generator(np.random.Philox(key=self._stream(purpose, epoch)))
        return torch.from_numpy(generator.permutation(len(self.images))).to(self.device)

    def _dither(self, epoch: int) -> Tensor:
        settings = self.settings
        streams = [self._stream(f"dither {i}", epoch) for i in range(settings.dithers)]
        n = self.steps * settings.training.batch_size
        u = randomness.dither_vectors(
            streams, n, settings.latent_dim, settings.levels, shared_bits=settings.shared_bits
        )
        return torch.from_numpy(u).to(self.device)


def _scaled(images: Tensor, indices: Tensor) -> Tensor:
    """Images in [0, 1] from those stored as uint8."""
    return images[indices].float().div_(255)
