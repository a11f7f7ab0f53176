"""The street digits' recipe: its formula, its patches, and its golden bytes."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ecot.data import street_digits as recipe
from ecot.data.arrays import SPLITS, SplitName
from ecot.data.sets import mnist_sample, street_digits_sample
from ecot.data.street_digits import street_digits

GOLDEN = {
    "train": "e49fab07dacc5fbd5c016ec4063b32c3a1d9deb9478a01c832c66db13f6d7324",
    "test": "67022105a985082906d0927db92c9d0ff820c84a0cce03913e65ced5bfac9ea3",
}
NOWHERE = Path("/nonexistent")
HEIGHT, WIDTH = 120, 100  # of the map below: thirds of 40 rows


@pytest.fixture
def chart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two photographs whose colours say where a pixel is: (row, column, which photograph)."""
    row, column = np.indices((HEIGHT, WIDTH), np.uint8)
    for which, name in enumerate(recipe.PHOTOGRAPHS):
        pixels = np.stack([row, column, np.full_like(row, which)], axis=-1)
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).save(tmp_path / name)
    monkeypatch.setattr(recipe, "resource", lambda name: tmp_path / name)


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


@pytest.mark.usefixtures("chart")
def test_image_is_the_absolute_difference() -> None:
    patch = street_digits(np.zeros((50, 1, 28, 28), np.uint8), "train").astype(int)
    digits = np.random.default_rng(0).integers(0, 256, (50, 1, 28, 28), np.uint8)
    image = street_digits(digits, "train")
    inside = np.s_[:, :, 2:30, 2:30]
    np.testing.assert_array_equal(image[inside], np.abs(patch[inside] - digits.astype(int)))
    border = np.ones((32, 32), bool)
    border[2:30, 2:30] = False
    np.testing.assert_array_equal(image[..., border], patch[..., border])


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
