"""Training one cell: the code from which everything that decides a model is reached.

What only tells something to a person, and what writes files, is in `ecot.engine.job`.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecot import systems
from ecot.coding import entropy, randomness
from ecot.data.arrays import training_split
from ecot.engine.feed import Feed
from ecot.engine.loop import Observer, Progress, Row, fit
from ecot.engine.trainer import Trainer
from ecot.grid.cell_settings import CellSettings


class Training:
    """A training that is ready to start or to go on."""

    def __init__(
        self, settings: CellSettings, dataset: Path, device: torch.device, frozen: Mapping[str, Tensor] | None
    ) -> None:
        """`dataset` is the prepared array file, `frozen` the tensors of the frozen model, if the mode needs one."""
        self.trainer = make_trainer(settings, device, frozen)
        images = training_split(dataset, settings.n_train, settings.n_validation).images
        self.feed = Feed(images, settings, device)

    def tensors(self) -> dict[str, Tensor]:
        """Everything that training changes, by name; see `Trainer.tensors`."""
        return self.trainer.tensors()

    def run(self, progress: Progress, observer: Observer) -> list[Row]:
        """Train from `progress` to the end of the schedule; the history, one row per epoch."""
        return fit(self.trainer, self.feed, progress, observer)

    def model(self) -> dict[str, Tensor]:
        """The system's tensors, by name."""
        return self.trainer.system.state_dict()

    def frequencies(self) -> NDArray[np.int32] | None:
        """The frequencies of the indices of the trained system, by which they are entropy-coded.

        They are counted over one epoch more, with noise and dither of its own, that trains nothing. None for a system
        that is no code.
        """
        system, settings = self.trainer.system, self.trainer.settings
        if not isinstance(system, systems.Coder):
            return None
        epoch = settings.schedule.epochs + 1
        bits = entropy.context_bits(settings.shared_bits, settings.levels)
        system.eval()
        with torch.no_grad():
            found = [system.encode(batch.x, batch.u[:, 0]).indices.cpu().numpy() for batch in self.feed.epoch(epoch)]
        indices = np.concatenate(found).astype(np.int32)
        return entropy.fit(indices, self.feed.contexts(epoch, bits), settings.levels, bits)


def make_trainer(settings: CellSettings, device: torch.device, frozen: Mapping[str, Tensor] | None = None) -> Trainer:
    """System and critic. Initial weights come from the cell's own stream and the CPU, the same for any device."""
    torch.manual_seed(randomness.torch_seed(randomness.key(settings.seed, *settings.identity, "weights")))
    system = systems.build(settings)
    if system.frozen is not None and frozen is not None:
        system.frozen.load_state_dict(frozen)
    critic = systems.Networks(settings).critic() if settings.critic_steps else None
    for player in (system, critic):
        if player is not None:
            player.to(device)
            if device.type == "cpu":  # transposed convolutions are faster by a third in this layout
                player.to(memory_format=torch.channels_last)
    return Trainer(system, critic, settings, graphs=device.type == "cuda")
