"""Training speed: the engine against the plain loop, in one process and in turn.

    python -m benchmarks.training [--device cuda] [--task denoising]

It prints the images/s of both, their ratio with its spread, peak memory, the share of what a matrix product of the
same precision reaches in the same run, what each of the engine's choices costs or gains on a GPU, and the time that
the paper's cells would take.
"""

import logging
from statistics import median
from typing import get_args

import click
import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import measuring
from benchmarks.measuring import Loop
from ecot.config import Config, Device, Precision
from ecot.grid.cell_settings import CellSettings
from ecot.grid.plan import grid
from ecot.machine import devices

PRECISIONS: dict[str, Precision] = {"bfloat16": "bfloat16", "tf32": "tf32", "float32": "float32"}
SMALL_NETWORKS = 116e12  # FLOP/s: what has been published for training networks of this size on an A100


@click.command(context_settings={"show_default": True})
@click.option("--device", type=click.Choice(get_args(Device)), default="auto")
@click.option("--task", "tasks", type=click.Choice(list(measuring.SAMPLES)), multiple=True, help="[default: all]")
@click.option("--seconds", default=4.0, help="About how long each loop runs, each time.")
@click.option("--repetitions", default=5, help="How often all loops run in turn.")
def main(device: Device, tasks: tuple[str, ...], seconds: float, repetitions: int) -> None:
    """Measure the training engine against a plain loop."""
    logging.disable(logging.INFO)  # the device is named once, here
    config, chosen = measuring.paper(), measuring.choose(device)
    click.echo(measuring.machine(chosen))
    hours: dict[tuple[str, str], float] = {}
    for task in tasks or tuple(config.tasks):
        settings, images = measuring.example(config, task), measuring.sample(task)
        click.echo(f"\n{task}, end to end, {settings.rate_bits} bits, batch {settings.training.batch_size}")
        loops = [*_engines(settings, images, chosen), measuring.plain(settings, images, chosen)]
        speeds, memory = measuring.in_turn(loops, seconds, repetitions)
        work = measuring.work(settings, images)
        limits = {name: measuring.limit(chosen, precision) for name, precision in PRECISIONS.items()}
        for name, values in speeds.items():
            ratios = [value / base for value, base in zip(values, speeds["plain loop"], strict=True)]
            click.echo(
                f"  {name:<26}{median(values):>9.0f} images/s   {measuring.spread(ratios)} of the plain loop"
                f"   {memory[name]:.0f} MB"
            )
            limit = next((limits[key] for key in limits if key in name), limits["float32"])
            reached = median(values) * work
            click.echo(f"  {'':<26}{reached / 1e9:>9.0f} GFLOP/s, {reached / limit:.2f} of a matrix product's here")
        if chosen.type == "cuda":
            click.echo(f"  small networks were trained at {SMALL_NETWORKS / 1e12:.0f} TFLOP/s on an A100, elsewhere")
        hours |= _hours(config, task, images, chosen, seconds, median(speeds["engine"]))
        ours, plain = (
            hours[task, "end_to_end"],
            _images(config, task, "end_to_end") / median(speeds["plain loop"]) / 3600,
        )
        click.echo(f"  end-to-end cells at the paper's epochs: engine {ours:.1f} h, plain loop {plain:.1f} h")
        click.echo(f"  all cells of the task: {sum(h for key, h in hours.items() if key[0] == task):.1f} h")
    if len({task for task, _ in hours}) == len(config.tasks):
        click.echo(f"\nthe whole paper, one cell after the other: {sum(hours.values()):.1f} h")


def _engines(settings: CellSettings, images: NDArray[np.uint8], device: torch.device) -> list[Loop]:
    """The engine in each precision and, on a GPU, what it is without each of its choices."""
    loops = [measuring.engine("engine", settings, images, device)]
    if devices.fast_in_bfloat16(device):
        loops.append(measuring.engine("engine, bfloat16", measuring.at(settings, "bfloat16"), images, device))
    if device.type == "cuda":
        tf32 = measuring.at(settings, "tf32")
        loops += [
            measuring.engine("engine, tf32", tf32, images, device),
            measuring.engine("engine, tf32, not deterministic", tf32, images, device, deterministic=False),
            measuring.engine("engine, tf32, no CUDA graphs", tf32, images, device, graphs=False),
            measuring.engine("engine, tf32, channels-last", tf32, images, device, channels_last=True),
        ]
    return loops


def _hours(
    config: Config, task: str, images: NDArray[np.uint8], device: torch.device, seconds: float, end_to_end: float
) -> dict[tuple[str, str], float]:
    """Hours that the cells of each mode take, one after the other, by a short run of each."""
    hours = {}
    for mode in config.tasks[task].modes:
        speed = end_to_end
        if mode != "end_to_end":
            loop = measuring.engine(mode, measuring.example(config, task, mode), images, device)
            speeds, _ = measuring.in_turn([loop], seconds, 1)
            speed = speeds[mode][0]
        hours[task, mode] = _images(config, task, mode) / speed / 3600
    return hours


def _images(config: Config, task: str, mode: str) -> int:
    """Images that all trainings of a mode take in."""
    epochs = config.tasks[task].modes[mode].epochs
    cells = sum(cell.task == task and cell.mode == mode for cell in grid(config))
    return cells * epochs * measuring.TRAINING_IMAGES[config.tasks[task].dataset]


if __name__ == "__main__":
    main()
