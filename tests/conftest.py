"""What tests share: the repository, its configurations, tiny data sets and cells."""

from pathlib import Path

import pytest
import yaml

from ecot import config as configuration
from ecot.cells import Cell, cell_settings
from ecot.data.datasets import prepare

REPOSITORY = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def repository():
    return REPOSITORY


@pytest.fixture
def values():
    """The values of config.yaml, to be changed."""
    return yaml.safe_load((REPOSITORY / "config.yaml").read_text())


@pytest.fixture
def config():
    """The paper's grid."""
    return configuration.load(REPOSITORY / "config.yaml")


@pytest.fixture
def tiny(values):
    """A configuration whose cells train within a second; change it with `merge` before validating."""
    small = {"n_train": 128, "n_test": 64, "width": 0.1}
    schedule = {"epochs": 2, "decay_epoch": 1, "learning_rate": 1e-3}
    return configuration.merge(
        values,
        {
            "run": "tiny",
            "device": "cpu",
            "tasks": {
                "super_resolution": {
                    "dataset": "mnist_sample",
                    **small,
                    "modes": {"end_to_end": {**schedule, "rates": [4, 8]}},
                },
                "denoising": {
                    "dataset": "street_digits_sample",
                    **small,
                    "modes": {"end_to_end": {**schedule, "rates": [12]}},
                },
            },
        },
    )


@pytest.fixture(scope="session")
def datasets(tmp_path_factory):
    """The two embedded samples, prepared."""
    folder = tmp_path_factory.mktemp("datasets")
    for name in ("mnist_sample", "street_digits_sample"):
        prepare(name, Path("unused"), folder / f"{name}.npz")
    return folder


@pytest.fixture
def settings(tiny):
    """Settings of a tiny cell; keywords change the cell, `task` and `change` what it is made of."""

    def make(task="super_resolution", randomness="common", rate=8, seed=0, change=None):
        bits = rate if task == "super_resolution" else 12
        config = configuration.validate(configuration.merge(tiny, change or {}))
        return cell_settings(config, Cell(task, "end_to_end", randomness, bits, seed))

    return make
