"""Measuring a cell against the definitions, by hand."""

import json
import logging
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

from ecot import systems
from ecot.artefacts import classifier as classifiers_file
from ecot.artefacts import metrics, samples
from ecot.artefacts import model as models
from ecot.coding import randomness
from ecot.data.arrays import load
from ecot.degradations import degradation
from ecot.errors import EcotError
from ecot.evaluation.job import ROWS, measure_cell
from ecot.evaluation.law import TargetLaw
from ecot.evaluation.measurement import measure
from ecot.evaluation.pictures import ENLARGED, labelled, sheet
from ecot.files import sha256
from ecot.grid import fingerprint
from ecot.grid.cell_settings import MeasurementSettings
from ecot.modes import MODES
from ecot.quantities import QUANTITIES, measures

CPU = torch.device("cpu")
HOW = MeasurementSettings(n_test=64, seed=0, n_samples=5, critic_steps=2)
RATES = ["cross_entropy_bits", "file_bits"]
DECOMPOSITION = ["mse_x_y1", "mse_y_y2", "mse_y1_y2", "loss_decomposed"]


@pytest.fixture
def measured(trained, datasets, classifiers):
    """Measure the model of some settings, without its files."""

    def of(made, how=HOW):
        law = target_law(datasets, classifiers, made.dataset, how)
        model = models.load(trained(made), made)
        return measure(made, model.tensors, law, how, CPU, model.frequencies)

    return of


@pytest.fixture
def job(trained, datasets, classifiers, tmp_path):
    """Measure the model of some settings into a folder of this test; the folder."""

    def of(made, name="measurement", how=HOW, **instead):
        out = tmp_path / name
        arguments = {
            "folder": None if "folder" in instead else trained(made),
            "dataset": datasets / f"{made.dataset}.npz",
            "classifier": classifiers[made.dataset],
        }
        measure_cell(made, how, **(arguments | instead), device="cpu", out=out)
        return out

    return of


def target_law(datasets, classifiers, name, how):
    split = load(datasets / f"{name}.npz", "test", how.n_test)
    return TargetLaw(split, classifiers_file.load(classifiers[name], sha256(datasets / f"{name}.npz"), CPU), how, CPU)


def row_of(out, made, how=HOW):
    measurement = fingerprint.measured(made, how)
    return metrics.read(out / "metrics.csv", metrics.key(made, fingerprint.trained(made), measurement))


@pytest.mark.parametrize("task", ["super_resolution", "denoising"])
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_is_measured(measured, settings, mode, task):
    made = settings(mode=mode, task=task)
    found = measured(made)
    values = found.quantities
    decomposed = mode in ("joint", "separate")
    own = DECOMPOSITION if decomposed else RATES if mode in ("end_to_end", "baseline") else []
    assert set(values) == {"mse_input", "mse_target", *own, *measures()}
    assert all(QUANTITIES[name].least <= value <= QUANTITIES[name].most for name, value in values.items())
    assert 0 < values["mse_input"] < 1
    assert 0 < values["mse_target"] < 1
    if decomposed:
        parts = values["mse_x_y1"] + values["mse_y_y2"] + values["mse_y1_y2"]
        assert values["loss_decomposed"] == pytest.approx(parts)
    assert found.n_test == 64
    side = 28 if task == "super_resolution" else 32
    for images in found.samples.values():
        assert images.shape == (5, 1 if side == 28 else 3, side, side)
        assert images.dtype == np.float32


def test_quantities_are_their_definitions(measured, trained, settings, datasets, classifiers):
    made = settings(randomness="independent")
    found = measured(made)
    system = systems.build(made)
    system.load_state_dict(models.read(trained(made)).tensors)
    system.eval()
    y = load(datasets / "mnist_sample.npz", "test", 64).images.astype(np.float32) / 255
    x = degradation(made.degradation, 28).apply(y, None, None)
    u = [
        torch.from_numpy(randomness.dither(randomness.key(0, "test dither", i), 64, made.latent_dim, 4))
        for i in range(2)
    ]
    with torch.no_grad():
        output = system.compressor(torch.from_numpy(x), *u).numpy()
    values = dict(found.quantities)
    assert values.pop("mse_input") == pytest.approx(((x - output) ** 2).mean(), rel=1e-5)
    assert values.pop("mse_target") == pytest.approx(((y - output) ** 2).mean(), rel=1e-5)
    with torch.no_grad():
        z = (system.compressor.encoder(torch.from_numpy(x)) + u[0] + 1) * 1.5
    indices = z.round().clamp(0, 3).numpy().astype(int)
    frequencies = models.read(trained(made)).frequencies  # nothing is shared: one context
    bits = -np.log2(frequencies[np.arange(4), 0, indices] / frequencies.sum(-1)[0, 0]).sum()
    assert values.pop("cross_entropy_bits") == pytest.approx(bits / 64)
    assert bits / 64 < values.pop("file_bits") < bits / 64 + 8 * 100 / 64  # a head of some 100 bytes
    law = target_law(datasets, classifiers, "mnist_sample", HOW)
    assert values == pytest.approx(law.scores(torch.from_numpy(output)), rel=1e-4, abs=1e-6)
    for name, images in (("x", x), ("y", y), ("output", output)):
        np.testing.assert_allclose(found.samples[name], images[:5], atol=1e-6)


def test_measuring_again_gives_the_same_numbers_and_another_seed_others(measured, settings):
    made = settings(task="denoising")
    first = measured(made).quantities
    assert measured(made).quantities == first
    other = measured(made, HOW.model_copy(update={"seed": 1})).quantities
    assert all(other[name] != first[name] for name in ("mse_input", "gelbrich", "sliced_w2", "critic_w1"))


def test_batches_do_not_change_the_numbers(measured, settings, monkeypatch):
    whole = measured(settings(task="denoising"))
    monkeypatch.setattr("ecot.evaluation.measurement.BATCH", 10)
    parts = measured(settings(task="denoising"))
    assert parts.quantities == pytest.approx(whole.quantities, rel=1e-3, abs=1e-6)
    assert all(np.allclose(parts.samples[name], whole.samples[name], atol=1e-6) for name in whole.samples)


def test_the_noise_is_independent_of_what_the_system_sees_of_it(measured, settings):
    """mse_input - mse_target - sigma^2 is near 0: a few bits cannot carry the noise."""
    values = measured(settings(task="denoising"), HOW.model_copy(update={"n_test": 500})).quantities
    assert values["mse_input"] - values["mse_target"] - (20 / 255) ** 2 == pytest.approx(0, abs=3e-4)


def test_a_task_whose_images_are_prepared_is_measured(measured, settings):
    found = measured(settings(task="jpeg"))
    x, y = ((found.samples[name] * 255).round().astype(np.uint8) for name in ("x", "y"))
    np.testing.assert_array_equal(x, degradation(settings(task="jpeg").degradation, 32).prepare(y))


def test_the_job_writes_the_row_the_samples_and_their_picture(job, measured, settings, caplog):
    made = settings()
    with caplog.at_level(logging.INFO):
        out = job(made)
    expected = measured(made)
    assert {path.name for path in out.iterdir()} == {"metrics.csv", "samples.npz", "samples.png"}
    row = row_of(out, made)
    assert {name: row.pop(name) for name in expected.quantities} == expected.quantities
    assert all(row.pop(name) is None for name in QUANTITIES if name not in expected.quantities)
    assert row == {
        "task": "super_resolution", "mode": "end_to_end", "randomness": "common", "rate_bits": 8,
        "dither": None, "latent_dim": 4, "levels": 4, "seed": 0, "dataset": "mnist_sample", "n_test": 64,
        "distribution_weight": made.schedule.distribution_weight, "model": fingerprint.trained(made),
        "measurement": fingerprint.measured(made, HOW), "dataset_sha256": row["dataset_sha256"],
        "n_validation": None,
    }  # fmt: skip
    found = samples.read(out / "samples.npz", metrics.key(made, row["model"], row["measurement"]))
    assert all(np.array_equal(found[name], expected.samples[name]) for name in samples.NAMES)
    with Image.open(out / "samples.png") as picture:
        expected_picture = labelled(sheet(list(expected.samples.values())), list(ROWS))
        np.testing.assert_array_equal(np.asarray(picture), np.asarray(expected_picture))
    assert any("mse_input" in message for message in caplog.messages)


def test_the_job_writes_the_same_bytes_again(job, settings):
    one, other = job(settings(), "a"), job(settings(), "b")
    for name in ("metrics.csv", "samples.npz", "samples.png"):
        assert (one / name).read_bytes() == (other / name).read_bytes()


def test_a_model_that_is_missing_or_not_that_of_the_settings_is_refused(job, trained, settings, tmp_path):
    made = settings()

    def refused(message, made=made, **instead):
        with pytest.raises(EcotError, match=message):
            job(made, **instead)
        assert not (tmp_path / "measurement").exists()

    refused(r"none/run\.json is damaged or not what it should be .*`ecot train .* --force`", folder=tmp_path / "none")
    refused("it is another model's: seed is 0, not 1", settings(seed=1), folder=trained(made))
    folder = tmp_path / "model"
    shutil.copytree(trained(made), folder)
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    refused(r"model\.safetensors is damaged .*changed since its training", folder=folder)


def test_data_and_classifier_that_do_not_belong_together_are_refused(job, settings, datasets, classifiers, tmp_path):
    made = settings()

    def refused(message, **instead):
        with pytest.raises(EcotError, match=message):
            job(made, **instead)
        assert not (tmp_path / "measurement").exists()

    refused("holds street_digits_sample version 2, not mnist", dataset=datasets / "street_digits_sample.npz")
    refused("it was trained on other data", classifier=classifiers["street_digits_sample"])
    refused(r"it is missing\); `ecot classifier mnist_sample`", classifier=tmp_path / "mnist_sample/0/a.safetensors")


def test_a_sheet_is_cut_and_rounded():
    picture = sheet([np.array([[[[-1.0, 0.5]]], [[[1.0, 2.0]]]], np.float32)])
    assert picture.tolist() == [0, 128, 255, 255]


def test_a_sheet_has_a_row_for_each_kind_of_image():
    rows = [np.full((2, 3, 4, 5), value, np.float32) for value in (0.0, 1.0)]
    picture = sheet(rows)
    assert picture.shape == (8, 10, 3)
    assert (picture[:4] == 0).all()
    assert (picture[4:] == 255).all()


def test_a_picture_is_enlarged_and_names_its_rows():
    images = np.random.default_rng(0).integers(0, 256, (3 * 28, 5 * 28), np.uint8)
    picture = labelled(images, list(ROWS)).convert("L")
    width, height = images.shape[1] * ENLARGED, images.shape[0] * ENLARGED
    assert picture.height == height
    cut = picture.crop((picture.width - width, 0, picture.width, height))
    np.testing.assert_array_equal(np.asarray(cut)[::ENLARGED, ::ENLARGED], images)
    labels = np.asarray(picture.crop((0, 0, picture.width - width, height)))
    assert all((part < 50).any() for part in np.array_split(labels, len(ROWS)))


def test_measuring_imports_no_compiler_and_no_plots():
    """Each costs a second in every job."""
    code = (
        "import json, sys, ecot.evaluation.job; from ecot.quantities import measures; measures();"
        "print(json.dumps([m for m in ('torch._dynamo', 'matplotlib', 'torchmetrics') if m in sys.modules]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []
