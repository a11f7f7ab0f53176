"""The two players of (15), their optimisers, and a step of each."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from ecot.cells import CellSettings
from ecot.nn.critic import Critic
from ecot.training.feed import Batch
from ecot.training.graphs import Captured
from ecot.training.objectives import gradient_penalty, wasserstein_1
from ecot.training.systems import System

Step = Callable[[Batch], dict[str, Tensor]]


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
        self.optimisers = {name: self._optimiser(player) for name, player in players.items()}
        self.steps: list[Step] = [self.generator_step] if critic is None else [self.critic_step, self.generator_step]
        self.graphs = graphs
        self._captured: dict[int, Captured] = {}

    def step(self, number: int, batch: Batch) -> dict[str, Tensor]:
        """Step `number` of an epoch: the critic takes every other batch. Returns the player's losses, scalars."""
        turn = number % len(self.steps)
        if not self.graphs:
            return self.steps[turn](batch)
        if turn not in self._captured:
            self._captured[turn] = Captured(self.steps[turn], batch, self.tensors())
        return self._captured[turn](batch)

    def critic_step(self, batch: Batch) -> dict[str, Tensor]:
        """Raise mean h(Y) - mean h(Y_hat) under the gradient penalty."""
        assert self.critic is not None
        with torch.no_grad():
            generated = self.system(batch.x, batch.u).output
        wasserstein = wasserstein_1(self.critic, batch.clean, generated)
        penalty = gradient_penalty(self.critic, batch.clean, generated, batch.position)
        self._descend("critic", self.settings.training.gradient_penalty * penalty - wasserstein)
        return {"wasserstein": wasserstein.detach(), "penalty": penalty.detach()}

    def generator_step(self, batch: Batch) -> dict[str, Tensor]:
        """Lower the squared error and, by -lambda mean h(Y_hat), the Wasserstein-1 term."""
        outcome = self.system(batch.x, batch.u)
        loss = torch.stack(list(outcome.terms.values())).sum()
        if self.critic is not None:
            loss = loss - self.settings.schedule.distribution_weight * self.critic(outcome.output).mean()
        self._descend("system", loss)
        return {name: term.detach() for name, term in outcome.terms.items()}

    def set_learning_rate(self, rate: float) -> None:
        """Both players' step size."""
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                if isinstance(group["lr"], Tensor):
                    group["lr"].fill_(rate)
                else:
                    group["lr"] = rate

    def tensors(self) -> dict[str, Tensor]:
        """All that training changes, by name: parameters, running statistics, Adam's moments and step counts.

        They are the tensors themselves: what is copied into them, training goes on from.
        """
        found = {f"system.{name}": tensor for name, tensor in self.system.state_dict().items()}
        if self.critic is not None:
            found |= {f"critic.{name}": tensor for name, tensor in self.critic.state_dict().items()}
        for player, optimiser in self.optimisers.items():
            for number, state in optimiser.state_dict()["state"].items():
                found |= {f"adam.{player}.{number}.{name}": tensor for name, tensor in state.items()}
        return found

    def _optimiser(self, player: nn.Module) -> torch.optim.Adam:
        schedule, (beta_1, beta_2) = self.settings.schedule, self.settings.training.betas
        parameters = [p for p in player.parameters() if p.requires_grad]
        gpu = parameters[0].is_cuda
        optimiser = torch.optim.Adam(
            parameters,
            # A graph keeps the numbers it was captured with, so there the rate and the step count are tensors.
            lr=torch.tensor(schedule.learning_rate, device=parameters[0].device) if gpu else schedule.learning_rate,
            betas=(beta_1, beta_2),
            fused=gpu,
            capturable=gpu,
        )
        # Adam makes its moments at the first step; made here, they are there to be saved and restored at any time.
        state = optimiser.state_dict()
        state["state"] = {
            number: {
                "step": torch.zeros((), device=p.device if gpu else "cpu"),
                "exp_avg": torch.zeros_like(p),
                "exp_avg_sq": torch.zeros_like(p),
            }
            for number, p in enumerate(parameters)
        }
        optimiser.load_state_dict(state)
        return optimiser

    def _descend(self, player: str, loss: Tensor) -> None:
        optimiser = self.optimisers[player]
        # The generator's loss reaches the critic's parameters as well; only the player's own are wanted.
        parameters = [p for group in optimiser.param_groups for p in group["params"]]
        for parameter, gradient in zip(parameters, torch.autograd.grad(loss, parameters), strict=True):
            parameter.grad = gradient
        optimiser.step()
