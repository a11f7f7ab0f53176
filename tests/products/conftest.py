"""A run to report on, without training."""

import json

import numpy as np
import pytest
import yaml

from ecot import sealed
from ecot.artefacts import metrics, samples
from ecot.artefacts.names import HISTORY, RECORD, SETTINGS
from ecot.config import merge, validate
from ecot.files import sha256
from ecot.grid.paths import metrics_path, model_folder, samples_path
from ecot.grid.plan import cell_settings, grid, measurement_settings
from ecot.products.metrics import key as key_of
from ecot.quantities import measures
from ecot.tasks import TASKS
from ecot.theory import claims as theory

MEASURES = {"gelbrich": 0.001, "sliced_w2": 0.002, "classifier_accuracy": 0.9}  # any other: 0.5


def numbers_of(cell):
    """Quantities that follow from the cell, unless a test has its own."""
    common = cell.randomness == "common"
    numbers = {
        "mse_input": 0.1 / (cell.rate_bits or 1) + 0.01 * (not common) + 0.002 * cell.seed,
        "mse_target": 0.2 / (cell.rate_bits or 1),
    }
    if cell.mode in ("joint", "separate"):
        numbers |= {"mse_x_y1": 0.01, "mse_y_y2": 0.02 + 0.01 * (cell.mode == "joint"), "mse_y1_y2": 0.001}
        numbers["loss_decomposed"] = numbers["mse_x_y1"] + numbers["mse_y_y2"] + numbers["mse_y1_y2"]
    if cell.mode == "baseline":
        numbers["mse_input"] += 0.02 if common else -0.005
    return numbers


def measure(config, cell, numbers):
    """Write the row of metrics and the sample images of a cell."""
    key, n_test = key_of(config, cell), measurement_settings(config, cell.task).n_test or 64
    values = {name: MEASURES.get(name, 0.5) for name in measures()} | numbers
    metrics.write(metrics_path(config, cell), key, n_test, values)
    channels, height, width = TASKS[cell.task].image_shape
    images = np.full((4, channels, height, width), 0.5, np.float32)
    shown = {"x": images, "y": images, "output": images}
    samples.write(samples_path(config, cell), shown, key)


def record(config, cell, content, history="epoch,distortion\n1,0.2\n"):
    """Write settings, history and run record of a finished cell; the record has `content`."""
    folder = model_folder(config, cell)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / HISTORY).write_text(history)
    (folder / SETTINGS).write_text(yaml.safe_dump(cell_settings(config, cell).model_dump()))
    content = content | {f"{name}_sha256": sha256(folder / name) for name in (HISTORY, SETTINGS)}
    (folder / RECORD).write_text(json.dumps({**content, sealed.CHECKSUM: sealed.digest(content)}))


@pytest.fixture(scope="session")
def record_cell():
    """Writes what a training leaves beside the model: of a configuration, the cell and what its record says."""
    return record


@pytest.fixture(scope="session")
def measure_cell():
    """Writes the row of metrics and the sample images of one cell: of a configuration, the cell and its numbers."""
    return measure


@pytest.fixture
def run(tiny, tmp_path, monkeypatch):
    """Makes, in the working directory, a measured run of two seeds from what a test changes in `tiny`.

    Cells named in `without` are not measured; `numbers` gives the quantities of a cell.
    """
    monkeypatch.chdir(tmp_path)

    def make(change=None, without=(), numbers=numbers_of):
        config = validate(merge(merge(tiny, {"seeds": [0, 1]}), change or {}))
        for cell in grid(config):
            if cell.name not in without:
                measure(config, cell, numbers(cell))
        return config

    return make


@pytest.fixture
def quick_theory(monkeypatch):
    """Two statements, one of them wrong, in place of all, which tests/theory/test_statements.py checks."""
    wrong = theory.Statement("wrong", "|x| is 1.", "Nowhere", "a test", lambda: theory.Outcome(False, "|x| = 2"))
    monkeypatch.setattr(theory, "STATEMENTS", (theory.STATEMENTS[0], wrong))
