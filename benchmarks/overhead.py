"""What a job costs beside its work: from its start to its first step, and from its last step to its end.

    python -m benchmarks.overhead [--device cpu]

It runs the commands of the rules, on the embedded samples with networks of width 1. An epoch's line in the log says
when its steps were done, and history.csv how long they took. Measurements of one and of two batches are timed; the
difference is the cost of a batch, and what remains of the first is the fixed cost.
"""

import csv
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import click
import yaml

from benchmarks import measuring
from benchmarks.processes import REPOSITORY, Timed, timed
from ecot.config import Device, load
from ecot.grid.plan import grid

EPOCHS, BATCH = 2, 500


@click.command(context_settings={"show_default": True})
@click.option("--device", type=click.Choice(get_args(Device)), default="cpu")
@click.option("--repetitions", default=5)
def main(device: Device, repetitions: int) -> None:
    """Measure the fixed cost of a training and of a measurement."""
    click.echo(measuring.machine(measuring.choose(device)))
    for task, dataset in measuring.SAMPLES.items():
        with TemporaryDirectory() as folder:
            rows = _measure(task, dataset, device, repetitions, Path(folder))
        click.echo(f"\n{task}, median and range of {repetitions}, seconds")
        for name, values in rows.items():
            click.echo(f"  {name:<34}{measuring.spread(values)}")


def _measure(task: str, dataset: str, device: Device, repetitions: int, folder: Path) -> dict[str, list[float]]:
    paper = measuring.paper()
    settings = measuring.example(paper, task)
    one = {"rates": [settings.rate_bits], "randomness": [settings.randomness]}
    end_to_end = measuring.short(paper, task, EPOCHS) | one
    others = {mode: None for mode in paper.tasks[task].modes if mode != "end_to_end"}
    change = {
        "device": device,
        "tasks": {
            task: {
                "dataset": dataset,
                "n_train": 10 * settings.training.batch_size,
                "n_test": BATCH,
                "modes": {"end_to_end": end_to_end, **others},
            }
        },
    }
    (folder / "change.yaml").write_text(yaml.safe_dump(change))
    (folder / "two.yaml").write_text(yaml.safe_dump({"tasks": {task: {"n_test": 2 * BATCH}}}))
    options = ["--config", str(REPOSITORY / "config.yaml"), "--config", "change.yaml"]
    ecot = [sys.executable, "-m", "ecot"]
    for command in ("data", "classifier"):
        _ecot([*ecot, command, dataset, *options], folder)
    (cell,) = (cell for cell in grid(load(REPOSITORY / "config.yaml", folder / "change.yaml")) if cell.task == task)
    rows: dict[str, list[float]] = {}
    for _ in range(repetitions):
        training = _ecot([*ecot, "train", cell.name, "--force", *options], folder)
        (history,) = folder.glob(f"results/cells/{cell.name}/*/history.csv")
        with history.open() as file:
            steps = [float(row["seconds"]) for row in csv.DictReader(file)]
        first, last = (training.at(f"epoch {epoch}/{EPOCHS}:") for epoch in (1, EPOCHS))
        one, two = (
            _ecot([*ecot, "evaluate", cell.name, *options, *also], folder) for also in ([], ["--config", "two.yaml"])
        )
        for name, value in (
            ("training: start to first step", first - steps[0]),
            ("training: last step to end", training.seconds - last),
            ("training: processor, with steps", training.processor_seconds),
            ("measurement: all but its batches", 2 * one.seconds - two.seconds),
            ("measurement: processor", 2 * one.processor_seconds - two.processor_seconds),
        ):
            rows.setdefault(name, []).append(value)
    return rows


def _ecot(command: list[str], folder: Path) -> Timed:
    done = timed(command, str(folder))
    if done.status:
        raise click.ClickException(done.output)
    return done


if __name__ == "__main__":
    main()
