"""The two players of (15), the optimiser of each, and a step of each."""

import torch
from torch import Tensor, nn

from ecot.engine.adam import Adam
from ecot.engine.feed import Batch
from ecot.engine.graphs import Captured
from ecot.grid.cell_settings import CellSettings
from ecot.networks.critic import Critic
from ecot.systems import System
from ecot.systems.objectives import gradient_penalty, wasserstein_1


class Trainer:
    """System and critic in alternation; without a critic there is only the system.

    With `graphs` each player's step is captured as a CUDA graph at its first use: the same kernels,
    launched at once. Nothing in a step reads a value back, so that a GPU is never waited for.
    """

    def __init__(
        self, system: System, critic: Critic | None, settings: CellSettings, *, graphs: bool = False
    ) -> None:
        self.system, self.critic, self.settings = system, critic, settings
        system.freeze()
        players: dict[str, nn.Module] = {"system": system} if critic is None else {"critic": critic, "system": system}
        rate, (beta_1, beta_2) = settings.schedule.learning_rate, settings.training.betas
        self.adams = {
            name: Adam([p for p in player.parameters() if p.requires_grad], rate, (beta_1, beta_2))
            for name, player in players.items()
        }
        self.graphs = graphs
        self._captured: dict[str, Captured] = {}

    def step(self, number: int, batch: Batch) -> dict[str, Tensor]:
        """Step `number` of an epoch: after `critic_steps` of the critic one of the system. Returns the losses."""
        critics = self.settings.critic_steps
        player, step = (
            ("critic", self.critic_step) if number % (critics + 1) < critics else ("system", self.generator_step)
        )
        if not self.graphs:
            return step(batch)
        if player not in self._captured:
            self._captured[player] = Captured(step, batch, self.tensors())
        return self._captured[player](batch)

    def critic_step(self, batch: Batch) -> dict[str, Tensor]:
        """Raise mean h(Y) - mean h(Y_hat) under the gradient penalty."""
        assert self.critic is not None
        with self._autocast(batch):
            with torch.no_grad():
                generated = self.system(batch.x, batch.u).output
            wasserstein = wasserstein_1(self.critic, batch.clean, generated)
            penalty = gradient_penalty(self.critic, batch.clean, generated, batch.position)
        self.adams["critic"].descend(self.settings.training.gradient_penalty * penalty - wasserstein)
        return {"wasserstein": wasserstein.detach(), "penalty": penalty.detach()}

    def generator_step(self, batch: Batch) -> dict[str, Tensor]:
        """Lower the squared error and, by -lambda mean h(Y_hat), the Wasserstein-1 term."""
        with self._autocast(batch):
            outcome = self.system(batch.x, batch.u)
            loss = torch.stack(list(outcome.terms.values())).sum()
            if self.critic is not None:
                loss = loss - self.settings.schedule.distribution_weight * self.critic(outcome.output).mean()
        self.adams["system"].descend(loss)
        return {name: term.detach() for name, term in outcome.terms.items()}

    def _autocast(self, batch: Batch) -> torch.autocast:
        """Where convolutions and matrix products are computed in bfloat16, if the settings say so.

        Nothing that is cast is kept: weights that were cast in one step are stale in the next, and those that were
        cast without gradients give none.
        """
        on = self.settings.training.precision == "bfloat16"
        return torch.autocast(batch.x.device.type, torch.bfloat16, enabled=on, cache_enabled=False)

    def set_learning_rate(self, rate: float) -> None:
        """Both players' step size."""
        for adam in self.adams.values():
            adam.set_rate(rate)

    def tensors(self) -> dict[str, Tensor]:
        """All that training changes, by name: parameters, running statistics, Adam's moments and step counts.

        They are the tensors themselves: what is copied into them, training goes on from.
        """
        found = {f"system.{name}": tensor for name, tensor in self.system.state_dict().items()}
        if self.critic is not None:
            found |= {f"critic.{name}": tensor for name, tensor in self.critic.state_dict().items()}
        for player, adam in self.adams.items():
            found |= {f"adam.{player}.{name}": tensor for name, tensor in adam.tensors().items()}
        return found
