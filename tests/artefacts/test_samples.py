"""The sample images of a cell."""

import io
import zipfile

import numpy as np
import pytest

from ecot.artefacts import DamagedError, metrics, samples

IMAGES = {name: np.random.default_rng(i).random((2, 3, 4, 5), np.float32) for i, name in enumerate(samples.NAMES)}
KEY = metrics.Key(
    task="denoising", mode="joint", randomness="independent", rate_bits=12, dither="fresh", latent_dim=4, levels=8,
    seed=0, dataset="svhn", distribution_weight=1e-3, model="0123456789abcdef", measurement="fedcba9876543210",
)  # fmt: skip


@pytest.fixture
def path(tmp_path):
    samples.write(tmp_path / "samples.npz", IMAGES, KEY)
    return tmp_path / "samples.npz"


def refused(path, reason=""):
    with pytest.raises(DamagedError) as error:
        samples.read(path, KEY)
    assert str(path) in str(error.value)
    assert reason in str(error.value)
    assert str(error.value).endswith(KEY.way_out)


def test_a_round_trip_and_the_same_bytes_again(path):
    found = samples.read(path, KEY)
    assert list(found) == ["x", "y", "output"]
    assert all(np.array_equal(found[name], IMAGES[name]) for name in IMAGES)
    content = path.read_bytes()
    samples.write(path, dict(reversed(IMAGES.items())), KEY)
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"x": IMAGES["x"][:1]}, "its arrays have the shapes"),
        ({"y": IMAGES["y"].astype(np.float64)}, "y is no plain array of float32"),
        ({"y": (IMAGES["y"] * 255).astype(np.uint8)}, "y is no plain array of float32"),
        ({"output": np.asfortranarray(IMAGES["output"])}, "output is no plain array of float32"),
        ({name: IMAGES[name][0] for name in IMAGES}, "its arrays have the shapes"),
        ({name: IMAGES[name][:0] for name in IMAGES}, "its arrays have the shapes"),
        ({"x": np.full_like(IMAGES["x"], np.nan)}, "its images are not finite"),
        ({}, "made_for.json"),
        ({"x": np.array([{}], object)}, "x is no plain array of float32"),
    ],
    ids=["fewer", "float64", "uint8", "column order", "three axes", "none", "not a number", "unsigned", "objects"],
)
def test_arrays_that_are_no_samples_are_refused(path, change, reason):
    np.savez(path, **(IMAGES | change))
    refused(path, reason)


def test_a_missing_array_is_refused(path):
    np.savez(path, x=IMAGES["x"], y=IMAGES["y"])
    refused(path, "output.npy")


def test_compressed_arrays_are_refused(path):
    np.savez_compressed(path, **IMAGES)
    refused(path, "no plain array")


@pytest.mark.parametrize("keep", [0, 10, 300, -30, -1])
def test_a_file_that_is_cut_off_is_refused(path, keep):
    path.write_bytes(path.read_bytes()[:keep])
    refused(path)


def test_a_flipped_bit_is_refused(path):
    """The archive has a checksum of each array."""
    content = bytearray(path.read_bytes())
    content[content.index(IMAGES["y"].tobytes()[:16]) + 3] ^= 1
    path.write_bytes(content)
    refused(path, "CRC")


def test_a_missing_file_is_refused(tmp_path):
    refused(tmp_path / "samples.npz", "No such file")


def test_an_array_that_states_more_than_it_holds_is_refused(path):
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (2**20, 2**10, 2**10, 1)}
    )
    with zipfile.ZipFile(path, "w") as archive:
        for name in samples.NAMES:
            archive.writestr(f"{name}.npy", header.getvalue())
    refused(path, "x does not have the size of its shape")


def test_the_images_of_another_cell_are_refused(path):
    other = KEY.model_copy(update={"seed": 1})
    with pytest.raises(DamagedError, match="it is another cell's: seed is 0, not 1"):
        samples.read(path, other)
