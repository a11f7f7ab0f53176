"""The jobs of evaluation: they train a classifier, measure a cell, or score clean images, and write the files."""

import logging
from pathlib import Path

import torch

from ecot import sealed
from ecot.artefacts import DamagedError, metrics, samples
from ecot.artefacts import classifier as classifiers
from ecot.artefacts import model as models
from ecot.artefacts import record as run_record
from ecot.artefacts.names import MODEL
from ecot.config import Device
from ecot.data import messages
from ecot.data.arrays import Split, checksum, load, measured_split
from ecot.data.sets import DATASETS
from ecot.evaluation.classifier import accuracy, fit, on_device
from ecot.evaluation.law import TargetLaw
from ecot.evaluation.measurement import measure
from ecot.evaluation.pictures import save_sheet
from ecot.grid import fingerprint
from ecot.grid.cell_settings import CellSettings, MeasurementSettings
from ecot.machine import devices
from ecot.quantities import applicable, measures
from ecot.systems import build

log = logging.getLogger(__name__)

ROWS = ("X, degraded", "Y, clean", "output")  # of the picture of samples


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
    """Measure the model in `folder`; write metrics.csv, samples.npz and samples.png to `out`.

    It is measured on the test images, or in a sweep of lambda on the training images that were kept out of training.
    `classifier` is the classifier of the same data set. Raises EcotError if the model, the data or the classifier are
    missing, damaged or not those of the settings.
    """
    chosen = devices.choose(device)
    sha256 = checksum(dataset, settings.dataset, settings.dataset_version)
    model = models.load(folder, settings, sha256)
    with torch.device("meta"):
        models.require(build(settings).state_dict(), model, folder / MODEL)
    split = measured_split(dataset, settings.n_train, settings.n_validation, measurement.n_test)
    law = _target_law(settings.dataset, split, sha256, classifier, measurement, chosen)
    try:
        measured = measure(settings, model.tensors, law, measurement, chosen, model.frequencies)
        for name, value in measured.quantities.items():
            metrics.check(name, value)
    except ValueError as error:
        raise DamagedError(folder / MODEL, error, run_record.way_out(settings)) from None
    key = metrics.key(settings, model.fingerprint, fingerprint.measured(settings, measurement), sha256)
    samples.write(out / "samples.npz", measured.samples, key)
    save_sheet(out / "samples.png", dict(zip(ROWS, measured.samples.values(), strict=True)))
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

    Columns: task, dataset, dataset_sha256, fingerprint, images (test or training), n_test, one for each
    measure (empty where it needs labels and there are none), and a checksum.
    """
    chosen = devices.choose(device)
    sha256 = checksum(dataset, name, DATASETS[name].version)
    law = _target_law(name, load(dataset, "test", measurement.n_test), sha256, classifier, measurement, chosen)
    empty = dict.fromkeys(measures())
    rows = [
        {"images": images, "n_test": len(law.split.images), **empty, **scores}
        for images, scores in law.clean_scores(load(dataset, "train", n_train)).items()
    ]
    decided_by = fingerprint.clean_scores(name, n_train, measurement)
    made_for = {"task": task, "dataset": name, "dataset_sha256": sha256, "fingerprint": decided_by}
    sealed.write(out, made_for, rows)


def _target_law(
    name: str, split: Split, sha256: str, classifier: Path, measurement: MeasurementSettings, device: torch.device
) -> TargetLaw:
    if DATASETS[name].labelled:
        return TargetLaw(split, classifiers.load(classifier, sha256, device), measurement, device)
    left_out = set(measures()) - set(applicable(labelled=False))
    log.info("%s has no labels: the columns of %s stay empty", name, ", ".join(sorted(left_out)))
    return TargetLaw(split, None, measurement, device)
