"""Measuring a cell against the definitions, by hand."""

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from ecot.cells import MeasurementSettings
from ecot.coding import randomness
from ecot.config import Compute
from ecot.data import degradations
from ecot.data.datasets import load
from ecot.errors import EcotError
from ecot.evaluation.cell import batches, evaluate, sheet
from ecot.training import checkpoint, systems
from ecot.training.cell import train

HOW = MeasurementSettings(n_test=64, seed=0, n_samples=5)


@pytest.fixture
def cell(datasets, settings, tmp_path):
    """A trained cell's folder, its settings and its data set."""

    def make(**changes):
        made = settings(**changes)
        dataset = datasets / f"{made.dataset}.npz"
        train(made, dataset, "cpu", Compute(), tmp_path)
        return tmp_path, made, dataset

    return make


def test_metrics_are_their_definitions(cell):
    folder, settings, dataset = cell(randomness="independent")
    evaluate(folder, dataset, HOW, "cpu")
    (row,) = pd.read_csv(folder / "metrics.csv").to_dict("records")
    system = systems.build(settings)
    system.load_state_dict(checkpoint.load(folder / "model.safetensors").tensors)
    system.eval()
    y = load(dataset, "test", 64).images.astype(np.float32) / 255
    x = degradations.operator(settings.degradation, 28)(y)
    u = [
        torch.from_numpy(randomness.dither(randomness.key(0, "test dither", i), 64, settings.latent_dim, 4))
        for i in range(2)
    ]
    with torch.no_grad():
        output = system.compressor(torch.from_numpy(x), *u).numpy()
    assert row["mse_input"] == pytest.approx(((x - output) ** 2).mean(), rel=1e-5)
    assert row["mse_target"] == pytest.approx(((y - output) ** 2).mean(), rel=1e-5)
    del row["mse_input"], row["mse_target"]
    assert row == {
        "task": "super_resolution", "mode": "end_to_end", "randomness": "independent", "rate_bits": 8,
        "latent_dim": 4, "levels": 4, "seed": 0, "dataset": "mnist_sample", "n_test": 64,
        "distribution_weight": 0.001,
    }  # fmt: skip
    with Image.open(folder / "samples.png") as picture:
        assert picture.size == (5 * 28, 3 * 28)


def test_measuring_again_gives_the_same_numbers(cell):
    folder, _, dataset = cell(task="denoising")
    contents = []
    for _ in range(2):
        evaluate(folder, dataset, HOW, "cpu")
        contents.append((folder / "metrics.csv").read_bytes())
    assert contents[0] == contents[1]
    evaluate(folder, dataset, HOW.model_copy(update={"seed": 1}), "cpu")
    assert (folder / "metrics.csv").read_bytes() != contents[0]


def test_noise_and_dither_do_not_depend_on_the_cell(datasets, settings):
    images = load(datasets / "street_digits_sample.npz", "test", 64).images
    cells = [settings(task="denoising", seed=seed, randomness=r) for seed, r in ((0, "common"), (3, "independent"))]
    one, other = (next(batches(images, cell, 0, torch.device("cpu"))) for cell in cells)
    assert torch.equal(one.x, other.x)
    assert torch.equal(one.u[:, 0], other.u[:, 0])
    assert not torch.equal(other.u[:, 0], other.u[:, 1])
    assert float((one.x - one.y).std()) == pytest.approx(20 / 255, rel=0.01)


def test_the_noise_is_independent_of_what_the_system_sees_of_it(cell):
    """mse_input - mse_target - sigma^2 is near 0: a few bits cannot carry the noise."""
    folder, _, dataset = cell(task="denoising")
    evaluate(folder, dataset, HOW.model_copy(update={"n_test": 500}), "cpu")
    row = pd.read_csv(folder / "metrics.csv").iloc[0]
    assert row.mse_input - row.mse_target - (20 / 255) ** 2 == pytest.approx(0, abs=3e-4)


def test_batches_do_not_change_the_draws(datasets, settings, monkeypatch):
    images = load(datasets / "street_digits_sample.npz", "test", 64).images
    made = settings(task="denoising")
    whole = next(batches(images, made, 0, torch.device("cpu")))
    monkeypatch.setattr("ecot.evaluation.cell.BATCH", 10)
    parts = list(batches(images, made, 0, torch.device("cpu")))
    assert torch.equal(torch.cat([part.x for part in parts]), whole.x)
    assert torch.equal(torch.cat([part.u for part in parts]), whole.u)


def test_a_cell_without_a_model_is_refused(datasets, tmp_path):
    with pytest.raises(EcotError, match=r"model .*model\.safetensors is missing; train its cell first"):
        evaluate(tmp_path, datasets / "mnist_sample.npz", HOW, "cpu")
    assert list(tmp_path.iterdir()) == []


def test_a_sheet_is_cut_and_rounded():
    picture = sheet([np.array([[[[-1.0, 0.5]]], [[[1.0, 2.0]]]], np.float32)])
    assert picture.tolist() == [0, 128, 255, 255]
