"""bfloat16: which parts of a step are computed in it, and that training with it learns the same."""

import pytest
import torch
from torch import nn

from ecot.data.arrays import load
from ecot.engine.feed import Feed
from ecot.engine.loop import fit
from ecot.engine.training import make_trainer
from ecot.modes import MODES
from ecot.systems import objectives

CPU = torch.device("cpu")
PRECISIONS = ["float32", "bfloat16"]


@pytest.fixture
def pair(datasets, settings):
    """A trainer of a precision and its feed."""

    def make(precision, **cell):
        made = settings(**cell, change={"training": {"precision": precision, "batch_size": 16}})
        return make_trainer(made, CPU), Feed(load(datasets / f"{made.dataset}.npz", "train", 128).images, made, CPU)

    return make


def outputs(network):
    """The type that each layer of a network gives, filled in by its passes."""
    found = {}

    def note(name):
        return lambda module, inputs, output: found.setdefault(name, set()).add(output.dtype)

    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | nn.Tanh | nn.Sigmoid):
            module.register_forward_hook(note(f"{type(module).__name__} {name}"))
    return found


@pytest.mark.parametrize("task", ["super_resolution", "denoising"])
@pytest.mark.parametrize("mode", MODES)
def test_products_are_bfloat16_and_the_rest_float32(pair, mode, task):
    """Latents, images, losses, scores, weights, moments and running statistics keep their digits."""
    trainer, feed = pair("bfloat16", mode=mode, task=task)
    players = [trainer.system] if trainer.critic is None else [trainer.system, trainer.critic]
    seen = [outputs(player) for player in players]
    for number, batch in zip(range(2), feed.epoch(1), strict=False):
        losses = trainer.step(number, batch)
        assert {loss.dtype for loss in losses.values()} == {torch.float32}
    types = {name: dtypes for found in seen for name, dtypes in found.items()}
    for name, dtypes in types.items():
        assert dtypes == {torch.float32 if name.startswith(("Tanh", "Sigmoid")) else torch.bfloat16}, name
    with torch.no_grad():
        assert trainer.system(batch.x, batch.u).output.dtype == torch.float32
    assert {tensor.dtype for tensor in trainer.tensors().values()} <= {torch.float32, torch.int64}


def test_the_norms_of_the_penalty_are_float32(pair, monkeypatch):
    """Of gradients that are computed in bfloat16, at points that are not rounded."""
    trainer, feed = pair("bfloat16")
    norm, points, gradients = torch.linalg.vector_norm, [], []
    chain = trainer.critic.input_gradient
    monkeypatch.setattr(trainer.critic, "input_gradient", lambda y: points.append(y) or chain(y))
    monkeypatch.setattr(
        objectives.torch.linalg, "vector_norm", lambda g, **more: gradients.append(norm(g, **more)) or gradients[-1]
    )
    trainer.critic_step(next(feed.epoch(1)))
    (between,), (norms,) = points, gradients
    assert between.dtype == norms.dtype == torch.float32
    assert not torch.equal(between, between.bfloat16().float())


def test_each_step_sees_the_weights_that_the_last_one_left(pair):
    """A context that keeps the cast weights would show the networks their first ones for ever."""
    trainer, feed = pair("bfloat16")
    batch = next(feed.epoch(1))
    estimates = [float(trainer.critic_step(batch)["wasserstein"]) for _ in range(20)]
    assert estimates[-1] > estimates[0] + 0.01
    errors = [float(trainer.generator_step(batch)["distortion"]) for _ in range(20)]
    assert errors[-1] < errors[0]


def test_one_step_moves_the_weights_as_in_float32(pair):
    """The gradients of both players point the same way, within the 8 bits of a bfloat16."""
    moved = {}
    for precision in PRECISIONS:
        trainer, feed = pair(precision)
        batch = next(feed.epoch(1))
        trainer.critic_step(batch)
        trainer.generator_step(batch)
        moved[precision] = trainer.adams
    for player in ("critic", "system"):
        full, rounded = (  # Adam's first means are the gradients times 1 - beta_1
            torch.cat([mean.flatten() for mean in moved[precision][player].means]) for precision in PRECISIONS
        )
        assert torch.cosine_similarity(full, rounded, dim=0) > 0.98
        assert not torch.equal(full, rounded)


def test_training_in_bfloat16_ends_near_training_in_float32(pair):
    ends = [fit(*pair(precision))[-1] for precision in PRECISIONS]
    assert ends[1]["distortion"] == pytest.approx(ends[0]["distortion"], rel=0.03)
    assert ends[1]["penalty"] == pytest.approx(ends[0]["penalty"], rel=0.05)
    assert ends[1]["distortion"] != ends[0]["distortion"]
