"""Does bfloat16 change results? The same cells in float32 and in bfloat16, over seeds.

    python -m benchmarks.precision [--task denoising] [--seeds 8] [--epochs 3] [--width 0.25]

A cell of each task is trained on its embedded sample in both precisions with each seed, and measured in float32. For
the mean over seeds of each quantity it prints the relative difference, bfloat16 against float32, with its 95 %
interval (Student's, of the differences within a seed), and whether the interval lies within the limit. One
that straddles the limit decides nothing: more seeds make it shorter. Where the processor has no bfloat16 this takes
hours.
"""

import logging
import tempfile
from pathlib import Path
from statistics import mean, stdev

import click
import torch
from scipy.stats import t as student

from benchmarks import measuring
from ecot.data.arrays import load
from ecot.data.prepare import prepare
from ecot.engine.feed import Feed
from ecot.engine.loop import fit
from ecot.engine.training import make_trainer
from ecot.evaluation.classifier import fit as fit_classifier
from ecot.evaluation.law import TargetLaw
from ecot.evaluation.measurement import measure
from ecot.grid.cell_settings import CellSettings, MeasurementSettings

LIMITS = {"mse_input": 0.01, "mse_target": 0.01, "gelbrich": 0.03}  # of the mean in float32
HOW = MeasurementSettings(n_test=None, seed=0, n_samples=1, critic_steps=1)
Values = dict[str, list[float]]


@click.command(context_settings={"show_default": True})
@click.option("--task", "tasks", multiple=True, default=("super_resolution", "denoising"))
@click.option("--seeds", default=8, type=click.IntRange(min=2), help="Seeds per cell.")
@click.option("--epochs", default=3, type=click.IntRange(min=1), help="Passes over the sample.")
@click.option("--width", default=0.25, help="Factor on the inner channels of the networks.")
@click.option("--n-train", default=None, type=int, help="Training images.  [default: all]")
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu")
def main(tasks: tuple[str, ...], seeds: int, epochs: int, width: float, n_train: int | None, device: str) -> None:
    """Compare results of both precisions."""
    logging.disable(logging.INFO)
    chosen = measuring.choose(device)  # type: ignore[arg-type]
    click.echo(f"{measuring.machine(chosen)}\n{seeds} seeds, {epochs} epochs, width {width:g}")
    for task in tasks:
        found = _results(task, seeds, epochs, width, n_train, chosen)
        for name, limit in LIMITS.items():
            click.echo(f"  {task:<18}{name:<12}{line(found['float32'][name], found['bfloat16'][name], limit)}")


def line(full: list[float], rounded: list[float], limit: float) -> str:
    """The interval of the relative difference of the means, and what it decides."""
    centre, half = interval(full, rounded)
    low, high = centre - half, centre + half
    if -limit <= low and high <= limit:
        verdict = "within the limit"
    else:
        verdict = "outside the limit" if low > limit or high < -limit else "undecided"
    return f"{centre:+.2%} ({low:+.2%} to {high:+.2%}), limit {limit:.0%}: {verdict}"


def interval(full: list[float], rounded: list[float]) -> tuple[float, float]:
    """Centre and half length of the 95 % interval of the mean difference, as a share of the mean of `full`."""
    n = len(full)
    differences = [b - a for a, b in zip(full, rounded, strict=True)]
    half = float(student.ppf(0.975, n - 1)) * stdev(differences) / n**0.5
    return mean(differences) / mean(full), half / mean(full)


def _results(
    task: str, seeds: int, epochs: int, width: float, n_train: int | None, device: torch.device
) -> dict[str, Values]:
    base = measuring.example(measuring.paper(), task)
    schedule = base.schedule.model_copy(update={"epochs": epochs, "decays": {}, "learning_rate": 1e-3})
    found: dict[str, Values] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sample.npz"
        prepare(measuring.SAMPLES[task], Path(folder), path)
        training, test = load(path, "train", n_train), load(path, "test")
    law = TargetLaw(test, fit_classifier(training, device).requires_grad_(False), HOW, device)
    for seed in range(seeds):
        cell = base.model_copy(update={"seed": seed, "width": width, "schedule": schedule})
        for precision in ("float32", "bfloat16"):
            quantities = _train(measuring.at(cell, precision), training.images, law, device)  # type: ignore[arg-type]
            for name in LIMITS:
                found.setdefault(precision, {}).setdefault(name, []).append(quantities[name])
    return found


def _train(
    settings: CellSettings, images: measuring.Images, law: TargetLaw, device: torch.device
) -> dict[str, float]:
    trainer = make_trainer(settings, device)
    fit(trainer, Feed(images, settings, device))
    return measure(settings, trainer.system.state_dict(), law, HOW, device).quantities


if __name__ == "__main__":
    main()
