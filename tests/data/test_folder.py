"""Data sets of own images: what is read, what is refused, and what decides them."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ecot import config as configuration
from ecot.data.arrays import load
from ecot.data.prepare import prepare
from ecot.data.sets import DATASETS
from ecot.errors import EcotError, MistakeError
from ecot.grid import fingerprint
from ecot.grid.cell import Cell
from ecot.grid.plan import cell_settings

CELL = Cell("super_resolution", "end_to_end", "common", 8, 0)


@pytest.fixture(autouse=True)
def registry(monkeypatch):
    monkeypatch.setattr(DATASETS, "_items", dict(DATASETS._items))


@pytest.fixture
def images(tmp_path):
    """Ten grey images of 28 x 28, all different."""
    folder = tmp_path / "images"
    (folder / "below").mkdir(parents=True)
    for i in range(10):
        Image.fromarray(np.full((28, 28), 10 * i, np.uint8)).save(folder / ("below" if i % 2 else "") / f"{i}.png")
    (folder / "notes.txt").write_text("not an image")
    (folder / ".hidden.png").write_text("not looked at")
    return folder


@pytest.fixture
def mine(tiny, images):
    """The tiny configuration on these images; keywords change the settings of the data set."""

    def make(**change):
        own = {"path": str(images), "colours": "grey", "size": 28, "n_test": 4, **change}
        task = {"dataset": "mine", "n_train": None, "n_test": None}
        return configuration.merge(tiny, {"datasets": {"mine": own}, "tasks": {"super_resolution": task}})

    return make


def made(values, out):
    """The splits of the data set of a configuration."""
    configuration.validate(values)
    prepare("mine", Path("unused"), out)
    return load(out, "train"), load(out, "test")


def of(values):
    return fingerprint.trained(cell_settings(configuration.validate(values), CELL))


def values_of(split):
    return split.images[:, 0, 0, 0].tolist()


def test_a_folder_is_split_by_its_seed(mine, tmp_path):
    train, test = made(mine(), tmp_path / "mine.npz")
    assert (train.images.shape, test.images.shape) == ((6, 1, 28, 28), (4, 1, 28, 28))
    assert sorted(values_of(train) + values_of(test)) == [10 * i for i in range(10)]
    assert (len(train.labels), len(test.labels)) == (0, 0)
    assert len(load(tmp_path / "mine.npz", "train", 3).images) == 3
    again, _ = made(mine(), tmp_path / "again.npz")
    assert values_of(again) == values_of(train)
    other, _ = made(mine(seed=1), tmp_path / "other.npz")
    assert values_of(other) != values_of(train)
    stamp = json.loads((tmp_path / "mine.json").read_text())
    assert stamp["version"] != json.loads((tmp_path / "other.json").read_text())["version"]


def test_the_content_decides_the_models_and_the_place_does_not(mine, images, tmp_path):
    before = of(mine())
    assert of(mine()) == before
    for path in images.rglob("*.png"):
        path.touch()
    moved = images.rename(tmp_path / "elsewhere")
    assert of(mine(path=str(moved))) == before
    assert of(mine(path=str(moved), seed=1)) != before
    assert of(mine(path=str(moved), n_test=5)) != before
    Image.fromarray(np.full((28, 28), 1, np.uint8)).save(moved / "0.png")
    assert of(mine(path=str(moved))) != before
    assert configuration.validate(mine(path=str(moved))).datasets["mine"].n_images == 10


def test_the_resolved_configuration_states_the_content_and_needs_no_images(mine, images, tmp_path):
    resolved = configuration.validate(mine()).model_dump()
    before = of(mine())
    images.rename(tmp_path / "gone")
    assert of(resolved) == before
    with pytest.raises(MistakeError, match=r"^datasets\.mine: path: .*images is no folder of PNG or JPEG files"):
        configuration.validate(mine())
    with pytest.raises(EcotError, match=r"datasets\.mine: "):
        made(resolved, tmp_path / "mine.npz")
    (tmp_path / "gone/0.png").unlink()
    (tmp_path / "gone").rename(images)
    with pytest.raises(EcotError, match="they have changed; write content: null to take them"):
        made(resolved, tmp_path / "mine.npz")


def test_colours_and_sizes_are_what_the_settings_say(mine, images, tmp_path):
    for path in images.rglob("*.png"):
        path.unlink()
    for i in range(6):
        picture = np.zeros((40, 60, 3), np.uint8)
        picture[:, 10:50] = 100  # the square about the middle
        Image.fromarray(picture).save(
            images / f"{i}.{'png' if i % 2 else 'JPEG'}", **({} if i % 2 else {"quality": 95})
        )
    with pytest.raises(
        EcotError, match=r"6 of 6 images are not 28 x 28, for instance .*0\.JPEG \(60 x 40\); resize: "
    ):
        made(mine(), tmp_path / "mine.npz")
    train, _ = made(mine(resize=True), tmp_path / "mine.npz")
    assert train.images.shape == (2, 1, 28, 28)
    assert abs(train.images[:, :, 2:-2, 4:-4].astype(int) - 100).max() < 10
    with pytest.raises(MistakeError) as refused:
        configuration.validate(mine(resize=True, colours="rgb"))
    assert str(refused.value) == (
        "tasks.super_resolution.dataset: the images of mine are 28 x 28 x 3, the task's networks take 28 x 28 x 1"
    )


@pytest.mark.parametrize("kind", ["RGBA", "CMYK", "I;16"])
def test_other_kinds_of_images_are_refused_by_name(mine, images, tmp_path, kind):
    path = images / f"a.{'jpg' if kind == 'CMYK' else 'png'}"
    Image.new(kind, (28, 28)).save(path)
    with pytest.raises(EcotError, match=rf"a\.\w+ is an image of kind {kind}, or has transparent parts; save it as"):
        made(mine(), tmp_path / "mine.npz")


def test_a_file_that_is_no_image_is_refused_by_name(mine, images, tmp_path):
    (images / "broken.png").write_bytes((images / "0.png").read_bytes()[:50])
    with pytest.raises(EcotError, match=r"^datasets\.mine: \S+broken\.png cannot be read \("):
        made(mine(), tmp_path / "mine.npz")


def npz(tmp_path, shape=(12, 28, 28), dtype=np.uint8, compressed=False, **arrays):
    path = tmp_path / "own.npz"
    images = np.random.default_rng(0).integers(0, 256, shape).astype(dtype)
    (np.savez_compressed if compressed else np.savez)(path, **({"images": images} | arrays))
    return path, images


@pytest.mark.parametrize("shape", [(12, 28, 28), (12, 28, 28, 1)])
def test_an_npz_with_labels(mine, tmp_path, shape):
    labels = (np.arange(12) % 10).astype(np.uint8)
    path, images = npz(tmp_path, shape, labels=labels, compressed=True)
    values = mine(path=str(path), labels=True)
    train, test = made(values, tmp_path / "mine.npz")
    for split in (train, test):
        for image, label in zip(split.images, split.labels, strict=True):
            (i,) = (i for i in range(12) if (images[i].reshape(28, 28) == image[0]).all())
            assert labels[i] == label
    assert DATASETS["mine"].labelled


ARRAYS = {
    "no images": ({"images": np.zeros(3, np.uint8)}, "images is uint8 of shape"),
    "floats": ({"images": np.zeros((9, 28, 28))}, "images is float64 of shape"),
    "channels": ({"images": np.zeros((9, 3, 28, 28), np.uint8)}, "images is uint8 of shape"),
    "objects": ({"images": np.array([None])}, "images is object of shape"),
    "none": ({"images": np.zeros((0, 28, 28), np.uint8)}, "not empty"),
    "few": ({"images": np.zeros((4, 28, 28), np.uint8)}, "has 4 images; allowed: more than n_test = 4"),
    "labels above 9": ({"labels": np.full(12, 10, np.uint8)}, "has labels up to 10"),
    "fewer labels": ({"labels": np.zeros(5, np.uint8)}, "has 12 images and 5 labels"),
    "no labels": ({}, "labels.npy"),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_npz_that_is_not_as_it_should_be_is_refused(mine, tmp_path, name):
    arrays, message = ARRAYS[name]
    path, _ = npz(tmp_path, **arrays)
    with pytest.raises(EcotError, match=r"^datasets\.mine: ") as refused:
        made(mine(path=str(path), labels=name.endswith("labels") or "labels" in name), tmp_path / "mine.npz")
    assert message in str(refused.value)
    assert not (tmp_path / "mine.npz").exists()


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "mnist",
            {},
            "datasets: 'mnist' is no name for a data set of your own; allowed: letters, digits and '_', and",
        ),
        ("a/b", {}, "datasets: 'a/b' is no name for a data set of your own"),
        ("mine", {"n_test": 3}, "datasets.mine.n_test: 3: must be greater than or equal to 4"),
        ("mine", {"colours": "red"}, "datasets.mine.colours: 'red': must be 'grey' or 'rgb'"),
        ("mine", {"path": "$NO_SUCH/x"}, "datasets.mine.path: '$NO_SUCH/x': $NO_SUCH is not set"),
        ("mine", {"n_test": 10}, "images has 10 images; allowed: more than n_test = 10"),
        ("mine", {"content": "0" * 64}, "they have changed; write content: null"),
        ("mine", {"labels": True, "sizes": 3}, "datasets.mine.sizes: unknown setting; did you mean size?"),
    ],
)
def test_wrong_settings_are_named(mine, tiny, name, change, message):
    own = mine(**change)["datasets"]["mine"]
    with pytest.raises(MistakeError) as refused:
        configuration.validate(configuration.merge(tiny, {"datasets": {name: own}}))
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_data_set_that_is_none_is_named_beside_ones_own(mine):
    values = mine()
    values["tasks"]["super_resolution"]["dataset"] = "min"
    with pytest.raises(MistakeError, match="'min' is no data set; allowed: mine, mnist, "):
        configuration.validate(values)
