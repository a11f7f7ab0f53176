"""`ecot encode` and `ecot decode`: what they write, and that bad input ends in one message and exit status 2."""

import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from ecot.cli import main


@pytest.fixture
def folder(codec, trained, digits, tmp_path, monkeypatch):
    """A working directory with a model, images in all three forms, and a file."""
    monkeypatch.chdir(tmp_path)
    model = codec("common")
    (tmp_path / "model").mkdir()
    shutil.copy(trained(model.settings) / "model.safetensors", tmp_path / "model")
    np.save("digits.npy", digits[:5, 0])  # gray: (n, h, w)
    np.savez("digits.npz", images=digits[:5], labels=np.zeros(5))
    (tmp_path / "png").mkdir()
    for i, digit in enumerate(digits[:5, 0]):
        Image.fromarray(digit).save(f"png/{i}.png")
    assert run("encode --model model --input digits.npy --degrade --seed 1 --output digits.ecot").exit_code == 0
    return tmp_path


def run(line):
    return CliRunner().invoke(main, line.split())


def test_three_kinds_of_input_give_the_same_file(folder):
    for source in ("digits.npz", "png"):
        done = run(f"encode --model model --input {source} --degrade --seed 1 --output other.ecot")
        assert done.exit_code == 0, done.output
        assert (folder / "other.ecot").read_bytes() == (folder / "digits.ecot").read_bytes()
        assert "5 images" in done.output
        assert "8 by the paper's count" in done.output


def test_three_kinds_of_output_hold_the_same_images(folder):
    for output in ("out.npy", "out.npz", "out"):
        assert run(f"decode digits.ecot --model model --output {output}").exit_code == 0
    images = np.load("out.npy")
    assert images.dtype == np.float32
    assert images.shape == (5, 1, 28, 28)
    assert np.array_equal(np.load("out.npz")["images"], images)
    assert sorted(path.name for path in (folder / "out").iterdir()) == [f"{i:06d}.png" for i in range(5)]
    pixels = np.stack([np.asarray(Image.open(f"out/{i:06d}.png")) for i in range(5)])
    assert np.array_equal(pixels, (images[:, 0] * 255).round().astype(np.uint8))


def test_x_is_taken_as_it_comes_without_degrade(folder, codec, digits):
    model = codec("common")
    np.save("x.npy", model.degrade(digits[:5]))
    assert run("encode --model model --input x.npy --seed 1 --output x.ecot").exit_code == 0
    assert (folder / "x.ecot").read_bytes() == (folder / "digits.ecot").read_bytes()
    assert run("encode --model model --input digits.npy --seed 1 --output x.ecot").exit_code == 0
    assert (folder / "x.ecot").read_bytes() == model.to_bytes(model.encode(digits[:5], seed=1))


def _break(folder, name):
    """Make the bad input of that name."""
    content = (folder / "digits.ecot").read_bytes()
    images = np.load("digits.npy")
    match name:
        case "cut.ecot":
            (folder / name).write_bytes(content[:-3])
        case "flipped.ecot":
            (folder / name).write_bytes(content[:70] + bytes([content[70] ^ 4]) + content[71:])
        case "foreign.ecot":
            (folder / name).write_bytes(b"PK\3\4" + content)
        case "newer.ecot":
            (folder / name).write_bytes(content[:8] + b"\7" + content[9:])
        case "endless.ecot":
            (folder / name).symlink_to("/dev/zero")
        case "empty.ecot" | "empty.npz":
            (folder / name).write_bytes(b"")
        case "large.npy":
            np.save(name, np.zeros((5, 28, 27), np.uint8))
        case "none.npy":
            np.save(name, images[:0])
        case "claims.npy":
            head = (folder / "digits.npy").read_bytes()
            (folder / name).write_bytes(head.replace(b"(5, 28, 28)", b"(5000, 28, 28)"[:14]))
        case "objects.npy":
            np.save(name, np.array([{}] * 5, object), allow_pickle=True)
        case "range.npy":
            np.save(name, images.astype(np.float32))
        case "nan.npy":
            np.save(name, images * np.float32(np.nan))
        case "packed.npz":
            np.savez_compressed(name, images=images)
        case "several.npz":
            np.savez(name, a=images, b=images)
        case "nothing":
            (folder / name).mkdir()
        case "colour" | "wide" | "noise":
            (folder / name).mkdir()
            shape, mode = {"colour": ((28, 28, 3), "RGB"), "wide": ((28, 29), "L"), "noise": ((28, 28), "L")}[name]
            Image.fromarray(np.zeros(shape, np.uint8), mode).save(f"{name}/0.png")
            if name == "noise":
                (folder / name / "0.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(90))


ENCODE = "encode --model model --output out.ecot --degrade --input"
DECODE = "decode --model model --output out"
FAULTS = {
    **{f"{DECODE} {name}.ecot": word for name, word in (
        ("cut", "cut short"), ("flipped", "checksum"), ("foreign", "no file of"), ("newer", "version 7"),
        ("empty", "no file of"), ("absent", "absent.ecot cannot be read"), ("endless", "it has more than 67,"),
    )},
    **{f"{ENCODE} {name}": word for name, word in (
        ("large.npy", "shape (5, 1, 28, 27)"), ("none.npy", "no images"), ("claims.npy", "size of its shape"),
        ("objects.npy", "shape"), ("range.npy", "from 0 to 255"), ("nan.npy", "nan"),
        ("packed.npz", "compressed"), ("several.npz", "a, b"), ("empty.npz", "cannot be read"),
        ("nothing", "no images"), ("colour", "RGB"), ("wide", "29 x 28"), ("noise", "0.png"),
        ("absent.npy", "is no input"), ("digits.ecot", "is no input"),
    )},
    "encode --model png --input digits.npy --output out.ecot": "model.safetensors",
    "encode --model model --input digits.npy --output out.ecot --seed -1": "seed -1",
    "decode --model model digits.ecot --output png": "not empty",
    "decode --model model digits.ecot --output out.jpg": "is no output",
}  # fmt: skip


@pytest.mark.parametrize("line", FAULTS)
def test_bad_input_ends_in_one_message_and_nothing_is_written(folder, line):
    for name in line.split():
        _break(folder, name)
    before = sorted(folder.rglob("*"))
    done = run(line)
    assert done.exit_code == 2, done.output
    assert done.output.startswith("ecot: ")
    assert done.output.count("\n") == 1
    assert FAULTS[line] in done.output
    assert sorted(folder.rglob("*")) == before


def test_another_model_is_refused(folder, codec, trained):
    other = codec("limited-2")
    done = run(f"decode digits.ecot --model {trained(other.settings)} --output out")
    assert done.exit_code == 2
    assert "another model" in done.output
    assert not (folder / "out").exists()
