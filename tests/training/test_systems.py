"""The modes: what is frozen stays so, what is reported is its definition, and Theorem 1's identity holds."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from ecot.cells import MeasurementSettings
from ecot.config import Compute
from ecot.data.datasets import load
from ecot.errors import EcotError
from ecot.evaluation.cell import evaluate
from ecot.training import checkpoint, systems
from ecot.training.cell import train
from ecot.training.feed import Feed
from ecot.training.objectives import squared_error
from ecot.training.systems import EndToEnd, Joint
from ecot.training.trainer import Trainer

HOW = MeasurementSettings(n_test=64, seed=0, n_samples=4, critic_steps=2)
GAPS = ["gelbrich", "sliced_w2", "frechet_distance", "kernel_distance", "classifier_accuracy", "critic_w1"]
STANDS_ON = {"joint": "end_to_end", "separate": "end_to_end", "baseline": "restoration"}
TASKS = ["super_resolution", "denoising"]


@pytest.fixture
def cell(datasets, settings, tmp_path):
    """Train a cell of a mode, and what it stands on; its folder and settings."""

    def make(mode, task="super_resolution", **more):
        made, folder = settings(mode=mode, task=task, **more), tmp_path / mode
        frozen = None
        if mode in STANDS_ON:
            frozen, _ = make(STANDS_ON[mode], task, randomness="independent")
        train(made, datasets / f"{made.dataset}.npz", "cpu", Compute(), folder, frozen)
        return folder, made

    return make


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("mode", ["end_to_end", *STANDS_ON, "restoration"])
def test_every_mode_trains_and_is_measured(cell, datasets, classifiers, mode, task):
    folder, settings = cell(mode, task)
    evaluate(folder, datasets / f"{settings.dataset}.npz", classifiers[settings.dataset], HOW, "cpu")
    row = pd.read_csv(folder / "metrics.csv").iloc[0]
    assert row["mode"] == mode
    assert 0 < row.mse_input < 1
    assert 0 < row.mse_target < 1
    assert row[GAPS].notna().all()
    if mode in ("joint", "separate"):
        assert row.loss_decomposed == pytest.approx(row.mse_x_y1 + row.mse_y_y2 + row.mse_y1_y2)
    assert pd.isna(row.rate_bits) == (mode == "restoration")


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("mode", STANDS_ON)
def test_the_frozen_model_is_carried_along_unchanged(cell, tmp_path, mode, task):
    folder, _ = cell(mode, task)
    before = checkpoint.load(tmp_path / STANDS_ON[mode] / "model.safetensors").tensors
    after = checkpoint.load(folder / "model.safetensors").tensors
    assert before
    assert all(torch.equal(tensor, after[f"frozen.{name}"]) for name, tensor in before.items())
    assert any(not name.startswith("frozen.") for name in after)


@pytest.mark.parametrize("mode", STANDS_ON)
def test_a_wrong_frozen_model_is_refused_by_name(cell, datasets, settings, tmp_path, mode):
    folder, _ = cell(STANDS_ON[mode], randomness="independent")
    out = tmp_path / "out"

    def refused(message, made=None, frozen=folder):
        made = made or settings(mode=mode)
        with pytest.raises(EcotError, match=message):
            train(made, datasets / f"{made.dataset}.npz", "cpu", Compute(), out, frozen)
        assert not out.exists()

    refused(f"mode {mode} stands on a trained model; say in which folder", frozen=None)
    refused("is missing; train its cell first", frozen=tmp_path / "elsewhere")
    refused("seed is 0, not 1", settings(mode=mode, seed=1))
    refused(r"width is 0\.1, not 0\.2", settings(mode=mode, change={"tasks": {"super_resolution": {"width": 0.2}}}))
    if mode != "baseline":
        refused("rate_bits is 8, not 4", settings(mode=mode, rate=4))
    refused("task is super_resolution, not denoising", settings(mode=mode, task="denoising"))
    tensors = checkpoint.load(folder / "model.safetensors")
    for tensor in tensors.tensors.values():
        tensor += 1
    checkpoint.save(folder / "model.safetensors", tensors, {})
    refused("has changed since its training")
    (folder / "run.json").write_text(json.dumps({}))
    refused("has no checksum in its run.json")


def _trainer_and_batch(settings, datasets, mode):
    made = settings(mode=mode)
    torch.manual_seed(0)
    trainer = Trainer(systems.build(made), None, made)
    return trainer, next(
        Feed(load(datasets / "mnist_sample.npz", "train", 128).images, made, torch.device("cpu")).epoch(1)
    )


def test_the_branches_share_the_frozen_systems_code(settings, datasets):
    """Y_tilde, Y1 and Y2 come of one Z, Y_tilde with the decoder's dither subtracted; the frozen system is fixed."""
    trainer, batch = _trainer_and_batch(settings, datasets, "joint")
    system = trainer.system.train()
    assert not system.frozen.training
    assert system.decoder_1.training
    seen = []
    for part in (system.decoder_1, system.decoder_2, system.frozen.compressor.decoder):
        part.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    system(batch.x, batch.u)
    z_tilde, z1, z2 = seen
    assert z1 is z2
    spacing = 2 / (system.frozen.compressor.levels - 1)
    steps = (z1 + 1) / spacing
    torch.testing.assert_close(steps, steps.round())  # a quantised code, without dither
    torch.testing.assert_close(z_tilde, z1 - batch.u[:, -1])


def test_separate_training_leaves_the_term_c_alone(settings, datasets):
    """No gradient of (a) reaches the second pair, nor of (b) the first; (c) is reported only."""
    trainer, batch = _trainer_and_batch(settings, datasets, "separate")
    outcome = trainer.system(batch.x, batch.u)
    assert set(outcome.terms) == {"mse_x_y1", "mse_y_y2"}
    assert set(outcome.reported) == {"loss_decomposed", "mse_y1_y2"}
    for term, own, other in (
        ("mse_x_y1", "compressor_1", "compressor_2"),
        ("mse_y_y2", "compressor_2", "compressor_1"),
    ):
        mine, theirs = (list(getattr(trainer.system, name).parameters()) for name in (own, other))
        gradients = torch.autograd.grad(outcome.terms[term], mine + theirs, allow_unused=True, retain_graph=True)
        assert all(g is not None for g in gradients[: len(mine)])
        assert all(g is None for g in gradients[len(mine) :])


def test_a_critic_may_judge_the_second_branch(settings, datasets):
    """Table 4 lists a critic; (18) has none, nor has the default."""
    assert settings(mode="joint").schedule.distribution_weight == 0
    change = {"tasks": {"super_resolution": {"modes": {"joint": {"distribution_weight": 0.01}}}}}
    assert settings(mode="joint", change=change).schedule.distribution_weight == 0.01


class _Table(nn.Module):
    """A network that looks its output up."""

    def __init__(self, rows):
        super().__init__()
        self.rows = rows

    def forward(self, z):
        return self.rows[z.flatten().round().long()]


def test_theorem_1_on_a_finite_source():
    """E||X - Y_tilde||^2 is the sum of the three terms when the branches are conditional means (17).

    X takes 6 values, Z = f(X) 3, and Y_tilde = g(Z, V) depends on decoder randomness V: everything
    is enumerated. With Y1 = E[X | Z] and Y2 = E[Y_tilde | Z] the identity is exact; with any other
    branches it fails. The system under test is the one that is trained.
    """
    random = np.random.default_rng(0)
    x_values, outputs = random.normal(size=(6, 5)), random.normal(size=(3, 2, 5))
    encoding = np.array([0, 0, 1, 1, 1, 2])
    cases = list(itertools.product(range(6), range(2)))  # X and V, independent and uniform
    z = torch.tensor([[encoding[i]] for i, _ in cases], dtype=torch.float64)
    x = torch.from_numpy(np.array([x_values[i] for i, _ in cases]))
    y_tilde = torch.from_numpy(np.array([outputs[encoding[i], v] for i, v in cases]))

    class Frozen(nn.Module):
        def code(self, x, u1):
            return z

        def decoder(self, representation):
            return y_tilde

    def decomposed(y1, y2):
        system = Joint(EndToEnd(Frozen()), _Table(torch.from_numpy(y1)), _Table(torch.from_numpy(y2)))
        return float(system(x, torch.zeros(len(cases), 2, 1)).reported["loss_decomposed"])

    x_hat = np.array([x_values[encoding == k].mean(0) for k in range(3)])
    y_hat = outputs.mean(1)
    end_to_end = float(squared_error(x, y_tilde))
    assert decomposed(x_hat, y_hat) == pytest.approx(end_to_end, abs=1e-12)
    assert decomposed(x_hat + 0.1, y_hat) != pytest.approx(end_to_end, abs=1e-4)
    assert decomposed(x_hat, y_hat + 0.1) != pytest.approx(end_to_end, abs=1e-4)
