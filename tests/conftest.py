"""What tests share: the repository, its configurations, tiny data sets and cells."""

import os
from pathlib import Path

# Networks as small as the tests' gain nothing from threads, and on a busy machine they wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest
import yaml

from ecot import config as configuration
from ecot.data.prepare import prepare
from ecot.grid.cell import Cell
from ecot.grid.plan import cell_settings

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
    """A configuration whose cells train within a second; end to end only, the other modes by `all_modes`."""
    small = {"n_train": 128, "n_test": 64, "width": 0.1}
    end_to_end = {"epochs": 2, "decays": {30: None, 40: None, 1: 5.0}, "learning_rate": 1e-3}
    others = {"joint": None, "separate": None, "restoration": None, "baseline": None}
    change = {}
    for task, dataset, rates in (
        ("super_resolution", "mnist_sample", [4, 8]),
        ("denoising", "street_digits_sample", [12]),
    ):
        change[task] = {
            "dataset": dataset,
            **small,
            "fit_weight": {"n_validation": 32},
            "modes": {"end_to_end": {**end_to_end, "rates": rates}, **others},
        }
    return configuration.merge(
        values, {"run": "tiny", "device": "cpu", "evaluation": {"critic_steps": 2}, "tasks": change}
    )


@pytest.fixture
def all_modes(values):
    """What to merge into `tiny` for all modes of both tasks, at the rates 8 and 12."""
    change = {}
    for task, rate in (("super_resolution", 8), ("denoising", 12)):
        modes = {
            name: {**mode, "epochs": 1, "decays": dict.fromkeys(mode["decays"])}
            | ({"rates": [rate]} if "rates" in mode else {})
            for name, mode in values["tasks"][task]["modes"].items()
            if name != "end_to_end"
        }
        change[task] = {"modes": modes}
    return {"tasks": change}


@pytest.fixture(scope="session")
def datasets(tmp_path_factory):
    """The two embedded samples, prepared."""
    folder = tmp_path_factory.mktemp("datasets")
    for name in ("mnist_sample", "street_digits_sample"):
        prepare(name, Path("unused"), folder / f"{name}.npz")
    return folder


@pytest.fixture(scope="session")
def classifiers(datasets, tmp_path_factory):
    """The classifier of each embedded sample, by the sample's name, in the layout of results/classifiers."""
    from ecot.evaluation.job import train_classifier
    from ecot.grid import fingerprint

    folder = tmp_path_factory.mktemp("classifiers")
    paths = {
        name: folder / name / fingerprint.classifier(name) / "classifier.safetensors"
        for name in ("mnist_sample", "street_digits_sample")
    }
    for name, path in paths.items():
        train_classifier(name, datasets / f"{name}.npz", "cpu", path)
    return paths


@pytest.fixture
def jpeg(tiny):
    """What to merge into `tiny` for the third task, end to end; its degradation prepares its images."""
    task = {**tiny["tasks"]["denoising"], "degradation": {"kind": "jpeg", "quality": 10}}
    return {"tasks": {"jpeg": task}}


@pytest.fixture
def settings(tiny, all_modes, jpeg):
    """Settings of a tiny cell; keywords change the cell, and `change` the configuration."""

    def make(
        task="super_resolution", mode="end_to_end", randomness="common", rate=8, seed=0, change=None, dither="fresh"
    ):
        merged = tiny
        for part in (all_modes, jpeg, change or {}):
            merged = configuration.merge(merged, part)
        bits = rate if task == "super_resolution" else 12
        if mode in ("joint", "separate"):
            randomness = "independent"
        if mode == "restoration":
            randomness = bits = None
        cell = Cell(task, mode, randomness, bits, seed, None, dither if mode == "joint" else None)
        return cell_settings(configuration.validate(merged), cell)

    return make


@pytest.fixture(scope="session")
def store(tmp_path_factory):
    """The folder of the models that `trained` has made in this session."""
    return tmp_path_factory.mktemp("store")


@pytest.fixture
def trained(store, datasets):
    """The folder of the trained model of some settings; tests share it and must not change it."""
    from ecot.config import Compute
    from ecot.engine.job import train
    from ecot.grid import fingerprint

    def folder_of(made):
        folder = store / fingerprint.trained(made)
        if not (folder / "run.json").is_file():
            frozen = folder_of(made.frozen) if made.frozen else None
            train(made, datasets / f"{made.dataset}.npz", "cpu", Compute(), folder, frozen)
        return folder

    return folder_of
