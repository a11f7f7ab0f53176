"""One module a task: the networks that a restoration problem is solved with.

A new task is a new module here, with a constant TASK, and an entry under `tasks` in config.yaml,
which names its data set, its degradation and its schedules.
"""

import importlib
import pkgutil
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
    """The task defined by the module of that name; ValueError if there is none."""
    # The name may come from a file, and to import is to execute: nothing but what lies here.
    known = name in {module.name for module in pkgutil.iter_modules(__path__)}
    task = getattr(importlib.import_module(f"ecot.tasks.{name}"), "TASK", None) if known else None
    if not isinstance(task, Task):
        raise ValueError(f"there is no task {name!r}")
    return task
