"""What only a GPU can show: graphs give the numbers of eager steps, runs repeat and resume, every mode trains."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch

from ecot.artefacts import model as models
from ecot.config import Compute
from ecot.data.arrays import load
from ecot.engine.feed import Feed
from ecot.engine.job import train
from ecot.engine.loop import Progress, Silent, fit
from ecot.engine.state import State
from ecot.engine.training import make_trainer
from ecot.evaluation.job import measure_cell
from ecot.grid.cell_settings import MeasurementSettings
from ecot.machine import devices
from ecot.modes import MODES

pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")]
TASKS = ["super_resolution", "denoising"]
PRECISIONS = ["float32", "tf32", "bfloat16"]
HOW = MeasurementSettings(n_test=64, seed=0, n_samples=4, critic_steps=2)


@pytest.fixture
def gpu():
    """The device, deterministic and in float32, as `train` leaves it by default."""
    return devices.choose("cuda")


@pytest.fixture
def cell(datasets, settings, tmp_path):
    """Train a cell of a mode at full width, and what it builds on; its folder and settings."""

    def train_into(folder, made):
        frozen = train_into(folder / "frozen", made.frozen) if made.frozen else None
        train(made, datasets / f"{made.dataset}.npz", "cuda", Compute(), folder, frozen)
        return folder

    def make(mode, task, name="cell"):
        made = settings(mode=mode, task=task, change={"tasks": {task: {"width": 1.0}}})
        return train_into(tmp_path / name / mode, made), made

    return make


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
@pytest.mark.parametrize("precision", PRECISIONS)
def test_graphs_give_the_numbers_of_eager_steps(datasets, settings, task, precision):
    """To the last bit, over two epochs: losses, networks, moments and running statistics."""
    device = devices.choose("cuda", precision=precision)
    made = settings(task=task, change={"tasks": {task: {"width": 1.0}}, "training": {"precision": precision}})
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


@pytest.mark.parametrize("precision", ["tf32", "bfloat16"])
def test_precision_is_a_setting(datasets, settings, precision):
    images = load(datasets / "mnist_sample.npz", "train", 128).images
    losses = []
    for each in ("float32", precision, "float32"):
        device = devices.choose("cuda", precision=each)
        made = settings(change={"tasks": {"super_resolution": {"width": 1.0}}, "training": {"precision": each}})
        batch = next(Feed(images, made, device).epoch(1))
        losses.append(float(make_trainer(made, device).generator_step(batch)["distortion"]))
    assert losses[0] == losses[2] != losses[1]
    assert losses[1] == pytest.approx(losses[0], rel=1e-2)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_trains_and_the_same_seed_gives_the_same_model(cell, datasets, classifiers, tmp_path, mode, task):
    folder, made = cell(mode, task, "a")
    again, _ = cell(mode, task, "b")
    assert (folder / "model.safetensors").read_bytes() == (again / "model.safetensors").read_bytes()
    assert models.load(folder, made).settings == made
    contents = []
    for name in ("one", "two"):
        out = tmp_path / name
        dataset = datasets / f"{made.dataset}.npz"
        measure_cell(made, HOW, folder, dataset, classifiers[made.dataset], "cuda", out)
        contents.append((out / "metrics.csv").read_bytes())
    assert contents[0] == contents[1]


class KilledAt(Silent):
    """An observer that saves the state at one point of the training, which ends there."""

    def __init__(self, state, tensors, at):
        self.state, self.tensors, self.at = state, tensors, at

    def wants_state(self):
        return True

    def save(self, progress):
        if (progress.epoch, progress.step) == self.at:
            self.state.save(progress, self.tensors)
            raise InterruptedError


def test_a_training_left_on_a_gpu_ends_as_an_uninterrupted_one(datasets, settings, gpu, tmp_path):
    made = settings(change={"tasks": {"super_resolution": {"width": 1.0, "modes": {"end_to_end": {"epochs": 3}}}}})
    images = load(datasets / "mnist_sample.npz", "train", 640).images
    whole = make_trainer(made, gpu)
    fit(whole, Feed(images, made, gpu))
    state, first = State(tmp_path, {}, devices.describe(gpu)), make_trainer(made, gpu)
    with pytest.raises(InterruptedError):
        fit(first, Feed(images, made, gpu), Progress(), KilledAt(state, first.tensors(), (2, 5)))
    second = make_trainer(made, gpu)
    fit(second, Feed(images, made, gpu), state.restore(second.tensors()))
    assert not differing(second.tensors(), whole.tensors())


def test_a_task_whose_images_are_prepared_trains(cell):
    folder, made = cell("end_to_end", "jpeg")
    assert models.load(folder, made).settings.degradation.kind == "jpeg"


def test_a_lease_shows_torch_one_device():
    code = (
        "import os, sys; from ecot.machine.leases import lease\n"
        "with lease('cuda', 1):\n"
        "    assert 'torch' not in sys.modules; import torch\n"
        "    print(torch.cuda.device_count(), os.environ['CUDA_VISIBLE_DEVICES'][:4])"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SLURM")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout in ("1 GPU-\n", "1 MIG-\n")


def test_training_on_a_gpu_learns_what_the_cpu_learns(datasets, settings):
    """The same cell on both: the last epoch's distortion agrees to a few percent, noise and rounding apart."""
    mode = {"end_to_end": {"epochs": 4, "decays": {1: None, 3: 5.0}}}
    made = settings(change={"tasks": {"super_resolution": {"modes": mode}}, "training": {"batch_size": 16}})
    images = load(datasets / "mnist_sample.npz", "train", 1024).images
    last = []
    for device in (torch.device("cpu"), devices.choose("cuda", precision="tf32")):
        last.append(fit(make_trainer(made, device), Feed(images, made, device))[-1]["distortion"])
    assert last[1] == pytest.approx(last[0], rel=0.05)
    assert np.isfinite(last).all()
