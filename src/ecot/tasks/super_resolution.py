"""Super-resolution of 28x28 grey digits."""

from ecot.tasks import TASKS, Task

TASK = TASKS.register(Task("super_resolution", "Super-resolution", (1, 28, 28), "ecot.networks.digits"))
