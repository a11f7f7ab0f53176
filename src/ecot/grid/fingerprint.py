"""Fingerprints: what decides a model, a classifier or a measurement, in 16 hexadecimal digits.

A result lies in a folder that its fingerprint names. Equal fingerprints mean equal settings, equal deciding code and
the same data; so a finished result is found again, and another setting makes another result beside it. Device,
processor and commit stand in the run record and not here.
"""

import hashlib
import json
from functools import cache
from typing import Any

from ecot.data.sets import DATASETS
from ecot.degradations import KINDS
from ecot.grid.cell_settings import CellSettings, MeasurementSettings
from ecot.modes import MODES
from ecot.quantities import measures
from ecot.source import code_hash
from ecot.tasks import TASKS

PATTERN = "[0-9a-f]{16}"  # of every fingerprint, a regular expression
# The modules from which all deciding code of a stage is reached.
TRAINING = "ecot.engine.training"
CLASSIFIER = "ecot.evaluation.classifier"
MEASUREMENT = "ecot.evaluation.measurement"
LAW = "ecot.evaluation.law"


def trained(settings: CellSettings) -> str:
    """The fingerprint of the model that these settings train to."""
    return of(
        settings.model_dump(mode="json", exclude={"frozen"}),
        training_code(settings.task, settings.mode, settings.degradation.kind),
        trained(settings.frozen) if settings.frozen else "",
    )


def measured(settings: CellSettings, measurement: MeasurementSettings) -> str:
    """The fingerprint of a measurement of the model that `settings` train to."""
    own = _own_modules(settings.task, settings.mode, settings.degradation.kind)
    code = code_hash(MEASUREMENT, *own, *(measure.module for measure in measures().values()))
    return of(measurement.model_dump(mode="json"), code, classifier(settings.dataset))


def clean_scores(dataset: str, n_train: int | None, measurement: MeasurementSettings) -> str:
    """The fingerprint of what the measures give for the clean images of a data set."""
    code = code_hash(LAW, *(measure.module for measure in measures().values()))
    return of(measurement.model_dump(mode="json", exclude={"n_samples"}), n_train, code, classifier(dataset))


def classifier(dataset: str) -> str:
    """The fingerprint of the classifier of a data set."""
    return _classifier(dataset, DATASETS[dataset].version)


@cache
def _classifier(dataset: str, version: int) -> str:
    return of(dataset, version, code_hash(CLASSIFIER))


@cache
def training_code(task: str, mode: str, degradation: str) -> str:
    """The hash of the code that trains a mode of a task on images of a degradation."""
    return of(code_hash(TRAINING, *_own_modules(task, mode, degradation)), MODES[mode].system)


def _own_modules(task: str, mode: str, degradation: str) -> tuple[str, ...]:
    """The modules that the registries hold for a cell; an extension's are among them."""
    return MODES[mode].system.partition(":")[0], TASKS[task].networks, KINDS[degradation].module


def of(*parts: Any) -> str:
    """The fingerprint of plain values."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:16]
