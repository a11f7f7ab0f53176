"""Degradations against torch's own resampling and against their definition."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from ecot.config import GaussianNoise, Resampling
from ecot.data.degradations import operator, resize_matrix
from ecot.errors import EcotError


@pytest.mark.parametrize("interpolation", ["nearest", "area", "bilinear", "bicubic"])
@pytest.mark.parametrize(("side", "factor"), [(28, 4), (28, 2), (32, 4), (32, 8)])
def test_resampling_is_torchs(interpolation, side, factor):
    y = torch.rand(3, 2, side, side, generator=torch.Generator().manual_seed(0))
    options = {} if interpolation in ("nearest", "area") else {"align_corners": False}
    small = F.interpolate(y, size=side // factor, mode=interpolation, **options)
    expected = F.interpolate(small, size=side, mode=interpolation, **options)
    degrade = operator(Resampling(kind="resampling", factor=factor, interpolation=interpolation), side)
    np.testing.assert_allclose(degrade(y.numpy()), expected.numpy(), atol=3e-6)


def test_bicubic_overshoots_and_clip_cuts():
    y = np.zeros((1, 28, 28), np.float32)
    y[:, :, 14:] = 1
    x = operator(Resampling(kind="resampling"), 28)(y)
    assert x.min() < -0.05
    assert x.max() > 1.05
    clipped = operator(Resampling(kind="resampling", clip=True), 28)(y)
    assert clipped.min() == 0
    assert clipped.max() == 1


@pytest.mark.parametrize("interpolation", ["nearest", "area", "bilinear", "bicubic"])
def test_constant_images_are_kept(interpolation):
    np.testing.assert_allclose(resize_matrix(7, 28, interpolation).sum(1), 1, atol=1e-12)
    np.testing.assert_allclose(resize_matrix(28, 7, interpolation).sum(1), 1, atol=1e-12)


def test_noise_has_the_stated_deviation():
    y = np.full((500, 32, 32), 0.5, np.float32)
    noise = np.random.default_rng(0).standard_normal(y.shape, np.float32)
    x = operator(GaussianNoise(kind="gaussian_noise", std=20.0), 32)(y, noise)
    assert (x - y).std() == pytest.approx(20 / 255, rel=0.01)
    assert operator(GaussianNoise(kind="gaussian_noise", std=200.0, clip=True), 32)(y, noise).max() == 1


def test_factor_must_divide():
    with pytest.raises(EcotError, match="5 does not divide the image side 28"):
        operator(Resampling(kind="resampling", factor=5), 28)
