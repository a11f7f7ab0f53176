"""The degraded test set against its definition, in NumPy and in torch."""

import numpy as np
import pytest

from ecot.coding import randomness
from ecot.degradations import KINDS, degradation
from ecot.evaluation.degraded import batches

SEED = 5
SETTINGS = {
    "resampling": {"kind": "resampling"},
    "noise": {"kind": "gaussian_noise", "std": 20.0},
    "clipped noise": {"kind": "gaussian_noise", "std": 200.0, "clip": True},
    "jpeg": {"kind": "jpeg"},
}


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (30, 3, 32, 32), np.uint8)


def settings(kind):
    values = SETTINGS[kind]
    return KINDS[values["kind"]].settings.model_validate(values)


def joined(found):
    found = list(found)
    return [np.concatenate([np.asarray(getattr(batch, name)) for batch in found]) for name in ("x", "y", "u")]


@pytest.mark.parametrize("kind", SETTINGS)
def test_definition(images, kind):
    x, y, u = joined(batches(images, settings(kind), SEED, 7, dithers=2, latent_dim=3, levels=4))
    assert [array.dtype for array in (x, y, u)] == [np.float32] * 3
    np.testing.assert_array_equal(y, images.astype(np.float32) / np.float32(255))
    # All noise in one call: what the bounds drew before there was one function for all.
    stream = np.random.Generator(np.random.Philox(key=randomness.key(SEED, "test noise")))
    noise = stream.standard_normal(images.shape, np.float32)
    operator = degradation(settings(kind), 32)
    prepared = operator.prepare(images)
    expected = operator.apply(y, None if prepared is None else prepared.astype(np.float32) / np.float32(255), noise)
    np.testing.assert_allclose(x, expected, atol=1e-6 if kind == "resampling" else 0)
    assert (x != y).mean() > 0.5
    assert kind != "clipped noise" or (x.min(), x.max()) == (0, 1)
    for i in range(2):
        own = randomness.dither(randomness.key(SEED, "test dither", i), 30, 3, 4)
        np.testing.assert_array_equal(u[:, i], own)


@pytest.mark.parametrize("kind", SETTINGS)
def test_draws_do_not_depend_on_the_size_of_the_batches(images, kind):
    whole, parts = (joined(batches(images, settings(kind), SEED, size, dithers=1, latent_dim=3)) for size in (30, 4))
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6 if kind == "resampling" else 0)


@pytest.mark.parametrize("kind", SETTINGS)
def test_torch_gets_the_same_images(images, kind):
    import torch

    in_numpy = joined(batches(images, settings(kind), SEED, 30, dithers=1, latent_dim=3))
    (batch,) = batches(images, settings(kind), SEED, 30, dithers=1, latent_dim=3, convert=torch.from_numpy)
    assert isinstance(batch.x, torch.Tensor)
    for one, other in zip(in_numpy, (batch.x, batch.y, batch.u), strict=True):
        np.testing.assert_allclose(one, other.numpy(), atol=1e-6 if kind == "resampling" else 0)


def test_another_seed_draws_other_noise_and_dither(images):
    (one,), (other,) = (
        list(batches(images, settings("noise"), seed, 30, dithers=2, latent_dim=3)) for seed in (0, 1)
    )
    assert (one.x != other.x).mean() > 0.99
    assert (one.u != other.u).all()
    assert (one.u[:, 0] != one.u[:, 1]).all()


def test_without_dither_u_is_empty(images):
    (batch,) = batches(images, settings("noise"), SEED, 30)
    assert batch.u.shape == (30, 0, 0)
