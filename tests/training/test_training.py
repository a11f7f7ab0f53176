"""Training a cell: the two players, what it writes, and what it does when something is wrong."""

import json
import logging
import re

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from ecot.cells import CellSettings
from ecot.config import Compute
from ecot.data.datasets import load
from ecot.errors import EcotError
from ecot.training import checkpoint, devices, systems
from ecot.training.cell import make_trainer, train
from ecot.training.feed import Feed
from ecot.training.loop import fit
from ecot.training.objectives import gradient_penalty, squared_error, wasserstein_1

CPU = torch.device("cpu")


@pytest.fixture
def pair(datasets, settings):
    """A trainer and its feed."""

    def make(**cell):
        made = settings(**cell)
        return make_trainer(made, CPU), Feed(load(datasets / f"{made.dataset}.npz", "train", 128).images, made, CPU)

    return make


def parameters(module):
    return torch.cat([p.detach().flatten().clone() for p in module.parameters()])


def test_objective_terms_are_their_definitions(pair):
    trainer, feed = pair()
    batch = next(feed.epoch(1))
    generated = trainer.system(batch.x, batch.u).output.detach()
    h = trainer.critic
    x, g = batch.x.numpy(), generated.numpy()
    assert float(squared_error(batch.x, generated)) == pytest.approx(float(((x - g) ** 2).mean()), rel=1e-5)
    expected = float((h(batch.clean).mean() - h(generated).mean()).detach())
    assert float(wasserstein_1(h, batch.clean, generated)) == pytest.approx(expected)
    points = (batch.position * generated + (1 - batch.position) * batch.clean).requires_grad_()
    (gradient,) = torch.autograd.grad(h(points).sum(), points, create_graph=True)
    reference = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
    assert float(gradient_penalty(h, batch.clean, generated, batch.position)) == pytest.approx(
        float(reference.detach()), rel=1e-5
    )


def test_each_step_moves_its_own_player_only(pair):
    trainer, feed = pair()
    batch = next(feed.epoch(1))
    system, critic = parameters(trainer.system), parameters(trainer.critic)
    trainer.critic_step(batch)
    assert torch.equal(parameters(trainer.system), system)
    assert not torch.equal(parameters(trainer.critic), critic)
    critic = parameters(trainer.critic)
    trainer.generator_step(batch)
    assert not torch.equal(parameters(trainer.system), system)
    assert torch.equal(parameters(trainer.critic), critic)


def test_the_critic_learns_to_tell_and_the_weight_matters(pair):
    """On fixed batches the critic's estimate grows; a large lambda changes what the system does."""
    trainer, feed = pair()
    batch = next(feed.epoch(1))
    estimates = [float(trainer.critic_step(batch)["wasserstein"]) for _ in range(20)]
    assert estimates[-1] > estimates[0] + 0.01
    other, _ = pair(change={"tasks": {"super_resolution": {"modes": {"end_to_end": {"distribution_weight": 10.0}}}}})
    other.critic.load_state_dict(trainer.critic.state_dict())
    for player in (trainer, other):
        player.generator_step(batch)
    assert not torch.equal(parameters(trainer.system), parameters(other.system))


def test_critic_and_generator_alternate(pair):
    trainer, feed = pair()
    batch = next(feed.epoch(1))
    losses = [list(trainer.step(number, batch)) for number in range(4)]
    assert losses == [["wasserstein", "penalty"], ["distortion"]] * 2


def test_without_a_weight_there_is_no_critic(pair):
    trainer, feed = pair(
        change={"tasks": {"super_resolution": {"modes": {"end_to_end": {"distribution_weight": 0.0}}}}}
    )
    assert trainer.critic is None
    assert [list(trainer.step(number, batch)) for number, batch in enumerate(feed.epoch(1))] == [["distortion"]] * 2


def test_the_rate_is_divided_once(pair):
    change = {"epochs": 4, "decay_epoch": 2, "decay_factor": 5.0, "learning_rate": 1e-3}
    trainer, feed = pair(change={"tasks": {"super_resolution": {"modes": {"end_to_end": change}}}})
    assert [row["learning_rate"] for row in fit(trainer, feed)] == pytest.approx([1e-3, 1e-3, 2e-4, 2e-4])


def test_training_lowers_the_distortion(pair):
    change = {"epochs": 12, "decay_epoch": 11, "learning_rate": 3e-3}
    trainer, feed = pair(change={"tasks": {"super_resolution": {"modes": {"end_to_end": change}}}})
    history = fit(trainer, feed)
    assert history[-1]["distortion"] < 0.6 * history[0]["distortion"]


def test_a_cell_writes_its_files_and_the_same_seed_the_same_model(datasets, settings, tmp_path, caplog):
    made = settings()
    with caplog.at_level(logging.INFO):
        for name in ("a", "b"):
            train(made, datasets / "mnist_sample.npz", "auto", Compute(), tmp_path / name)
    assert any(message.startswith("device: ") for message in caplog.messages)
    assert any("epoch 2/2: distortion" in message for message in caplog.messages)
    files = {path.name for path in (tmp_path / "a").iterdir()}
    assert files == {"model.safetensors", "config.yaml", "history.csv", "run.json"}
    models = [checkpoint.load(tmp_path / name / "model.safetensors").tensors for name in ("a", "b")]
    assert all(torch.equal(models[0][name], models[1][name]) for name in models[0])
    assert CellSettings.model_validate(yaml.safe_load((tmp_path / "a/config.yaml").read_text())) == made
    history = pd.read_csv(tmp_path / "a/history.csv")
    assert history.epoch.tolist() == [1, 2]
    assert np.isfinite(history[["distortion", "wasserstein", "penalty", "images_per_second"]]).all(axis=None)
    run = json.loads((tmp_path / "a/run.json").read_text())
    assert run["torch"] == torch.__version__
    assert {"seconds", "images_per_second", "peak_memory_mb", "device", "dataset_sha256", "model_sha256"} <= set(run)


def test_a_device_is_described_by_its_name():
    assert re.fullmatch(r"cpu \(\d+ threads, \S.*\)", devices.describe(CPU))


def test_other_seed_other_model(datasets, settings, tmp_path):
    for seed in (0, 1):
        train(settings(seed=seed), datasets / "mnist_sample.npz", "cpu", Compute(), tmp_path / str(seed))
    models = [checkpoint.load(tmp_path / str(seed) / "model.safetensors").tensors for seed in (0, 1)]
    assert not torch.equal(*(model["compressor.encoder.layers.0.weight"] for model in models))


def test_a_loss_that_is_not_finite_leaves_no_model(datasets, settings, tmp_path):
    made = settings(change={"tasks": {"super_resolution": {"modes": {"end_to_end": {"learning_rate": 1e30}}}}})
    with pytest.raises(EcotError, match=r"epoch [12]: the loss is not finite .*no model is kept"):
        train(made, datasets / "mnist_sample.npz", "cpu", Compute(), tmp_path / "cell")
    assert not (tmp_path / "cell").exists()


def test_a_data_set_of_another_shape_is_refused(datasets, settings, tmp_path):
    with pytest.raises(EcotError, match=r"images of shape \(3, 32, 32\), the task's networks take \(1, 28, 28\)"):
        train(settings(), datasets / "street_digits_sample.npz", "cpu", Compute(), tmp_path / "cell")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(EcotError, match=r"device: cuda is not available to torch .* write auto or cpu"):
        devices.choose("cuda")
    assert devices.choose("auto").type in ("cpu", "mps")


def test_damaged_models_are_refused_by_name(settings, tmp_path):
    path = tmp_path / "model.safetensors"
    with pytest.raises(EcotError, match="is missing; train its cell first"):
        checkpoint.load(path)
    checkpoint.save(path, checkpoint.Model(settings(), systems.build(settings()).state_dict()), {})
    assert checkpoint.load(path).settings == settings()
    whole = path.read_bytes()
    for damaged in (whole[:-10], b"", b"\x80\x04\x95pickle", whole.replace(b"settings", b"sittengs")):
        path.write_bytes(damaged)
        with pytest.raises(EcotError, match=r"model\.safetensors is damaged or not of this project"):
            checkpoint.load(path)
