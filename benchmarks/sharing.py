"""Several cells on one device: images/s of 1, 2, 4, ... trainings at once, each a process of its own.

    python -m benchmarks.sharing [--device cuda] [--task super_resolution] [--jobs 1 --jobs 2 --jobs 4]

The best number is what `compute.jobs_per_device` should be; on the CPU a process takes one thread.
"""

import logging
import multiprocessing
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from typing import get_args

import click

from benchmarks import measuring
from ecot.config import Device
from ecot.machine import devices


@click.command(context_settings={"show_default": True})
@click.option("--device", type=click.Choice(get_args(Device)), default="auto")
@click.option("--task", "tasks", multiple=True, default=("super_resolution", "denoising"))
@click.option("--jobs", multiple=True, default=(1, 2, 4), type=click.IntRange(min=1))
@click.option("--seconds", default=8.0, help="About how long the trainings run at once.")
def main(device: Device, tasks: tuple[str, ...], jobs: tuple[int, ...], seconds: float) -> None:
    """Measure how many trainings a device does best at once."""
    logging.disable(logging.INFO)
    name = devices.describe(measuring.choose(device))
    processes = multiprocessing.get_context("spawn")
    for task in tasks:
        single = None
        for n in jobs:
            barrier, results = processes.Barrier(n), processes.SimpleQueue()
            running = [
                processes.Process(target=_train, args=(device, task, seconds, barrier, results)) for _ in range(n)
            ]
            for process in running:
                process.start()
            total = sum(results.get() for _ in running)
            for process in running:
                process.join()
            single = single or total
            click.echo(f"{task}, {n} at once on {name}: {total:.0f} images/s, {total / single:.2f} of {jobs[0]}")


def _train(device: Device, task: str, seconds: float, barrier: Barrier, results: "SimpleQueue[float]") -> None:
    """One of the trainings: warm up, wait for the others, run for as many steps as they."""
    logging.disable(logging.INFO)
    chosen = measuring.choose(device)
    loop = measuring.engine("engine", measuring.example(measuring.paper(), task), measuring.sample(task), chosen)
    loop.speed(10)
    barrier.wait()
    steps = max(4, int(seconds * loop.speed(8) / loop.batch_size))
    barrier.wait()
    results.put(loop.speed(steps))


if __name__ == "__main__":
    main()
