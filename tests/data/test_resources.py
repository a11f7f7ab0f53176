"""The embedded files: small, checked, attributed, and what their script makes."""

import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ecot.data import resources
from ecot.data.resources import CHECKSUMS, RESOURCES, resource
from ecot.errors import EcotError


def test_embedded_files_are_small_and_whole() -> None:
    sizes = {name: resource(name).stat().st_size for name in CHECKSUMS}
    assert sum(sizes.values()) < 1_500_000
    assert sum(size for name, size in sizes.items() if "photographs" in name) < 500_000


def test_readme_names_and_attributes_every_file() -> None:
    readme = (RESOURCES / "README.md").read_text()
    for name in CHECKSUMS:
        assert f"`{name}`" in readme
    for holder in ("LeCun", "Cortes", "Burges", "danielbuechele", "vultilion", "CC BY-SA 3.0", "CC BY 2.0"):
        assert holder in readme


def test_missing_and_damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resources, "RESOURCES", tmp_path)
    with pytest.raises(EcotError, match=r"mnist_sample\.npz is missing: restore it"):
        resource("mnist_sample.npz")
    (tmp_path / "mnist_sample.npz").write_bytes(b"version https://git-lfs")
    with pytest.raises(EcotError, match=r"mnist_sample\.npz is damaged .* restore it"):
        resource("mnist_sample.npz")


def test_the_script_makes_the_sample(
    mnist_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    for stem in ("china", "flower"):
        Image.new("RGB", (64, 43), "orange").save(photographs / f"{stem}.jpg")
    monkeypatch.setattr(resources, "RESOURCES", tmp_path)
    monkeypatch.setattr("sys.argv", ["make.py", str(mnist_root), str(photographs)])
    runpy.run_path(str(RESOURCES / "make.py"), run_name="__main__")
    assert [line.split('"')[1] for line in capsys.readouterr().out.splitlines()] == list(CHECKSUMS)
    assert Image.open(photographs / "china.png").size == (32, 22)
    with np.load(tmp_path / "mnist_sample.npz") as made, np.load(RESOURCES / "mnist_sample.npz") as kept:
        assert made.files == kept.files
        for name in kept.files:
            np.testing.assert_array_equal(made[name], kept[name])
