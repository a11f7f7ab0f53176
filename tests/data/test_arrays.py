"""Prepared data sets: the same bytes every time, checked before they are used."""

import json
import pickle
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from ecot.data import sets
from ecot.data.arrays import SPLITS, checksum, load
from ecot.data.prepare import prepare
from ecot.data.sets import DATASETS, mnist
from ecot.errors import EcotError
from ecot.files import sha256

SAMPLES = ("mnist_sample", "street_digits_sample")
NOWHERE = Path("/nonexistent")


@pytest.fixture(params=SAMPLES)
def sample(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"{request.param}.npz"
    prepare(request.param, NOWHERE, path, download=False)
    return path


@pytest.fixture
def digits(tmp_path: Path) -> Path:
    path = tmp_path / "mnist_sample.npz"
    prepare("mnist_sample", NOWHERE, path, download=False)
    return path


def test_every_module_of_a_data_set_registers_it() -> None:
    folder = Path(sets.__file__).parent
    modules = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert {name: DATASETS[name].read.__module__ for name in modules} == {
        name: f"ecot.data.sets.{name}" for name in modules
    }


def test_unknown_name(tmp_path: Path) -> None:
    with pytest.raises(
        EcotError,
        match="there is no data set 'mnits'; did you mean mnist\\? allowed: mnist, mnist_sample, street",
    ):
        prepare("mnits", tmp_path, tmp_path / "x.npz")


def test_samples_are_as_registered(sample: Path) -> None:
    info = DATASETS[sample.stem]
    for split, n in zip(SPLITS, (info.n_train, info.n_test), strict=True):
        images, labels = load(sample, split)
        assert images.shape == (n, *info.image_shape)
        assert labels.shape == (n,)
        assert images.dtype == labels.dtype == np.uint8
        assert set(labels) == set(range(10))
        assert images.flags.writeable  # else torch warns


def test_stamp(sample: Path) -> None:
    info = DATASETS[sample.stem]
    assert json.loads(sample.with_suffix(".json").read_text()) == {
        "name": info.name,
        "version": info.version,
        "source": info.source,
        "licence": info.licence,
        "sha256": sha256(sample),
        "shapes": {"train": [4000, *info.image_shape], "test": [1000, *info.image_shape]},
    }
    assert {path.name for path in sample.parent.iterdir()} == {sample.name, f"{sample.stem}.json"}


def test_two_conversions_are_the_same_bytes(sample: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    again = sample.parent / "elsewhere" / "again.npz"
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    monkeypatch.setattr("time.time", lambda: 2e9)
    prepare(sample.stem, NOWHERE, again, download=False)
    assert again.read_bytes() == sample.read_bytes()
    assert again.with_suffix(".json").read_bytes() == sample.with_suffix(".json").read_bytes()


def test_load_the_first_n(sample: Path) -> None:
    whole, first = load(sample, "test"), load(sample, "test", 7)
    np.testing.assert_array_equal(first.images, whole.images[:7])
    np.testing.assert_array_equal(first.labels, whole.labels[:7])
    assert len(load(sample, "test", 1000).labels) == 1000


@pytest.mark.parametrize("n", [0, -1, 1001])
def test_more_images_than_there_are(digits: Path, n: int) -> None:
    with pytest.raises(EcotError, match=rf"1,000 test_images, not {n:,}: ask for 1 to 1,000"):
        load(digits, "test", n)


def test_checksum_is_that_of_the_file_and_of_its_stamp(sample: Path) -> None:
    found = checksum(sample, sample.stem, DATASETS[sample.stem].version)
    assert found == sha256(sample) == json.loads(sample.with_suffix(".json").read_text())["sha256"]


@pytest.mark.parametrize("suffix", [".npz", ".json"])
def test_missing(digits: Path, suffix: str) -> None:
    digits.with_suffix(suffix).unlink()
    with pytest.raises(EcotError, match=rf"mnist_sample\{suffix} is missing: .*`ecot data mnist_sample`"):
        checksum(digits, "mnist_sample", 1)


def test_loading_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(EcotError, match=r"mnist_sample\.npz is missing: .*`ecot data mnist_sample`"):
        load(tmp_path / "mnist_sample.npz", "train")


def test_damaged(digits: Path) -> None:
    content = bytearray(digits.read_bytes())
    content[1000] ^= 1
    digits.write_bytes(content)
    with pytest.raises(
        EcotError, match=r"mnist_sample\.npz is damaged \(SHA-256 .*write it anew with `ecot data mnist_sample`"
    ):
        checksum(digits, "mnist_sample", 1)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b'{"sha256": "0"}', b"\xff", b"[" * 100_000])
def test_damaged_stamp(digits: Path, content: bytes) -> None:
    digits.with_suffix(".json").write_bytes(content)
    with pytest.raises(EcotError, match=r"mnist_sample\.json is damaged"):
        checksum(digits, "mnist_sample", 1)


@pytest.mark.parametrize(("name", "version"), [("mnist", 1), ("mnist_sample", 2)])
def test_another_data_set_or_another_version_of_it_is_refused(digits: Path, name: str, version: int) -> None:
    with pytest.raises(
        EcotError,
        match=rf"mnist_sample\.npz holds mnist_sample version 1, not {name} version {version}: write it",
    ):
        checksum(digits, name, version)


class Trap:
    """Unpickling it fails the test."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return pytest.fail, ("a pickle was executed",)


@pytest.mark.parametrize("disguise", ["pickle", "objects", "compressed", "lies", "lacks", "text"])
def test_a_file_that_is_no_data_set(tmp_path: Path, disguise: str) -> None:
    """Nothing is executed and no memory is taken on the file's word."""
    path = tmp_path / "x.npz"
    images = np.zeros((3, 1, 28, 28), np.uint8)
    match disguise:
        case "pickle":
            path.write_bytes(pickle.dumps(Trap()))
        case "objects":
            np.savez(path, test_images=np.array([Trap()], dtype=object))
        case "compressed":
            np.savez_compressed(path, test_images=images)
        case "lies":
            np.savez(path, test_images=images)
            with zipfile.ZipFile(path) as archive:
                content = archive.read("test_images.npy")
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("test_images.npy", content.replace(b"(3, 1, 28, 28)", b"(9**9**9,)    "))
        case "lacks":
            np.savez(path, train_images=images)
        case "text":
            path.write_text("no archive at all")
    with pytest.raises(EcotError, match=r"x\.npz is damaged \("):
        load(path, "test")


def test_a_stated_size_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez(path, test_images=np.zeros((3, 1, 28, 28), np.uint8))
    with zipfile.ZipFile(path) as archive:
        content = archive.read("test_images.npy")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("test_images.npy", content.replace(b"(3, 1,", b"(9, 9,"))
    with pytest.raises(EcotError, match=r"states a shape \(9, 9, 28, 28\) that its size denies"):
        load(path, "test")


def test_samples_and_loading_need_no_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; "
        "from ecot.data.arrays import load; from ecot.data.prepare import prepare; "
        f"path = Path({str(tmp_path)!r}, 'street_digits_sample.npz'); "
        "prepare('street_digits_sample', Path('/nonexistent'), path); load(path, 'train', 3); "
        "assert not {'torch', 'torchvision'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_real_mnist(mnist_root: Path, tmp_path: Path) -> None:
    """Read in place; the samples are the first digits of the full sets, which share their order."""
    before = {path: path.stat().st_mtime_ns for path in mnist_root.rglob("*")}
    for name in ("mnist", "street_digits"):
        prepare(name, mnist_root, tmp_path / f"{name}.npz", download=False)
        prepare(f"{name}_sample", NOWHERE, tmp_path / f"{name}_sample.npz")
        info = DATASETS[name]
        for split, n in zip(SPLITS, (info.n_train, info.n_test), strict=True):
            whole = load(tmp_path / f"{name}.npz", split)
            assert whole.images.shape == (n, *info.image_shape)
            part = load(tmp_path / f"{name}_sample.npz", split)
            np.testing.assert_array_equal(whole.images[: len(part.images)], part.images)
            np.testing.assert_array_equal(whole.labels[: len(part.labels)], part.labels)
    assert {path: path.stat().st_mtime_ns for path in mnist_root.rglob("*")} == before


def test_published_sizes_agree_with_the_declaration() -> None:
    for file in mnist.FILES:
        n = mnist.DATASET.n_train if "train" in file.path else mnist.DATASET.n_test
        assert file.size == (16 + n * 28 * 28 if "images" in file.path else 8 + n)
