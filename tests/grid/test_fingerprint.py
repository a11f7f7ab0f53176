"""What decides a model is in its fingerprint, and nothing else is."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ecot import source
from ecot.config import merge, validate
from ecot.data.sets import DATASETS
from ecot.grid import fingerprint
from ecot.grid.cell import Cell
from ecot.grid.cell_settings import CellSettings, MeasurementSettings
from ecot.grid.plan import cell_settings
from ecot.modes import MODES

PACKAGE = Path(source.__file__).parent
CELL = Cell("super_resolution", "joint", "independent", 10, 0, None, "fresh")
# Prints the fingerprint of a cell of each mode and task, of the grid of config.yaml.
PRINT = """
import json, sys
from pathlib import Path
from ecot import config
from ecot.grid import fingerprint, plan
read = config.load(Path(sys.argv[1]))
found = {}
for cell in plan.grid(read):
    found.setdefault(f"{cell.task}/{cell.mode}", fingerprint.trained(plan.cell_settings(read, cell)))
assert "torch" not in sys.modules
print(json.dumps(found))
"""


@pytest.fixture
def fresh():
    """Fingerprints that are computed anew, before and after."""

    caches = fingerprint._classifier, fingerprint.training_code, source.code_hash

    def clear():
        for cached in caches:
            cached.cache_clear()

    clear()
    yield clear
    clear()


def nested(path, value):
    """{"a": {"b": value}} for "a.b"."""
    for key in reversed(path.split(".")):
        value = {key: value}
    return value


def of(values, **changes):
    """The fingerprint of one cell; a change is named by its path."""
    for path, value in changes.items():
        values = merge(values, nested(path, value))
    return fingerprint.trained(cell_settings(validate(values), CELL))


def test_equal_settings_have_equal_fingerprints(values):
    found = of(values)
    assert found == of(merge(values, {}))
    assert len(found) == 16
    assert int(found, 16) >= 0


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("tasks.super_resolution.dataset", "mnist_sample"),
        ("tasks.super_resolution.n_train", 1000),
        ("tasks.super_resolution.degradation.factor", 2),
        ("tasks.super_resolution.degradation.clip", True),
        ("tasks.super_resolution.degradation", {"kind": "gaussian_noise"}),
        ("tasks.super_resolution.levels", 2),
        ("tasks.super_resolution.width", 0.5),
        ("tasks.super_resolution.modes.joint.epochs", 207),
        ("tasks.super_resolution.modes.joint.learning_rate", 1e-3),
        ("tasks.super_resolution.modes.joint.decays", {7: 5.0}),
        ("tasks.super_resolution.modes.joint.distribution_weight", 0.1),
        ("tasks.super_resolution.modes.end_to_end.epochs", 207),  # of the frozen model
        ("training.batch_size", 32),
        ("training.betas", [0.5, 0.9]),
        ("training.gradient_penalty", 1.0),
        ("training.critic_batches", "paired"),
        ("training.critic_steps", 2),
        ("training.precision", "bfloat16"),
        ("training.threads", 2),
    ],
)
def test_every_setting_that_decides_a_model_is_in_its_fingerprint(values, path, value):
    before = of(values)
    if path.endswith("degradation"):  # of another kind, which has none of the keys
        values["tasks"]["super_resolution"]["degradation"] = {}
    assert of(values, **{path: value}) != before


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("run", "other"),
        ("device", "cpu"),
        ("seeds", [0, 1]),
        ("select", {"modes": ["joint"]}),
        ("data.root", "elsewhere"),
        ("compute", {"deterministic": False, "jobs_per_device": 3, "save_minutes": 1.0}),
        ("evaluation.critic_steps", 1),
        ("resources.train.mem_mb", 7),
        ("tasks.denoising.width", 0.5),
        ("tasks.super_resolution.n_test", 100),
        ("tasks.super_resolution.modes.joint.rates", [10, 20]),
        ("tasks.super_resolution.modes.baseline.epochs", 207),
        ("tasks.super_resolution.fit_weight", None),
    ],
)
def test_a_setting_that_decides_no_model_is_not(values, path, value):
    assert of(values, **{path: value}) == of(values)


def test_cells_of_one_configuration_have_fingerprints_of_their_own(config):
    cells = [
        Cell("super_resolution", "end_to_end", "common", 10, 0),
        Cell("super_resolution", "end_to_end", "independent", 10, 0),
        Cell("super_resolution", "end_to_end", "common", 12, 0),
        Cell("super_resolution", "end_to_end", "common", 10, 1),
        Cell("super_resolution", "end_to_end", "common", 10, 0, 0.5),
        Cell("super_resolution", "joint", "independent", 10, 0, None, "fresh"),
        Cell("super_resolution", "separate", "independent", 10, 0),
        Cell("super_resolution", "restoration", None, None, 0),
        Cell("denoising", "end_to_end", "common", 12, 0),
    ]
    assert len({fingerprint.trained(cell_settings(config, cell)) for cell in cells}) == len(cells)


def test_no_field_of_the_settings_is_left_out(config):
    """Whatever field is added to the settings of a cell, another value of it gives another model."""
    settings = cell_settings(config, CELL)
    others = cell_settings(config, Cell("denoising", "separate", "independent", 12, 1))
    changed = {
        "randomness": "common",
        "dither": "shared",
        "n_validation": 5,
        "dataset": "mnist_sample",
        "dataset_version": 2,
        "n_train": 5,
        "width": 0.5,
        "training": config.training.model_copy(update={"batch_size": 5}),
        "frozen": settings.frozen.model_copy(update={"seed": 5}),
    }
    for name in CellSettings.model_fields:
        value = changed.get(name, getattr(others, name))
        assert value != getattr(settings, name), name
        assert fingerprint.trained(settings.model_copy(update={name: value})) != fingerprint.trained(settings), name


def test_a_sweep_at_the_configurations_weight_is_another_model(config):
    """It keeps validation images out of training."""
    cell = Cell("super_resolution", "end_to_end", "common", 10, 0)
    one, other = (cell_settings(config, each) for each in (cell, replace(cell, weight=1e-2)))
    assert (one.n_validation, other.n_validation) == (None, 5000)
    assert fingerprint.trained(one) != fingerprint.trained(other)


def test_a_new_data_set_changes_nothing_and_a_new_version_of_ones_own_does(values, monkeypatch, fresh):
    before, classifier = of(values), fingerprint.classifier("mnist")
    monkeypatch.setattr(DATASETS, "_items", dict(DATASETS._items))
    DATASETS.register(replace(DATASETS["mnist"], name="other_digits"))
    fresh()
    assert (of(values), fingerprint.classifier("mnist")) == (before, classifier)
    DATASETS._items["mnist"] = replace(DATASETS["mnist"], version=2)
    fresh()
    assert of(values) != before
    assert fingerprint.classifier("mnist") != classifier


def test_a_new_mode_changes_nothing_and_another_dither_of_ones_own_does(values, monkeypatch, fresh):
    before = of(values)
    monkeypatch.setattr(MODES, "_items", dict(MODES._items))
    MODES.register(replace(MODES["joint"], name="other_mode", title="another", marker="x"))
    MODES._items["joint"] = replace(MODES["joint"], title="together", marker="x")
    fresh()
    assert of(values) == before
    MODES._items["joint"] = replace(MODES["joint"], dithers={"independent": 3})
    fresh()
    assert of(values) != before


def test_a_measurement_is_decided_by_its_settings_its_classifier_and_no_more(config, monkeypatch, fresh):
    settings = cell_settings(config, CELL)
    measurement = MeasurementSettings(n_test=10, seed=0, n_samples=8, critic_steps=5)
    before = fingerprint.measured(settings, measurement)
    assert before == fingerprint.measured(settings, measurement.model_copy())
    for change in ({"n_test": 11}, {"seed": 1}, {"n_samples": 9}, {"critic_steps": 6}):
        assert fingerprint.measured(settings, measurement.model_copy(update=change)) != before
    monkeypatch.setattr(fingerprint, "classifier", lambda dataset: "another")
    assert fingerprint.measured(settings, measurement) != before


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """A copy of the source tree, and a function that gives the fingerprints of its code."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copytree(PACKAGE, folder / "ecot", ignore=shutil.ignore_patterns("__pycache__"))
    config = PACKAGE.parents[1] / "config.yaml"

    def fingerprints():
        environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(
            [sys.executable, "-c", PRINT, config], capture_output=True, text=True, cwd=folder, env=environment
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return folder / "ecot", fingerprints


@pytest.fixture(scope="module")
def unedited(copy):
    return copy[1]()


def test_a_copy_elsewhere_gives_the_same_fingerprints(config, unedited):
    assert len(unedited) == 2 * len(MODES)
    cells = {"super_resolution/end_to_end": Cell("super_resolution", "end_to_end", "common", 4, 0)}
    for name, cell in cells.items():
        assert fingerprint.trained(cell_settings(config, cell)) == unedited[name]


def changed_by(copy, unedited, *edits):
    """The names of the cells whose fingerprint these edits of the copy change; the edits are undone."""
    package, fingerprints = copy
    before = {path: (package / path).read_text() if (package / path).is_file() else "" for path, _, _ in edits}
    try:
        for path, old, new in edits:
            text = (package / path).read_text() if before[path] else ""
            assert old is None or old in text, f"{path} has no {old!r}"
            (package / path).write_text(text + new if old is None else text.replace(old, new, 1))
        found = fingerprints()
    finally:
        for path, text in before.items():
            (package / path).write_text(text) if text else (package / path).unlink(missing_ok=True)
    return {name for name in unedited if found[name] != unedited[name]}


SPARE = "\nSPARE = 1\n"
TELLING = [
    ("data/fetch.py", "downloading is turned off", "no download is allowed"),
    ("data/sets/mnist.py", '"CC BY-SA 3.0"', '"CC BY-SA 4.0"'),
    ("data/messages.py", "is missing", "is not there"),
    ("machine/devices.py", '"device: %s%s"', '"computing on %s%s"'),
    ("machine/locks.py", "POLL = 1.0", "POLL = 2.0"),
    ("engine/messages.py", "the loss is not finite", "a loss is not a number"),
    ("engine/job.py", None, SPARE),
    ("engine/loop.py", '"""The training loop, one for all modes', '"""The loop of a training, one for all modes'),
    ("engine/loop.py", "import math\n", "import math  # for isfinite\n\n\n"),
    ("errors.py", None, SPARE),
    ("files.py", None, SPARE),
    ("evaluation/law.py", None, SPARE),
    ("products/base.py", None, SPARE),
    ("products/another.py", None, SPARE),
    ("cli/main.py", None, SPARE),
    (
        "data/sets/another.py",
        None,
        "from dataclasses import replace\n\nfrom ecot.data.sets import DATASETS, mnist\n\n"
        "DATASETS.register(replace(mnist.DATASET, name='another'))\n",
    ),
    (
        "tasks/another.py",
        None,
        "from ecot.tasks import TASKS, Task\n\n"
        "TASKS.register(Task('another', 'Another', (3, 32, 32), 'ecot.networks.street'))\n",
    ),
]


def test_what_no_model_depends_on_changes_no_fingerprint(copy, unedited):
    if changed_by(copy, unedited, *TELLING):
        assert [edit for edit in TELLING if changed_by(copy, unedited, edit)] == []


EVERY = [f"{task}/{mode}" for task in ("super_resolution", "denoising") for mode in MODES]


def some(task="", *modes):
    return {name for name in EVERY if name.startswith(task) and name.endswith(modes or "")}


@pytest.mark.parametrize(
    ("path", "old", "new", "cells"),
    [
        ("grid/cell_settings.py", "return self.task, self.mode, ", "return self.mode, self.task, ", some()),
        ("grid/cell_settings.py", "return (self.rate_bits or 0) //", "return 2 * (self.rate_bits or 0) //", some()),
        ("networks/decoder.py", "nn.LeakyReLU(inplace=True)", "nn.ReLU(inplace=True)", some()),
        ("systems/objectives.py", "mse_loss(a, b)", "2 * mse_loss(a, b)", some()),
        ("coding/randomness.py", "odd * 2.0**-53", "odd * 2.0**-52", some()),
        ("coding/quantiser.py", "2.0 / levels", "1.0 / levels", some()),
        ("data/arrays.py", "shape if n is None else (n, *shape[1:])", "shape", some()),
        ("engine/loop.py", "if epoch > after", "if epoch >= after", some()),
        ("engine/feed.py", "len(images) //", "1 + len(images) //", some()),
        ("degradations/__init__.py", "if self.noisy else None", "if not self.noisy else None", some()),
        ("degradations/resampling.py", "CUBIC = -0.75", "CUBIC = -0.5", some("super_resolution")),
        ("degradations/gaussian_noise.py", "settings.std / 255", "settings.std / 256", some("denoising")),
        ("networks/street.py", None, SPARE, some("denoising")),
        ("systems/joint.py", "self.decoder_1(z), self.decoder_2(z)", "self.decoder_2(z), self.decoder_1(z)",
         some("", "/joint")),
        ("systems/separate.py", "u[:, 2], u[:, 3]", "u[:, 3], u[:, 2]", some("", "/separate")),
        ("systems/baseline.py", "self.frozen.restorer(x)", "x", some("", "/baseline")),
        ("systems/restoration.py", "self.restorer(x)", "x", some("", "/restoration", "/baseline")),
        ("coding/entropy.py", "FLOOR = 16", "FLOOR = 8", some()),
        ("systems/end_to_end.py", "self.decode(code, u[:, -1])", "self.decode(code, u[:, 0])",
         some("", "/end_to_end", "/joint", "/separate")),
        ("systems/decomposition.py", "a + b + c", "a + b", some("", "/joint", "/separate")),
    ],
)  # fmt: skip
def test_what_decides_models_changes_their_fingerprints(copy, unedited, path, old, new, cells):
    assert changed_by(copy, unedited, (path, old, new)) == cells
