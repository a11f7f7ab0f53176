"""The training loop, one for all modes."""

import logging
import math
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NoReturn

import torch
from torch import Tensor
from tqdm import tqdm

from ecot.cells import CellSettings
from ecot.errors import EcotError
from ecot.nn.critic import Critic
from ecot.training.feed import Batch, Feed
from ecot.training.objectives import gradient_penalty, wasserstein_1
from ecot.training.systems import System

log = logging.getLogger(__name__)


@dataclass
class Trainer:
    """The two players of (15) and their optimisers; without a critic there is only the system."""

    system: System
    critic: Critic | None
    settings: CellSettings

    def __post_init__(self) -> None:
        schedule, betas = self.settings.schedule, self.settings.training.betas
        self.system.freeze()
        players = [player for player in (self.system, self.critic) if player is not None]
        self.optimisers = [
            torch.optim.Adam(
                [p for p in player.parameters() if p.requires_grad],
                lr=schedule.learning_rate,
                betas=(betas[0], betas[1]),
            )
            for player in players
        ]
        self.schedulers = [
            torch.optim.lr_scheduler.MultiStepLR(optimiser, [schedule.decay_epoch], 1 / schedule.decay_factor)
            for optimiser in self.optimisers
        ]

    def critic_step(self, critic: Critic, batch: Batch) -> dict[str, Tensor]:
        """Raise mean h(Y) - mean h(Y_hat) under the gradient penalty."""
        with torch.no_grad():
            generated = self.system(batch.x, batch.u).output
        wasserstein = wasserstein_1(critic, batch.clean, generated)
        penalty = gradient_penalty(critic, batch.clean, generated, batch.position)
        self._step(1, self.settings.training.gradient_penalty * penalty - wasserstein)
        return {"wasserstein": wasserstein, "penalty": penalty}

    def generator_step(self, batch: Batch) -> dict[str, Tensor]:
        """Lower the squared error and, by -lambda mean h(Y_hat), the Wasserstein-1 term."""
        outcome = self.system(batch.x, batch.u)
        loss = torch.stack(list(outcome.terms.values())).sum()
        if self.critic is not None:
            loss = loss - self.settings.schedule.distribution_weight * self.critic(outcome.output).mean()
        self._step(0, loss)
        return dict(outcome.terms)

    def epoch(self, batches: Iterable[Batch]) -> dict[str, float]:
        """One pass; the critic takes every other batch. Returns the mean of each quantity over its steps."""
        sums: dict[str, Tensor] = {}
        counts: dict[str, int] = {}
        for step, batch in enumerate(batches):
            if self.critic is not None and step % 2 == 0:
                values = self.critic_step(self.critic, batch)
            else:
                values = self.generator_step(batch)
            for name, value in values.items():
                # Summed on the device: reading a value here would stop a GPU at every step.
                sums[name] = sums.get(name, 0) + value.detach()
                counts[name] = counts.get(name, 0) + 1
        for scheduler in self.schedulers:
            scheduler.step()
        return {name: float(total) / counts[name] for name, total in sorted(sums.items())}

    def _step(self, player: int, loss: Tensor) -> None:
        optimiser = self.optimisers[player]
        optimiser.zero_grad(set_to_none=True)
        # The generator's loss reaches the critic's parameters as well; only the player's own are wanted.
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        optimiser.step()


def fit(trainer: Trainer, feed: Feed) -> list[dict[str, float]]:
    """Train to the end of the schedule and return the history, a row an epoch.

    Shows a bar on a terminal and writes a line an epoch to the log elsewhere. Raises EcotError at
    the end of an epoch in which a loss was not finite.
    """
    history: list[dict[str, float]] = []
    epochs, size = trainer.settings.schedule.epochs, trainer.settings.training.batch_size
    terminal = _on_terminal()
    with tqdm(total=epochs * feed.steps * size, unit="image", disable=not terminal, dynamic_ncols=True) as bar:
        for number in range(1, epochs + 1):
            bar.set_description(f"epoch {number}/{epochs}")
            rate, start = trainer.optimisers[0].param_groups[0]["lr"], time.perf_counter()
            trainer.system.train()
            means = trainer.epoch(_counted(feed.epoch(number), bar))
            seconds = time.perf_counter() - start
            _check_finite(means, number)
            row = {"epoch": number, **means, "learning_rate": rate, "seconds": seconds}
            row["images_per_second"] = feed.steps * size / seconds
            history.append(row)
            text = ", ".join(f"{name} {value:.4f}" for name, value in means.items())
            bar.set_postfix_str(text)
            if not terminal:
                log.info("epoch %d/%d: %s, %.0f images/s", number, epochs, text, row["images_per_second"])
    return history


def _on_terminal() -> bool:
    return sys.stderr.isatty()


def _counted(batches: Iterable[Batch], bar: "tqdm[NoReturn]") -> Iterator[Batch]:
    for batch in batches:
        yield batch
        bar.update(len(batch.x))


def _check_finite(means: dict[str, float], epoch: int) -> None:
    wrong = [f"{name} {value}" for name, value in means.items() if not math.isfinite(value)]
    if wrong:
        raise EcotError(
            f"epoch {epoch}: the loss is not finite ({', '.join(wrong)}), no model is kept;"
            " a lower learning_rate or distribution_weight may help"
        )
