"""The plain loop: end-to-end training as a careful first version of a paper's code is written.

It is written from Section 3.1, B.2 and B.3 alone, and for comparison only. It has a DataLoader that converts each
image, eager steps, torch's Adam, and the gradient penalty by `create_graph=True`. While one player learns, the other
is frozen: it gets no gradients. Nothing is computed that no gradient comes of, and no loss is read in a step. It
shares with the engine the networks and the quantiser, which are not what is compared, and where both run in one
process also the settings of the allocator.
"""

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from ecot.coding.quantiser import dequantise, quantise
from ecot.degradations.gaussian_noise import GaussianNoiseSettings
from ecot.degradations.resampling import ResamplingSettings
from ecot.grid.cell_settings import CellSettings
from ecot.systems import Networks


class Images(Dataset[Tensor]):
    """Clean images in [0, 1], a float tensor (c, h, w) each."""

    def __init__(self, images: Tensor) -> None:
        self.images = images

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        return self.images[index].float() / 255


class PlainLoop:
    """Networks, optimisers and data of one end-to-end cell; `run` trains."""

    def __init__(self, settings: CellSettings, images: Tensor, device: torch.device, workers: int) -> None:
        networks, schedule = Networks(settings), settings.schedule
        self.settings, self.device = settings, device
        self.encoder = networks.encoder().to(device)
        self.decoder = networks.decoder().to(device)
        self.critic = networks.critic().to(device)
        self.betas = (settings.training.betas[0], settings.training.betas[1])
        generator = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.generator_optimiser = torch.optim.Adam(generator, lr=schedule.learning_rate, betas=self.betas)
        self.critic_optimiser = torch.optim.Adam(
            self.critic.parameters(), lr=schedule.learning_rate, betas=self.betas
        )
        self.loader = DataLoader(
            Images(images),
            batch_size=settings.training.batch_size,
            shuffle=True,
            drop_last=True,
            num_workers=workers,
            persistent_workers=workers > 0,
        )
        self.batches = itertools.chain.from_iterable(itertools.repeat(self.loader))
        self.number = 0
        self.last: dict[str, Tensor] = {}

    def run(self, steps: int) -> None:
        """Take so many steps; the critic takes every other batch."""
        for _ in range(steps):
            y = next(self.batches).to(self.device)
            x = self.degrade(y)
            if self.number % 2 == 0:
                self.critic_step(x, y)
            else:
                self.generator_step(x)
            self.number += 1

    def degrade(self, y: Tensor) -> Tensor:
        """X from Y (Section B.1)."""
        kind = self.settings.degradation
        if isinstance(kind, ResamplingSettings):
            small = F.interpolate(y, scale_factor=1 / kind.factor, mode=kind.down, align_corners=False)
            return F.interpolate(small, scale_factor=kind.factor, mode=kind.up, align_corners=False)
        assert isinstance(kind, GaussianNoiseSettings), "the paper has these two degradations"
        return y + kind.std / 255 * torch.randn_like(y)

    def reconstruct(self, x: Tensor) -> Tensor:
        """Y_hat, by (14) or (16)."""
        z = self.encoder(x)
        half_step = 1 / (self.settings.levels - 1)
        u1 = (torch.rand_like(z) * 2 - 1) * half_step
        u2 = u1 if self.settings.randomness == "common" else (torch.rand_like(z) * 2 - 1) * half_step
        levels = self.settings.levels
        output: Tensor = self.decoder(dequantise(quantise(z + u1, levels), levels) - u2)
        return output

    def critic_step(self, x: Tensor, y: Tensor) -> None:
        """Wasserstein-1 distance and gradient penalty."""
        self.critic.requires_grad_(True)
        with torch.no_grad():
            fake = self.reconstruct(x)
        position = torch.rand(len(y), 1, 1, 1, device=self.device)
        between = (position * y + (1 - position) * fake).requires_grad_(True)
        score = self.critic(between)
        (gradient,) = torch.autograd.grad(score, between, torch.ones_like(score), create_graph=True)
        penalty = ((gradient.flatten(1).norm(dim=1) - 1) ** 2).mean()
        wasserstein = self.critic(y).mean() - self.critic(fake).mean()
        loss = -wasserstein + self.settings.training.gradient_penalty * penalty
        self.critic_optimiser.zero_grad()
        loss.backward()
        self.critic_optimiser.step()
        self.last |= {"wasserstein": wasserstein.detach(), "penalty": penalty.detach()}

    def generator_step(self, x: Tensor) -> None:
        """Squared error and lambda times the distance, without the term of clean images, which has no gradient."""
        self.critic.requires_grad_(False)
        output = self.reconstruct(x)
        distortion = F.mse_loss(output, x)
        loss = distortion - self.settings.schedule.distribution_weight * self.critic(output).mean()
        self.generator_optimiser.zero_grad()
        loss.backward()
        self.generator_optimiser.step()
        self.last |= {"distortion": distortion.detach()}
