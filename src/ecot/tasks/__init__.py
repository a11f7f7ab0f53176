"""The tasks: one module per restoration problem.

A task names the family of networks that it is solved with. Its data set, its degradation and its schedules stand in
the configuration. No module here imports torch.
"""

import importlib
import pkgutil
from dataclasses import dataclass

from ecot.registry import Registry


@dataclass(frozen=True)
class Task:
    """A restoration problem: what it is called, the shape of its images and the module of its networks."""

    name: str
    title: str  # for captions
    image_shape: tuple[int, int, int]  # channels, height, width
    networks: str  # a module with encoder, decoder, branch_decoder, restorer and critic, see ecot.networks.digits


TASKS: Registry[Task] = Registry("task")

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
