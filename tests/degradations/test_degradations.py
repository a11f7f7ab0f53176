"""Degradations against torch's own resampling, a real JPEG codec, and their definitions."""

import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from ecot import degradations
from ecot.degradations import KINDS, degradation
from ecot.degradations.gaussian_noise import GaussianNoiseSettings
from ecot.degradations.jpeg import JpegSettings
from ecot.degradations.resampling import ResamplingSettings, resize_matrix
from ecot.errors import EcotError

INTERPOLATIONS = ["nearest", "area", "bilinear", "bicubic"]


def resampling(side=28, **settings):
    return degradation(ResamplingSettings(kind="resampling", **settings), side)


def gaussian_noise(**settings):
    return degradation(GaussianNoiseSettings(kind="gaussian_noise", **settings), 32)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize(("side", "factor"), [(28, 4), (28, 2), (32, 4), (32, 8)])
def test_resampling_is_torchs(interpolation, side, factor):
    y = torch.rand(3, 2, side, side, generator=torch.Generator().manual_seed(0))
    options = {} if interpolation in ("nearest", "area") else {"align_corners": False}
    small = F.interpolate(y, size=side // factor, mode=interpolation, **options)
    expected = F.interpolate(small, size=side, mode=interpolation, **options)
    degrade = resampling(side, factor=factor, down=interpolation, up=interpolation)
    np.testing.assert_allclose(degrade.apply(y.numpy(), None, None), expected.numpy(), atol=3e-6)


def test_bicubic_overshoots_and_clip_cuts():
    y = np.zeros((1, 28, 28), np.float32)
    y[:, :, 14:] = 1
    x = resampling().apply(y, None, None)
    assert x.min() < -0.05
    assert x.max() > 1.05
    clipped = resampling(clip=True).apply(y, None, None)
    assert clipped.min() == 0
    assert clipped.max() == 1


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
def test_constant_images_are_kept(interpolation):
    np.testing.assert_allclose(resize_matrix(7, 28, interpolation).sum(1), 1, atol=1e-12)
    np.testing.assert_allclose(resize_matrix(28, 7, interpolation).sum(1), 1, atol=1e-12)


def test_noise_has_the_stated_deviation():
    y = np.full((500, 32, 32), 0.5, np.float32)
    noise = np.random.default_rng(0).standard_normal(y.shape, np.float32)
    x = gaussian_noise(std=20.0).apply(y, None, noise)
    assert (x - y).std() == pytest.approx(20 / 255, rel=0.01)
    clipped = gaussian_noise(std=200.0, clip=True).apply(y, None, noise)
    np.testing.assert_allclose(clipped, np.clip(y + np.float32(200 / 255) * noise, 0, 1), atol=1e-6)
    assert (clipped.min(), clipped.max()) == (0, 1)


def test_the_unit_of_noise_is_a_grey_level_of_255():
    y, one = np.zeros((1, 32, 32), np.float32), np.ones((1, 32, 32), np.float32)
    np.testing.assert_allclose(gaussian_noise(std=255.0).apply(y, None, one), 1, rtol=1e-6)
    np.testing.assert_allclose(gaussian_noise(std=20.0).apply(y, None, one), 20 / 255, rtol=1e-6)


def test_factor_must_divide():
    with pytest.raises(EcotError, match="5 does not divide the image side 28"):
        resampling(factor=5)


def test_only_noise_draws_random_numbers_and_without_deviation_it_draws_none():
    def forbidden():
        pytest.fail("random numbers were drawn")

    assert gaussian_noise(std=20.0).draw_noise(lambda: "normal") == "normal"
    y = np.full((2, 3, 32, 32), 0.25, np.float32)
    assert gaussian_noise(std=0.0).draw_noise(forbidden) is None
    np.testing.assert_array_equal(gaussian_noise(std=0.0).apply(y, None, None), y)
    assert resampling().draw_noise(forbidden) is None
    assert degradation(JpegSettings(kind="jpeg"), 32).draw_noise(forbidden) is None


@pytest.mark.parametrize("kind", KINDS)
def test_numpy_and_torch_give_the_same_images_and_each_its_own_kind(kind):
    degrade = degradation(KINDS[kind].settings(kind=kind), 32)
    images = np.random.default_rng(0).integers(0, 256, (3, 3, 32, 32), np.uint8)
    y = (images / 255).astype(np.float32)
    noise = degrade.draw_noise(lambda: np.random.default_rng(1).standard_normal(y.shape, np.float32))
    prepared = degrade.prepare(images)
    if prepared is not None:
        assert prepared.dtype == np.uint8
        assert prepared.shape == images.shape
        prepared = (prepared / 255).astype(np.float32)
    x = degrade.apply(y, prepared, noise)
    assert isinstance(x, np.ndarray)
    arguments = [array if array is None else torch.from_numpy(array) for array in (y, prepared, noise)]
    moved = degrade.to(torch.from_numpy).apply(*arguments)
    assert isinstance(moved, torch.Tensor)
    np.testing.assert_allclose(moved.numpy(), x, atol=1e-6)
    assert isinstance(degrade.apply(y, prepared, noise), np.ndarray)  # `to` leaves the first one as it was


@pytest.mark.parametrize("channels", [1, 3])
def test_jpeg_is_the_codec_of_its_quality(channels):
    images = np.random.default_rng(0).integers(0, 256, (2, channels, 32, 32), np.uint8)
    prepared = degradation(JpegSettings(kind="jpeg", quality=10), 32).prepare(images)
    for image, found in zip(images, prepared, strict=True):
        stream = io.BytesIO()
        picture = Image.fromarray(image[0]) if channels == 1 else Image.fromarray(np.moveaxis(image, 0, -1))
        picture.save(stream, "JPEG", quality=10)
        expected = np.asarray(Image.open(stream))
        np.testing.assert_array_equal(found, expected[np.newaxis] if channels == 1 else np.moveaxis(expected, -1, 0))
    finer = degradation(JpegSettings(kind="jpeg", quality=95), 32).prepare(images)
    assert np.abs(finer - images.astype(float)).mean() < np.abs(prepared - images.astype(float)).mean()


def test_an_image_goes_through_the_codec_alone():
    images = np.random.default_rng(0).integers(0, 256, (3, 3, 32, 32), np.uint8)
    jpeg = degradation(JpegSettings(kind="jpeg"), 32)
    np.testing.assert_array_equal(jpeg.prepare(images)[1:2], jpeg.prepare(images[1:2]))


def test_every_module_of_a_degradation_registers_it_under_its_name():
    folder = Path(degradations.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__", "messages"}
    assert {name: KINDS[name].module for name in modules} == {name: f"ecot.degradations.{name}" for name in modules}


def test_degrading_needs_no_torch():
    code = (
        "import sys, numpy; from ecot.degradations import KINDS, degradation;"
        "y = numpy.zeros((1, 3, 32, 32), numpy.float32);"
        "[degradation(KINDS[k].settings(kind=k), 32).apply(y, y, y) for k in KINDS];"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
