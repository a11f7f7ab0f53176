"""The street digits' recipe: its formula, its patches, its statistics beside SVHN's, and its golden bytes."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from ecot.data import street_digits as recipe
from ecot.data.arrays import SPLITS, SplitName
from ecot.data.sets import mnist_sample, street_digits_sample
from ecot.data.street_digits import street_digits
from ecot.theory.images import gaussian_d_ncr, moments

GOLDEN = {
    "train": "1473621e42ed64d720765807274973952e922b8506319d0a92bdd7fe44a81174",
    "test": "d4b274215e269efb643e80012a75659237a69911ffaca13fd173d169b6fa0ba2",
}
NOWHERE = Path("/nonexistent")
HEIGHT, WIDTH = 120, 100  # of the map below: thirds of 40 rows


@pytest.fixture
def chart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two photographs whose colours say where a pixel is: (row, column, which photograph), at full contrast."""
    row, column = np.indices((HEIGHT, WIDTH), np.uint8)
    for which, name in enumerate(recipe.PHOTOGRAPHS):
        pixels = np.stack([row, column, np.full_like(row, which)], axis=-1)
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / name)
    monkeypatch.setattr(recipe, "resource", lambda name: tmp_path / name)
    monkeypatch.setattr(recipe, "CONTRAST", 10)
    monkeypatch.setattr(recipe, "CENTRE", 0)


@pytest.mark.parametrize("split", SPLITS)
def test_golden(split: SplitName) -> None:
    """The same bytes on every machine and with every version of NumPy and Pillow."""
    images, _ = street_digits_sample.read(NOWHERE, False)[split]
    assert hashlib.sha256(images.tobytes()).hexdigest() == GOLDEN[split]


@pytest.mark.usefixtures("chart")
@pytest.mark.parametrize("split", SPLITS)
def test_patches_come_whole_from_their_own_thirds(split: SplitName) -> None:
    images = street_digits(np.zeros((3000, 1, 28, 28), np.uint8), split).astype(int)
    rows, columns, which = images[:, 0], images[:, 1], images[:, 2]
    top, first, last = rows[:, :1, :1], columns[:, :1, :1], columns[:, :1, -1:]
    step = np.sign(last - first)  # -1 where the patch is flipped
    np.testing.assert_array_equal(rows, np.broadcast_to(top + np.arange(32)[:, None], rows.shape))
    np.testing.assert_array_equal(columns, np.broadcast_to(first + step * np.arange(32), columns.shape))
    np.testing.assert_array_equal(which, np.broadcast_to(which[:, :1, :1], which.shape))

    allowed = range(40, 49) if split == "test" else [*range(9), *range(80, 89)]
    assert set(top.ravel()) == set(allowed)
    assert set(np.minimum(first, last).ravel()) == set(range(WIDTH - 31))
    for choice in (which[:, 0, 0], step.ravel() == 1):
        assert choice.mean() == pytest.approx(0.5, abs=0.05)


def solid(value: int, n: int = 400) -> NDArray[np.uint8]:
    return np.full((n, 1, 28, 28), value, np.uint8)


@pytest.mark.parametrize("split", SPLITS)
def test_the_colour_is_lighter_or_darker_than_the_patch(split: SplitName) -> None:
    """A digit that covers everything shows its colour; the blank one shows the patch."""
    patch = street_digits(solid(0), split) / 255
    colour = street_digits(solid(255), split)[:, :, 15, 15] / 255
    offset = colour - patch.mean((2, 3))
    inside = ((colour > 0) & (colour < 1)).all(1)
    assert inside.sum() > 200
    np.testing.assert_allclose(offset[inside], np.broadcast_to(offset[inside, :1], offset[inside].shape), atol=0.006)
    size = np.abs(offset[inside])
    assert 0.18 - 0.003 <= size.min() < 0.19
    assert 0.41 < size.max() <= 0.42 + 0.003
    assert (offset[:, 0] > 0).mean() == pytest.approx(0.5, abs=0.1)


def test_image_is_the_blurred_digit_blended_on_the_patch_of_lower_contrast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Against the formula in floating point, with SciPy's Gaussian filter."""
    digits = mnist_sample.read(NOWHERE, False)["train"].images[:400]
    image = street_digits(digits, "train") / 255
    colour = street_digits(solid(255), "train")[:, :, 15:16, 15:16] / 255
    monkeypatch.setattr(recipe, "CONTRAST", 10)
    monkeypatch.setattr(recipe, "CENTRE", 0)
    patch = 0.45 + 0.6 * (street_digits(solid(0), "train") / 255 - 0.45)
    padded = np.pad(digits / 255, [(0, 0), (0, 0), (2, 2), (2, 2)])
    alpha = gaussian_filter(padded, 0.7, axes=(2, 3), mode="constant")
    np.testing.assert_allclose(image, (1 - alpha) * patch + alpha * colour, atol=2 / 255)


@pytest.mark.parametrize(("split", "first"), [("train", 0.73), ("test", 0.55)])
def test_statistics_are_near_those_of_svhn(split: SplitName, first: float) -> None:
    """SVHN's normalisation constants give a pixel variance of .0395; half of Table 10 is .0085, .0040, .0029."""
    images = street_digits_sample.read(NOWHERE, False)[split].images[:1000] / 255
    assert images.var((0, 2, 3)).mean() == pytest.approx(0.0395, rel=0.15)
    np.testing.assert_allclose(images.mean((0, 2, 3)), [0.4377, 0.4438, 0.4728], atol=0.08)
    rows = images.reshape(len(images), -1)
    law = moments(rows, rows)
    assert law.kappa[0] / law.kappa.sum() == pytest.approx(first, abs=0.03)
    distortion_rate = np.asarray(gaussian_d_ncr(law, [12, 60, 108])) / 2
    np.testing.assert_allclose(distortion_rate, [0.0085, 0.0040, 0.0029], rtol=0.35)


def test_an_image_depends_on_its_own_digit_and_index_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    digits = mnist_sample.read(NOWHERE, False)["test"].images[:100]
    images = street_digits(digits, "test")
    np.testing.assert_array_equal(street_digits(digits[:40], "test"), images[:40])
    monkeypatch.setattr(recipe, "CHUNK", 7)
    np.testing.assert_array_equal(street_digits(digits, "test"), images)


def test_train_and_test_draw_different_patches() -> None:
    blank = np.zeros((20, 1, 28, 28), np.uint8)
    train, test = street_digits(blank, "train"), street_digits(blank, "test")
    assert not any(np.array_equal(a, b) for a, b in zip(train, test, strict=True))
