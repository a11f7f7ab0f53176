"""What the benchmarks share: cells, loops that can be run for some steps, clocks and memory."""

import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import click
import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.plain import PlainLoop
from benchmarks.processes import REPOSITORY
from ecot import config as configuration
from ecot import systems
from ecot.artefacts.record import commit
from ecot.config import Config, Device, Precision
from ecot.data.arrays import load
from ecot.data.prepare import prepare
from ecot.engine.feed import Batch, Feed
from ecot.engine.training import make_trainer
from ecot.errors import EcotError
from ecot.grid.cell_settings import CellSettings
from ecot.grid.plan import cell_settings, grid
from ecot.machine import devices

Images = NDArray[np.uint8]
SAMPLES = {"super_resolution": "mnist_sample", "denoising": "street_digits_sample"}
TRAINING_IMAGES = {"mnist": 60_000, "svhn": 73_257}  # of the paper's data sets
WORKERS = 2  # of the plain loop's DataLoader, on a GPU; on the CPU they would take the cores from the training


def choose(
    device: Device, *, threads: int = 1, precision: Precision = "float32", deterministic: bool = True
) -> torch.device:
    """The device for a setting; a message and exit status 1 if there is none such."""
    try:
        return devices.choose(device, threads=threads, precision=precision, deterministic=deterministic)
    except EcotError as error:
        raise click.ClickException(str(error)) from None


def paper() -> Config:
    """The paper's grid."""
    return configuration.load(REPOSITORY / "config.yaml")


def example(config: Config, task: str, mode: str = "end_to_end") -> CellSettings:
    """Settings of the middle cell of a mode of the paper's grid."""
    cells = [cell for cell in grid(config) if (cell.task, cell.mode, cell.seed) == (task, mode, config.seeds[0])]
    return cell_settings(config, cells[len(cells) // 2])


def short(config: Config, task: str, epochs: int) -> dict[str, object]:
    """Entries of a mode's schedule for so few epochs: the decays of end to end are taken out."""
    return {"epochs": epochs, "decays": dict.fromkeys(config.tasks[task].modes["end_to_end"].decays)}


def sample(task: str) -> NDArray[np.uint8]:
    """Training images of the embedded sample of the task, which needs no network."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.npz"
        prepare(SAMPLES[task], Path(folder), path)
        return load(path, "train").images


@dataclass
class Loop:
    """A way to train one cell: call it with a number of steps."""

    name: str
    run: Callable[[int], None]
    batch_size: int
    device: torch.device
    prepare: Callable[[], object] = lambda: None  # sets torch's global switches for this loop

    def speed(self, steps: int) -> float:
        """Images per second over so many steps."""
        self.prepare()
        devices.synchronise(self.device)
        start = time.perf_counter()
        self.run(steps)
        devices.synchronise(self.device)
        return steps * self.batch_size / (time.perf_counter() - start)


def at(settings: CellSettings, precision: Precision) -> CellSettings:
    """The same cell, trained in another precision."""
    return settings.model_copy(update={"training": settings.training.model_copy(update={"precision": precision})})


def work(settings: CellSettings, images: NDArray[np.uint8]) -> float:
    """Floating-point operations for each image that an eager step of the engine takes, averaged over the players."""
    trainer = make_trainer(settings, torch.device("cpu"))
    trainer.system.train()
    batches = Feed(images, settings, torch.device("cpu")).epoch(1)
    with FlopCounterMode(display=False) as counter:
        for number, batch in zip(range(2), batches, strict=False):
            trainer.step(number, batch)
    return counter.get_total_flops() / (2 * settings.training.batch_size)


def limit(device: torch.device, precision: Precision, seconds: float = 1.0) -> float:
    """FLOP/s of the product of two square matrices in a precision: what the machine can do, at this moment."""
    choose(device.type, precision=precision)  # type: ignore[arg-type]
    n = 8192 if device.type == "cuda" else 1024
    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    a, b = (torch.randn(n, n, device=device).to(kind) for _ in range(2))
    rates = []
    begin = time.perf_counter()
    while len(rates) < 3 or time.perf_counter() - begin < seconds:
        start = time.perf_counter()
        a @ b
        devices.synchronise(device)
        rates.append(2 * n**3 / (time.perf_counter() - start))
    return median(rates)


def engine(
    name: str, settings: CellSettings, images: NDArray[np.uint8], device: torch.device, *, graphs: bool | None = None,
    channels_last: bool = False, deterministic: bool = True,
) -> Loop:  # fmt: skip
    """ecot's own loop, its steps as CUDA graphs or not (default: as in training).

    `channels_last` lays the weights out so on a GPU, too, where a training does not.
    """
    training = settings.training

    def prepare() -> None:
        choose(
            device.type,  # type: ignore[arg-type]
            threads=training.threads,
            precision=training.precision,
            deterministic=deterministic,
        )

    prepare()
    # The frozen model, where the mode needs one, stays untrained: training does not change its speed.
    frozen = systems.build(settings.frozen).state_dict() if settings.frozen else None
    trainer = make_trainer(settings, device, frozen)
    if graphs is not None:
        trainer.graphs = graphs
    if channels_last:
        for player in (trainer.system, trainer.critic):
            if player is not None:
                player.to(memory_format=torch.channels_last)
    trainer.system.train()
    feed = Feed(images, settings, device)

    def batches() -> Iterator[tuple[int, Batch]]:
        epoch = 1
        while True:
            yield from enumerate(feed.epoch(epoch))
            epoch += 1

    stream = batches()

    def run(steps: int) -> None:
        total: dict[str, torch.Tensor] = {}
        for _ in range(steps):
            for key, value in trainer.step(*next(stream)).items():
                total[key] = total.get(key, 0) + value

    return Loop(name, run, settings.training.batch_size, device, prepare)


def plain(settings: CellSettings, images: NDArray[np.uint8], device: torch.device) -> Loop:
    """The loop to compare with, under torch's own defaults, on as many threads as the engine."""

    def prepare() -> None:
        torch.set_num_threads(settings.training.threads)
        if device.type == "cuda":
            torch.use_deterministic_algorithms(False)
            torch.backends.cudnn.benchmark = False
            torch.backends.cudnn.conv.fp32_precision = "tf32"  # type: ignore[attr-defined]
            torch.backends.cuda.matmul.fp32_precision = "ieee"  # type: ignore[attr-defined]

    prepare()
    loop = PlainLoop(settings, torch.from_numpy(images), device, WORKERS if device.type == "cuda" else 0)
    return Loop("plain loop", loop.run, settings.training.batch_size, device, prepare)


def in_turn(loops: list[Loop], seconds: float, repetitions: int) -> tuple[dict[str, list[float]], dict[str, float]]:
    """Speeds (images/s) of loops run in turn for about `seconds` each, and their peak memory (MB)."""
    steps, memory = {}, {}
    for loop in loops:  # the first steps warm up, capture and allocate
        reset_peak_memory(loop.device)
        loop.speed(10)
        steps[loop.name] = max(4, int(seconds * loop.speed(4) / loop.batch_size) // 2 * 2)
        memory[loop.name] = devices.peak_memory_mb(loop.device)
    speeds: dict[str, list[float]] = {loop.name: [] for loop in loops}
    for _ in range(repetitions):
        for loop in loops:
            speeds[loop.name].append(loop.speed(steps[loop.name]))
    return speeds, memory


def spread(values: list[float]) -> str:
    """Median and range."""
    return f"{median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def reset_peak_memory(device: torch.device) -> None:
    """Let the next peak be that of what comes next; on Linux also that of the process."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    elif Path("/proc/self/clear_refs").exists():
        Path("/proc/self/clear_refs").write_text("5")


def machine(device: torch.device) -> str:
    """What the numbers belong to: device, versions and commit."""
    return (
        f"{devices.describe(device)}, {os.cpu_count()} cores, Python {platform.python_version()},"
        f" torch {torch.__version__}, {commit() or 'unknown commit'}"
    )
