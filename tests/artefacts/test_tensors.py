"""Files of tensors: the same content gives the same bytes, and nothing that was altered is read."""

import subprocess
import sys

import pytest
import torch

from ecot.artefacts import DamagedError, tensors

HEADER = {name: f"text of {name}" for name in ("zeta", "alpha", "fingerprint", "settings", "ecot", "torch", "data")}
WAY_OUT = "train it anew"


def content():
    generator = torch.Generator().manual_seed(0)
    return {
        "weights": torch.randn(3, 4, generator=generator),
        "count": torch.tensor(7),
        "empty": torch.zeros(0, 2),
        "half": torch.ones(5, dtype=torch.float64),
        "channels last": torch.randn(2, 3, 4, 5, generator=generator).to(memory_format=torch.channels_last),
    }


def test_a_round_trip(tmp_path):
    path = tmp_path / "a.safetensors"
    tensors.write(path, content(), HEADER)
    found, header = tensors.read(path, WAY_OUT)
    assert header == HEADER
    assert found.keys() == content().keys()
    for name, tensor in content().items():
        assert torch.equal(found[name], tensor)
        assert found[name].dtype == tensor.dtype


def test_a_tensor_that_learns_is_written_by_its_values(tmp_path):
    path = tmp_path / "a.safetensors"
    weight = torch.ones(2, requires_grad=True)
    tensors.write(path, {"weight": weight}, HEADER)
    weight.data.add_(1)
    assert tensors.read(path, WAY_OUT)[0]["weight"].tolist() == [1, 1]


def test_the_same_content_gives_the_same_bytes_in_every_process(tmp_path):
    """The library writes the texts of a header in an order that changes from file to file."""
    code = (
        "import sys, torch; from pathlib import Path; from ecot.artefacts import tensors\n"
        f"header, held = {HEADER!r}, {{name: torch.arange(6.0) for name in ('b', 'a', 'c')}}\n"
        "for number in range(5):\n"
        "    tensors.write(Path(sys.argv[1]) / f'{sys.argv[2]}{number}', held, header)\n"
        "    header = dict(reversed(header.items()))\n"
    )
    for name in "ab":
        subprocess.run([sys.executable, "-c", code, str(tmp_path), name], check=True)
    files = list(tmp_path.iterdir())
    assert len(files) == 10
    assert len({path.read_bytes() for path in files}) == 1


def test_the_tensors_stay_aligned(tmp_path):
    """The format wants them at multiples of 8 bytes, whatever the length of the header."""
    path = tmp_path / "a.safetensors"
    for length in range(9):
        tensors.write(path, content(), {"text": "x" * length})
        assert int.from_bytes(path.read_bytes()[:8], "little") % 8 == 0
        assert torch.equal(tensors.read(path, WAY_OUT)[0]["weights"], content()["weights"])


def test_texts_of_any_language(tmp_path):
    path = tmp_path / "a.safetensors"
    tensors.write(path, content(), {"é": 'a "quoted"\n line of 漢字'})
    assert tensors.read(path, WAY_OUT)[1] == {"é": 'a "quoted"\n line of 漢字'}


def test_every_altered_byte_is_noticed(tmp_path):
    """In the length, the header or the tensors: the file is refused, or it was the padding and nothing changes."""
    path = tmp_path / "a.safetensors"
    tensors.write(path, content(), HEADER)
    whole = path.read_bytes()
    places, refused = range(0, len(whole), 3), 0
    for place in places:
        altered = bytearray(whole)
        altered[place] ^= 1
        path.write_bytes(altered)
        try:
            found, header = tensors.read(path, WAY_OUT)
        except DamagedError:
            refused += 1
        else:
            assert header == HEADER
            assert all(torch.equal(found[name], tensor) for name, tensor in content().items())
    assert refused > 0.9 * len(places)


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[:-1],
        lambda whole: whole + b"0",
        lambda whole: b"",
        lambda whole: b"\x80\x04\x95pickle",
        lambda whole: whole.replace(b"text of alpha", b"text of omega"),
        lambda whole: whole.replace(b"weights", b"weighty"),
        lambda whole: whole.replace(b"sha256", b"sha512"),
    ],
    ids=["cut off", "longer", "empty", "a pickle", "another text", "another name", "no checksum"],
)
def test_damage_is_refused_with_the_way_out(tmp_path, damage):
    path = tmp_path / "a.safetensors"
    tensors.write(path, content(), HEADER)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DamagedError, match=rf"a\.safetensors is damaged or not what it should be .*; {WAY_OUT}$"):
        tensors.read(path, WAY_OUT)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(DamagedError, match=r"none\.safetensors .*No such file"):
        tensors.read(tmp_path / "none.safetensors", WAY_OUT)
