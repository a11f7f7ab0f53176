"""The jobs of evaluation: they train a classifier, measure a cell, or score clean images, and write the files."""

import logging
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from PIL import Image

from ecot.artefacts import classifier as classifiers
from ecot.artefacts import metrics, samples
from ecot.artefacts import model as models
from ecot.artefacts.names import MODEL
from ecot.config import Device
from ecot.data import messages
from ecot.data.arrays import checksum, load
from ecot.data.sets import DATASETS
from ecot.evaluation.classifier import accuracy, fit, on_device
from ecot.evaluation.law import TargetLaw
from ecot.evaluation.measurement import measure
from ecot.files import atomic
from ecot.grid import fingerprint
from ecot.grid.cell_settings import CellSettings, MeasurementSettings
from ecot.machine import devices
from ecot.quantities import applicable, measures
from ecot.systems import build

log = logging.getLogger(__name__)


def train_classifier(name: str, dataset: Path, device: Device, out: Path) -> None:
    """Train the classifier of data set `name` and write it to `out` (.safetensors), with its stamp (.json)."""
    if not DATASETS[name].labelled:
        raise messages.no_labels(name)
    chosen = devices.choose(device)
    sha256 = checksum(dataset, name, DATASETS[name].version)
    training, test = load(dataset, "train"), load(dataset, "test")
    classifier = fit(training, chosen)
    share = accuracy(classifier, *on_device(test, chosen))
    about = {"n_train": len(training.images), "n_test": len(test.images), "accuracy": share}
    classifiers.save(out, classifier, sha256, about)
    log.info("%s: accuracy %.4f on %d test images", out, share, len(test.images))


def measure_cell(
    settings: CellSettings,
    measurement: MeasurementSettings,
    folder: Path,
    dataset: Path,
    classifier: Path,
    device: Device,
    out: Path,
) -> None:
    """Measure the model in `folder` on the test set; write metrics.csv, samples.npz and samples.png to `out`.

    `classifier` is the classifier of the same data set. Raises EcotError if the model, the data or the classifier are
    missing, damaged or not those of the settings.
    """
    chosen = devices.choose(device)
    model = models.load(folder, settings)
    with torch.device("meta"):
        models.require(build(settings).state_dict(), model, folder / MODEL)
    law = _target_law(settings.dataset, dataset, classifier, measurement, chosen)
    measured = measure(settings, model.tensors, law, measurement, chosen)
    key = metrics.key(settings, model.fingerprint, fingerprint.measured(settings, measurement))
    samples.write(out / "samples.npz", measured.samples)
    with atomic(out / "samples.png") as temporary:
        Image.fromarray(sheet(list(measured.samples.values()))).save(temporary)
    metrics.write(out / "metrics.csv", key, measured.n_test, measured.quantities)
    errors = (measured.quantities[name] for name in ("mse_input", "mse_target"))
    log.info("%s: mse_input %.5f, mse_target %.5f", out, *errors)


def write_clean_scores(
    task: str,
    name: str,
    n_train: int | None,
    dataset: Path,
    classifier: Path,
    measurement: MeasurementSettings,
    device: Device,
    out: Path,
) -> None:
    """Write `out` (.csv): what each measure gives for clean images.

    Columns: task, images (test or training), n_test and one for each measure, empty where it needs labels and there
    are none.
    """
    law = _target_law(name, dataset, classifier, measurement, devices.choose(device))
    rows = [
        {"task": task, "images": images, "n_test": len(law.split.images), **scores}
        for images, scores in law.clean_scores(load(dataset, "train", n_train)).items()
    ]
    with atomic(out) as temporary:
        columns = ["task", "images", "n_test", *measures()]
        pd.DataFrame(rows, columns=columns).to_csv(temporary, index=False)


def sheet(rows: list[NDArray[np.float32]]) -> NDArray[np.uint8]:
    """Rows of images (n, c, h, w) in [0, 1] as one picture (rows * h, n * w[, 3]), nothing between them."""
    lines = [np.concatenate([image.transpose(1, 2, 0) for image in row], axis=1) for row in rows]
    picture = np.concatenate(lines).clip(0, 1) * 255
    return picture.round().astype(np.uint8).squeeze()


def _target_law(
    name: str, dataset: Path, classifier: Path, measurement: MeasurementSettings, device: torch.device
) -> TargetLaw:
    sha256 = checksum(dataset, name, DATASETS[name].version)
    split = load(dataset, "test", measurement.n_test)
    if DATASETS[name].labelled:
        return TargetLaw(split, classifiers.load(classifier, sha256, device), measurement, device)
    left_out = set(measures()) - set(applicable(labelled=False))
    log.info("%s has no labels: the columns of %s stay empty", name, ", ".join(sorted(left_out)))
    return TargetLaw(split, None, measurement, device)
