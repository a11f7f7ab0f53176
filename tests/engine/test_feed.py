"""What a training is fed: fresh, reproducible, and of one cell alone."""

import numpy as np
import pytest
import torch

from ecot.data.arrays import load
from ecot.degradations import degradation
from ecot.degradations.gaussian_noise import GaussianNoise
from ecot.engine.feed import Feed
from ecot.errors import EcotError

CPU = torch.device("cpu")


@pytest.fixture
def feed(datasets, settings):
    def make(**cell):
        made = settings(**cell)
        return Feed(load(datasets / f"{made.dataset}.npz", "train", 128).images, made, CPU)

    return make


def test_same_seed_same_batches_and_each_epoch_its_own(feed):
    for first, again in zip(feed().epoch(3), feed().epoch(3), strict=True):
        for name in ("x", "clean", "u", "position"):
            assert torch.equal(getattr(first, name), getattr(again, name))
    one, other = next(feed().epoch(1)), next(feed().epoch(2))
    assert not torch.equal(one.x, other.x)
    assert not torch.equal(one.u, other.u)


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"rate": 4}, {"randomness": "independent"}], ids=["seed", "rate", "randomness"]
)
def test_no_two_cells_share_a_stream(feed, change):
    one, other = next(feed().epoch(1)), next(feed(**change).epoch(1))
    assert not torch.equal(one.x, other.x)
    assert not torch.equal(one.position, other.position)
    assert not torch.equal(one.u[:, 0, :2], other.u[:, 0, :2])


def test_dither_is_shared_with_common_randomness_only(feed):
    common, independent = next(feed().epoch(1)), next(feed(randomness="independent").epoch(1))
    assert common.u.shape == (64, 1, 4)
    assert independent.u.shape == (64, 2, 4)
    assert abs(np.corrcoef(independent.u[:, 0].ravel(), independent.u[:, 1].ravel())[0, 1]) < 0.2


@pytest.mark.parametrize(("mode", "draws"), [("joint", 5), ("separate", 6), ("restoration", 0), ("baseline", 1)])
def test_each_system_draws_what_it_needs(feed, mode, draws):
    u = next(feed(mode=mode).epoch(1)).u
    assert u.shape == (64, draws, 0 if mode == "restoration" else 4)
    assert len({tuple(u[:, i].ravel().tolist()) for i in range(draws)}) == draws


def test_an_epoch_visits_each_image_once(feed):
    made = feed(task="denoising", change={"tasks": {"denoising": {"degradation": {"std": 0.0}}}})
    visited = torch.cat([batch.x for batch in made.epoch(1)])
    assert len(visited) == made.steps * 64 == 128
    assert len(torch.unique(visited.flatten(1), dim=0)) == len(torch.unique(made.images.flatten(1), dim=0))


def test_noise_is_fresh_at_every_visit(feed):
    made = feed(task="denoising", change={"training": {"critic_batches": "paired"}})
    noises = []
    for epoch in (1, 2):
        batches = list(made.epoch(epoch))
        x, y = torch.cat([b.x for b in batches]), torch.cat([b.clean for b in batches])
        order = torch.argsort(y.flatten(1) @ torch.linspace(0, 1, 3072))
        noises.append((x - y)[order])
    assert float(noises[0].std()) == pytest.approx(20 / 255, rel=0.01)
    assert abs(np.corrcoef(noises[0].ravel(), noises[1].ravel())[0, 1]) < 0.01


def test_a_degradation_that_prepares_its_images_gives_the_prepared_ones(feed, datasets):
    """X is the codec's image of the very Y beside it, the same at every visit."""
    made = feed(task="jpeg", change={"training": {"critic_batches": "paired"}})
    images = load(datasets / "street_digits_sample.npz", "train", 128).images
    prepared = degradation(made.settings.degradation, 32).prepare(images)
    expected = {image.tobytes(): row for image, row in zip(images, prepared, strict=True)}
    for epoch in (1, 2):
        for batch in made.epoch(epoch):
            y, x = ((part * 255).round().byte().numpy() for part in (batch.clean, batch.x))
            assert all(np.array_equal(row, expected[image.tobytes()]) for image, row in zip(y, x, strict=True))
            assert (x != y).mean() > 0.5


def test_noise_is_what_the_degradation_draws(feed, monkeypatch):
    """The rule for noise is the degradation's: training asks for it and draws none of its own."""
    monkeypatch.setattr(GaussianNoise, "draw_noise", lambda self, normal: torch.ones_like(normal()))
    made = feed(task="denoising", change={"training": {"critic_batches": "paired"}})
    batch = next(made.epoch(1))
    torch.testing.assert_close(batch.x - batch.clean, torch.full_like(batch.x, 20 / 255), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("batches", "paired"), [("paired", True), ("unpaired", False)])
def test_critic_batches(feed, batches, paired):
    """Paired: the clean images behind X. Unpaired: drawn on their own."""
    made = feed(
        task="denoising",
        change={"training": {"critic_batches": batches}, "tasks": {"denoising": {"degradation": {"std": 0.0}}}},
    )
    same = [torch.equal(batch.x, batch.clean) for batch in made.epoch(1)]
    assert all(same) if paired else not any(same)


@pytest.mark.parametrize(("weight", "enough"), [(0.0, 64), (0.1, 128)])
def test_too_few_images_for_a_step_of_each_network(datasets, settings, weight, enough):
    mode = {"end_to_end": {"distribution_weight": weight}}
    made = settings(change={"tasks": {"super_resolution": {"modes": mode}}})
    Feed(load(datasets / "mnist_sample.npz", "train", enough).images, made, CPU)
    with pytest.raises(EcotError, match=rf"training\.batch_size: 64 is too large for {enough - 1} training images"):
        Feed(load(datasets / "mnist_sample.npz", "train", enough - 1).images, made, CPU)
