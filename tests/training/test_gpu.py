"""What only a GPU can show: graphs give the numbers of eager steps, runs repeat and resume, every mode trains."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from ecot.cells import MeasurementSettings
from ecot.config import NEEDS, Compute
from ecot.data.datasets import load
from ecot.evaluation.cell import evaluate
from ecot.training import checkpoint, devices
from ecot.training.cell import make_trainer, train
from ecot.training.feed import Feed
from ecot.training.loop import Progress, fit
from ecot.training.state import State

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]
TASKS = ["super_resolution", "denoising"]
MODES = ["end_to_end", "restoration", "baseline", "joint", "separate"]


@pytest.fixture
def gpu():
    """The device, deterministic and in float32, as `train` leaves it with tf32 off."""
    return devices.choose("cuda")


@pytest.fixture
def cell(datasets, settings, tmp_path):
    """Train a cell of a mode at full width, and what it stands on; its folder and settings."""

    def make(mode, task, compute, name="cell", **more):
        made, frozen = settings(mode=mode, task=task, change={"tasks": {task: {"width": 1.0}}}, **more), None
        if mode in NEEDS:
            frozen, _ = make(NEEDS[mode], task, compute, f"{name} below", randomness="independent")
        folder = tmp_path / name / mode
        train(made, datasets / f"{made.dataset}.npz", "cuda", compute, folder, frozen)
        return folder, made

    return make


def tensors_of(folder):
    return checkpoint.load(folder / "model.safetensors").tensors


def differing(a, b):
    assert a.keys() == b.keys()
    return [name for name in a if not torch.equal(a[name], b[name])]


@pytest.mark.parametrize("task", TASKS)
def test_gpu_and_cpu_take_the_same_first_steps(datasets, settings, gpu, task):
    """Same weights, same batches, same losses to float32 precision; noise is drawn on the device and differs."""
    made = settings(task=task, change={"tasks": {"denoising": {"degradation": {"std": 0.0}}}})
    images = load(datasets / f"{made.dataset}.npz", "train", 128).images
    rows = []
    for device in (torch.device("cpu"), gpu):
        batch = next(Feed(images, made, device).epoch(1))
        rows.append(float(make_trainer(made, device).generator_step(batch)["distortion"]))
    assert rows[0] == pytest.approx(rows[1], rel=1e-4)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("tf32", [False, True])
def test_graphs_give_the_numbers_of_eager_steps(datasets, settings, task, tf32):
    """To the last bit, over two epochs: losses, networks, moments and running statistics."""
    device = devices.choose("cuda", tf32=tf32)
    made = settings(task=task, change={"tasks": {task: {"width": 1.0}}})
    images = load(datasets / f"{made.dataset}.npz", "train", 1024).images
    histories, tensors = [], []
    for graphs in (False, True):
        trainer = make_trainer(made, device)
        trainer.graphs = graphs
        history = fit(trainer, Feed(images, made, device))
        histories.append([{k: v for k, v in row.items() if "second" not in k} for row in history])
        tensors.append({name: tensor.cpu() for name, tensor in trainer.tensors().items()})
    assert histories[0] == histories[1]
    assert not differing(*tensors)


def test_tf32_is_a_setting(datasets, settings):
    made = settings(change={"tasks": {"super_resolution": {"width": 1.0}}})
    images = load(datasets / "mnist_sample.npz", "train", 128).images
    losses = []
    for tf32 in (False, True, False):
        device = devices.choose("cuda", tf32=tf32)
        batch = next(Feed(images, made, device).epoch(1))
        losses.append(float(make_trainer(made, device).generator_step(batch)["distortion"]))
    assert losses[0] == losses[2] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=1e-2)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_trains_and_the_same_seed_gives_the_same_model(cell, datasets, mode, task):
    folder, made = cell(mode, task, Compute(), "a")
    again, _ = cell(mode, task, Compute(), "b")
    assert not differing(tensors_of(folder), tensors_of(again))
    evaluate(folder, datasets / f"{made.dataset}.npz", MeasurementSettings(n_test=64, seed=0, n_samples=4), "cuda")
    assert (folder / "metrics.csv").is_file()


def test_a_training_left_on_a_gpu_ends_as_an_uninterrupted_one(datasets, settings, gpu, tmp_path):
    made = settings(change={"tasks": {"super_resolution": {"width": 1.0, "modes": {"end_to_end": {"epochs": 3}}}}})
    images = load(datasets / "mnist_sample.npz", "train", 640).images
    whole = make_trainer(made, gpu)
    fit(whole, Feed(images, made, gpu))
    state, first = State(tmp_path, {}), make_trainer(made, gpu)

    def save(progress):
        if (progress.epoch, progress.step) == (2, 5):
            state.save(progress, first.tensors())
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fit(first, Feed(images, made, gpu), Progress(), save, 0.0)
    second = make_trainer(made, gpu)
    fit(second, Feed(images, made, gpu), state.restore(second.tensors()))
    assert not differing(second.tensors(), whole.tensors())


def test_a_lease_shows_torch_one_device():
    code = (
        "import os, sys; from ecot.training.leases import lease\n"
        "with lease('cuda', 1):\n"
        "    assert 'torch' not in sys.modules; import torch\n"
        "    print(torch.cuda.device_count(), os.environ['CUDA_VISIBLE_DEVICES'][:4])"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout in ("1 GPU-\n", "1 MIG-\n")


def test_training_on_a_gpu_learns_what_the_cpu_learns(datasets, settings):
    """The same cell on both: the last epoch's distortion agrees to a few percent, noise and rounding apart."""
    mode = {"end_to_end": {"epochs": 4, "decay_epoch": 3}}
    made = settings(change={"tasks": {"super_resolution": {"modes": mode}}, "training": {"batch_size": 16}})
    images = load(datasets / "mnist_sample.npz", "train", 1024).images
    last = []
    for device in (torch.device("cpu"), devices.choose("cuda", tf32=True)):
        last.append(fit(make_trainer(made, device), Feed(images, made, device))[-1]["distortion"])
    assert last[1] == pytest.approx(last[0], rel=0.05)
    assert np.isfinite(last).all()
