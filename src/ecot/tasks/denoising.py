"""Denoising of 32x32 colour images."""

from ecot.tasks import TASKS, Task

TASK = TASKS.register(Task("denoising", "Denoising", (3, 32, 32), "ecot.networks.street"))
