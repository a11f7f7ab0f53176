"""One module a task: the networks that a restoration problem is solved with.

A new task is a new module here, with a constant TASK, and an entry under `tasks` in config.yaml,
which names its data set, its degradation and its schedules.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from ecot.nn.critic import Critic


@dataclass(frozen=True)
class Task:
    """The networks of a task; `width` multiplies their inner channels, 1 being the paper's."""

    image_shape: tuple[int, int, int]
    encoder: Callable[[int, float], nn.Module]  # latent_dim, width
    decoder: Callable[[int, float], nn.Module]  # latent_dim, width
    branch_decoder: Callable[[int, float], nn.Module]  # latent_dim, width; one of the two of (18)
    restorer: Callable[[float], nn.Module]  # width
    critic: Callable[[float], Critic]  # width


def load(name: str) -> Task:
    """The task defined by the module of that name."""
    task: Task = importlib.import_module(f"ecot.tasks.{name}").TASK
    return task
