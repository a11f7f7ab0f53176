"""Measuring one cell: from its model to its row of metrics and its picture."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ecot.cells import CellSettings, MeasurementSettings
from ecot.coding import randomness
from ecot.config import Device
from ecot.data import degradations
from ecot.data.datasets import load
from ecot.evaluation import constraint
from ecot.files import atomic
from ecot.training import checkpoint, devices, systems
from ecot.training.feed import dither, on_device
from ecot.training.objectives import squared_error

log = logging.getLogger(__name__)

BATCH = 500  # bounds memory; results do not depend on it beyond the order of summation


@dataclass(frozen=True)
class MeasurementBatch:
    """Part of the test set: degraded and clean images (n, c, h, w), dither (n, k, d)."""

    x: Tensor
    y: Tensor
    u: Tensor


def evaluate(folder: Path, dataset: Path, classifier: Path, test: MeasurementSettings, device: Device) -> None:
    """Measure `folder`/model.safetensors on the test set; write metrics.csv, a row, and samples.png.

    `classifier` is the model trained on the same data set, for the distances to p_Y. The system is in
    evaluation mode; noise and dither are fixed by `test.seed`, the same in every cell, so that cells
    are compared on equal draws. Raises EcotError if a model or the data are missing or damaged.
    """
    chosen = devices.choose(device)
    model = checkpoint.trained(folder)
    settings = model.settings
    system = systems.build(settings).to(chosen)
    system.load_state_dict(model.tensors)
    system.eval()
    sums: dict[str, float] = {}
    pictures: list[Tensor] = []
    outputs: list[Tensor] = []
    split = load(dataset, "test", test.n_test)
    images = split.images
    reference = constraint.reference(split, classifier, test, chosen)
    for batch in batches(images, settings, test.seed, chosen):
        with torch.no_grad():
            outcome = system(batch.x, batch.u)
        output = outcome.output
        outputs.append(output)
        measured = {"mse_input": squared_error(batch.x, output), "mse_target": squared_error(batch.y, output)}
        if outcome.reported:  # the decomposition (18); the one term of the other modes stands in no table
            measured |= outcome.terms | outcome.reported
        for name, value in measured.items():
            sums[name] = sums.get(name, 0.0) + float(value) * len(output)
        pictures = pictures or [part[: test.n_samples].cpu() for part in (batch.x, batch.y, output)]
    row = {
        **{name: getattr(settings, name) for name in ("task", "mode", "randomness", "rate_bits", "latent_dim")},
        **{name: getattr(settings, name) for name in ("levels", "seed", "dataset")},
        "n_test": len(images),
        **{name: total / len(images) for name, total in sums.items()},
        **reference.measure(torch.cat(outputs)),
        "distribution_weight": settings.schedule.distribution_weight,
    }
    with atomic(folder / "metrics.csv") as temporary:
        pd.DataFrame([row]).to_csv(temporary, index=False)
    with atomic(folder / "samples.png") as temporary:
        Image.fromarray(sheet([picture.numpy() for picture in pictures])).save(temporary)
    log.info("%s: mse_input %.5f, mse_target %.5f", folder, row["mse_input"], row["mse_target"])


def batches(
    images: NDArray[np.uint8], settings: CellSettings, seed: int, device: torch.device
) -> Iterator[MeasurementBatch]:
    """The test set, degraded and with its dither, in order."""
    degrade = on_device(degradations.operator(settings.degradation, images.shape[-1]), device)
    noise = np.random.Generator(np.random.Philox(key=randomness.key(seed, "test noise")))
    streams = [randomness.key(seed, "test dither", i) for i in range(systems.dithers(settings))]
    for start in range(0, len(images), BATCH):
        clean = images[start : start + BATCH]
        y = torch.from_numpy(clean).to(device).float() / 255
        n = torch.from_numpy(noise.standard_normal(clean.shape, np.float32)).to(device) if degrade.noise_std else None
        u = dither(streams, len(clean), settings, start).to(device)
        yield MeasurementBatch(degrade(y, n), y, u)


def sheet(rows: list[NDArray[np.float32]]) -> NDArray[np.uint8]:
    """Rows of images (n, c, h, w) in [0, 1] as one picture (rows * h, n * w[, 3]), nothing between them."""
    lines = [np.concatenate([image.transpose(1, 2, 0) for image in row], axis=1) for row in rows]
    picture = np.concatenate(lines).clip(0, 1) * 255
    return picture.round().astype(np.uint8).squeeze()
