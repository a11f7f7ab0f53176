"""Training one cell: from a data set file to the files of its folder."""

import json
import logging
import platform
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import yaml

import ecot
from ecot import tasks
from ecot.cells import CellSettings
from ecot.coding import randomness
from ecot.config import Compute, Device
from ecot.data.datasets import load
from ecot.errors import EcotError
from ecot.files import atomic, sha256, write_text
from ecot.provenance import code_hash, commit
from ecot.training import checkpoint, devices, systems
from ecot.training.feed import Feed
from ecot.training.loop import NotFiniteError, Progress, fit
from ecot.training.state import State
from ecot.training.trainer import Trainer

log = logging.getLogger(__name__)


def train(
    settings: CellSettings, dataset: Path, device: Device, compute: Compute, out: Path, frozen: Path | None = None
) -> None:
    """Train the cell and write model.safetensors, config.yaml, history.csv and, last, run.json to `out`.

    `frozen` is the folder of the cell that this one stands on, if `settings.frozen` says so. A training
    that was killed goes on from the state that it left in `out`. Raises EcotError, and writes nothing,
    if the data, the device or the frozen model are not there or not the right ones, or if a loss is not
    finite.
    """
    start = time.perf_counter()
    chosen = devices.choose(device, tf32=compute.tf32, deterministic=compute.deterministic)
    images = load(dataset, "train", settings.n_train).images
    expected = tasks.load(settings.task).image_shape
    if images.shape[1:] != expected:
        raise EcotError(
            f"tasks.{settings.task}.dataset: {settings.dataset} has images of shape {images.shape[1:]},"
            f" the task's networks take {expected}"
        )
    log.info("%s: %d images of %s", out, len(images), settings.dataset)
    trainer, feed = make_trainer(settings, chosen, frozen), Feed(images, settings, chosen)
    provenance = {
        "ecot": ecot.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "dataset_sha256": sha256(dataset),
    }
    state = State(out, fingerprint(settings, provenance, frozen))
    progress = state.restore(trainer.tensors())
    before = progress.total_seconds

    def save(progress: Progress) -> None:
        state.save(progress, trainer.tensors())

    try:
        history = fit(trainer, feed, progress, save, 60 * compute.save_minutes)
    except NotFiniteError:  # from the state it would be no more finite
        state.remove()
        raise
    checkpoint.save(out / "model.safetensors", checkpoint.Model(settings, trainer.system.state_dict()), provenance)
    write_text(out / "config.yaml", yaml.safe_dump(settings.model_dump(), sort_keys=False))
    with atomic(out / "history.csv") as temporary:
        pd.DataFrame(history).to_csv(temporary, index=False)
    steady = history[1:] or history  # the first epoch warms up
    run = {
        "seconds": round(before + time.perf_counter() - start, 1),
        "resumed": progress.resumed,
        "images_per_second": round(sum(row["images_per_second"] for row in steady) / len(steady), 1),
        "peak_memory_mb": round(devices.peak_memory_mb(chosen), 1),
        "device": devices.describe(chosen),
        **compute.model_dump(include={"tf32", "deterministic"}),
        **provenance,
        "commit": commit(),
        "model_sha256": sha256(out / "model.safetensors"),
    }
    write_text(out / "run.json", json.dumps(run, indent=2) + "\n")
    state.remove()
    log.info("done in %.1f s, %.0f images/s", run["seconds"], run["images_per_second"])


def make_trainer(settings: CellSettings, device: torch.device, frozen: Path | None = None) -> Trainer:
    """System and critic; initial weights come from the cell's own stream and the CPU, the same for any device."""
    s = settings
    torch.manual_seed(randomness.torch_seed(randomness.key(s.seed, *s.identity, "weights")))
    system = systems.build(settings)
    if system.frozen is not None:
        system.frozen.load_state_dict(_frozen_model(settings, frozen).tensors)
    critic = tasks.load(s.task).critic(s.width) if s.schedule.distribution_weight else None
    for player in (system, critic):
        if player is not None:
            player.to(device)
            if device.type == "cpu":  # transposed convolutions are faster by a third in this layout
                player.to(memory_format=torch.channels_last)
    return Trainer(system, critic, settings, graphs=device.type == "cuda")


def fingerprint(settings: CellSettings, provenance: Mapping[str, str], frozen: Path | None) -> dict[str, str]:
    """All that decides the model, by name: a training goes on only from a state of the same."""
    return {
        "settings": settings.model_dump_json(),
        "code": code_hash("ecot.training.cell", f"ecot.tasks.{settings.task}"),
        "frozen model": sha256(frozen / "model.safetensors") if settings.frozen and frozen else "",
        **{name: provenance[name] for name in ("torch", "numpy", "dataset_sha256")},
    }


def _frozen_model(settings: CellSettings, folder: Path | None) -> checkpoint.Model:
    """The model that a cell stands on; EcotError if it is missing, changed since its training, or another cell's."""
    if folder is None or settings.frozen is None:
        raise EcotError(f"mode {settings.mode} stands on a trained model; say in which folder it is")
    model = checkpoint.trained(folder)
    expected, found = settings.frozen.model_dump(), model.settings.model_dump()
    differing = [
        f"{name} is {found[name]}, not {expected[name]}" for name in expected if found[name] != expected[name]
    ]
    if differing:
        raise EcotError(f"frozen model {folder} is not the one that this cell stands on: {'; '.join(differing)}")
    return model
