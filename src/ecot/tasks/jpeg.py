"""Removal of compression artefacts from 32x32 colour images."""

from ecot.tasks import TASKS, Task

TASK = TASKS.register(Task("jpeg", "Removal of JPEG artefacts", (3, 32, 32), "ecot.networks.street"))
