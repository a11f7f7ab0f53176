"""The table of `ecot plan`: how fast each mode trains on this machine, at several widths.

    python -m benchmarks.speeds [--device cuda]

It writes its rows to resources/speeds.csv, in place of those of the same kind. On a CPU they are of one thread, and
the seconds are the processor's, so that a busy machine gives nearly the speed of an idle one.
"""

import csv
import io
import logging
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import get_args

import click
import torch
from safetensors.torch import save_file

from benchmarks import measuring
from ecot import systems
from ecot.artefacts.record import commit
from ecot.config import Config, Device, merge, validate
from ecot.files import write_text
from ecot.grid.cell_settings import CellSettings
from ecot.machine import devices
from ecot.status.estimate import SPEEDS

KIND = ("device", "task", "mode", "width")
COLUMNS = (
    *(*KIND, "batch_size", "images_per_second", "memory_mb", "model_mb"),
    *("torch", "commit", "date"),
)


@click.command(context_settings={"show_default": True})
@click.option("--device", type=click.Choice(get_args(Device)), default="auto")
@click.option("--task", "tasks", multiple=True, default=list(measuring.SAMPLES))
@click.option("--width", "widths", multiple=True, default=[0.125, 0.25, 1.0])
@click.option("--seconds", default=2.0, help="About how long each mode is trained, each of three times.")
def main(device: Device, tasks: tuple[str, ...], widths: tuple[float, ...], seconds: float) -> None:
    """Measure every mode of the paper's grid and write the rows of this device."""
    logging.disable(logging.INFO)
    torch.set_num_threads(1)
    chosen = measuring.choose(device)
    name = devices.describe(chosen)
    about = {"torch": torch.__version__, "commit": commit(), "date": datetime.now(UTC).date().isoformat()}
    rows = []
    for task in tasks:
        images = measuring.sample(task)
        for width in widths:
            config = _of_width(measuring.paper(), task, width)
            for mode in config.tasks[task].modes:
                settings = measuring.example(config, task, mode)
                speed, memory = _measure(measuring.engine(mode, settings, images, chosen, tf32=True), seconds)
                kind = {"device": name, "task": task, "mode": mode, "width": f"{width:g}"}
                size = {"batch_size": settings.training.batch_size, "images_per_second": f"{speed:.1f}"}
                rows.append(
                    {**kind, **size, "memory_mb": f"{memory:.0f}", "model_mb": f"{_size(settings):.3f}", **about}
                )
                click.echo(f"{task}, {mode}, width {width:g}: {speed:.0f} images/s, {memory:.0f} MB")
                _write(rows)


def _measure(loop: measuring.Loop, seconds: float) -> tuple[float, float]:
    """Images/s, the median of three times, and peak memory in MB."""
    clock = time.process_time if loop.device.type == "cpu" else time.perf_counter

    def speed(steps: int) -> float:
        devices.synchronise(loop.device)
        start = clock()
        loop.run(steps)
        devices.synchronise(loop.device)
        return steps * loop.batch_size / (clock() - start)

    measuring.reset_peak_memory(loop.device)
    speed(4)  # the first steps warm up, capture and allocate
    memory = devices.peak_memory_mb(loop.device)
    steps = max(2, int(seconds * speed(2) / loop.batch_size) // 2 * 2)  # the critic's and the system's take turns
    return median(speed(steps) for _ in range(3)), memory


def _of_width(config: Config, task: str, width: float) -> Config:
    return validate(merge(config.model_dump(), {"tasks": {task: {"width": width}}}))


def _size(settings: CellSettings) -> float:
    """MB of a model's file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save_file({name: tensor.contiguous() for name, tensor in systems.build(settings).state_dict().items()}, path)
        return path.stat().st_size / 1e6


def _write(rows: list[dict[str, object]]) -> None:
    kinds = {tuple(str(row[name]) for name in KIND) for row in rows}
    kept: list[dict[str, object]] = []
    if SPEEDS.is_file():
        with SPEEDS.open(newline="", encoding="utf-8") as file:
            kept = [dict(row) for row in csv.DictReader(file) if tuple(row[name] for name in KIND) not in kinds]
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows([*kept, *rows])
    write_text(SPEEDS, text.getvalue())


if __name__ == "__main__":
    main()
