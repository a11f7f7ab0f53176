"""The networks against Tables 12-15 and fidelity facts: sizes, parameter counts, ranges."""

import importlib

import pytest
import torch

from ecot.tasks import TASKS

PAPER = {"super_resolution": (16, (472_208, 328_129, 1_030_145)), "denoising": (38, (1_184_934, 648_967, 1_033_345))}


def family(name):
    """The networks that a task names."""
    return importlib.import_module(TASKS[name].networks)


@pytest.mark.parametrize("name", PAPER)
def test_parameter_counts_are_the_papers(name):
    latent_dim, counts = PAPER[name]
    networks = family(name)
    made = networks.encoder(latent_dim, 1.0), networks.decoder(latent_dim, 1.0), networks.critic(1.0)
    assert tuple(sum(p.numel() for p in network.parameters()) for network in made) == counts


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("width", [0.1, 0.25, 1.0])
def test_shapes_and_ranges(name, width):
    networks = family(name)
    x = torch.randn(3, *TASKS[name].image_shape)
    z = networks.encoder(5, width)(x)
    assert z.shape == (3, 5)
    assert z.abs().max() < 1
    for y in (networks.decoder(5, width)(z), networks.branch_decoder(5, width)(z), networks.restorer(width)(x)):
        assert y.shape == x.shape
        assert 0 <= y.min() <= y.max() <= 1
    assert networks.critic(width)(x).shape == (3,)


@pytest.mark.parametrize("name", PAPER)
def test_width_scales_the_work(name):
    networks = family(name)
    count = [sum(p.numel() for p in networks.critic(width).parameters()) for width in (0.5, 1.0)]
    assert count[1] / count[0] == pytest.approx(4, rel=0.1)


@pytest.mark.parametrize("name", PAPER)
def test_batch_normalisation_is_in_the_decoder_only_and_not_before_the_sigmoid(name):
    networks = family(name)
    parts = {
        "encoder": networks.encoder(4, 0.25),
        "decoder": networks.decoder(4, 0.25),
        "critic": networks.critic(0.25),
    }
    norms = {
        part: [type(m).__name__ for m in network.modules() if "BatchNorm" in type(m).__name__]
        for part, network in parts.items()
    }
    assert norms["encoder"] == norms["critic"] == []
    transposed = sum(isinstance(m, torch.nn.ConvTranspose2d) for m in networks.decoder(4, 0.25).modules())
    assert norms["decoder"] == ["BatchNorm1d"] * 2 + ["BatchNorm2d"] * (transposed - 1)


@pytest.mark.parametrize("name", PAPER)
def test_written_out_input_gradient_is_autograds(name):
    """Value, and gradient in the parameters, of the gradient penalty against create_graph=True."""
    torch.manual_seed(0)
    networks = family(name)
    critic = networks.critic(0.25).double()
    y = torch.randn(4, *TASKS[name].image_shape, dtype=torch.float64, requires_grad=True)
    (reference,) = torch.autograd.grad(critic(y).sum(), y, create_graph=True)
    written = critic.input_gradient(y.detach())
    torch.testing.assert_close(written, reference, rtol=1e-6, atol=1e-10)

    def parameter_gradients(gradient):
        penalty = (gradient.flatten(1).norm(dim=1) - 1).square().mean()
        return torch.autograd.grad(penalty, list(critic.parameters()), allow_unused=True)

    for ours, theirs in zip(parameter_gradients(written), parameter_gradients(reference), strict=True):
        # Biases move the gradient only through the slopes, hence not at all: unused, or zero.
        ours, theirs = (torch.zeros((), dtype=torch.float64) if g is None else g for g in (ours, theirs))
        torch.testing.assert_close(ours.expand_as(theirs), theirs, rtol=1e-5, atol=1e-10)
