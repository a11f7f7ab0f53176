"""`ecot bounds`: its numbers are the library's, as JSON and as a table; wrong values end in one line."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml
from click.testing import CliRunner

from ecot.cli import main
from ecot.theory import binary, gaussian, uniform

BINARY = ["binary", "--q-x", "0.3", "--q-y", "0.5"]
FINITE = ["finite", "--p-x", "0.7,0.3", "--p-y", "0.5,0.5"]


def run(*arguments):
    return CliRunner().invoke(main, ["bounds", *map(str, arguments)])


def as_json(*arguments):
    done = run(*arguments, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def test_binary_is_the_contract():
    found = as_json(*BINARY, "--rate", 0.4)
    names = ("d_ncr", "d_ncr_upper", "d_ncr_lower", "d_cr")
    assert found == {"rate": 0.4, **{name: getattr(binary, name)(0.3, 0.5, 0.4) for name in names}}


def test_gaussian_and_uniform():
    found = as_json("gaussian", "--sigma-x", 1, "--mu-y", 1, "--sigma-y", 2, "--rate", 1.5)
    for name in ("d_ncr", "d_ncr_lower", "d_cr"):
        assert found[name] == getattr(gaussian, name)(0, 1, 1, 2, 1.5)
    found = as_json("uniform", "--a", 2, "--b", 5, "--rate", 1.5)
    for name in ("d_ncr_upper", "d_ncr_lower", "d_cr_lower"):
        assert found[name] == pytest.approx(getattr(uniform, name)(2, 5, 1.5), rel=1e-12)


@pytest.mark.parametrize("cost", [(), ("--cost", "0,1;1,0"), ("--cost", "[[0, 1], [1, 0]]")])
def test_finite_agrees_with_binary(cost):
    found = as_json(*FINITE, *cost, "--rate", 0.4)
    assert found["d_cr"] == pytest.approx(binary.d_cr(0.3, 0.5, 0.4), abs=1e-9)
    for name in ("d_ncr_upper", "d_ncr_lower"):
        assert found[name] == pytest.approx(binary.d_ncr(0.3, 0.5, 0.4), abs=1e-6)
    assert found["d_cr_asymptotic"] <= found["d_cr"]


def test_several_rates_are_lists_and_a_table_has_a_line_each():
    found = as_json(*BINARY, "--rate", 0.2, "--rate", 0.4)
    assert found["rate"] == [0.2, 0.4]
    np.testing.assert_allclose(found["d_cr"], binary.d_cr(0.3, 0.5, np.array([0.2, 0.4])))
    lines = run(*BINARY, "--rate", 0.2, "--rate", 0.4).output.splitlines()
    assert lines[0].split() == ["rate", "d_ncr", "d_ncr_upper", "d_ncr_lower", "d_cr"]
    assert lines[3].split()[:2] == ["0.4", f"{found['d_ncr'][1]:.6f}"]
    assert len(lines) == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["binary", "--q-x", 1.3, "--q-y", 0.5, "--rate", 0.4], "--q-x: must be finite and in [0, 1], got 1.3"),
        ([*BINARY, "--rate", -1], "--rate: must not be negative, got -1"),
        ([*BINARY, "--rate", "inf"], "--rate: must be finite"),
        ([*BINARY, "--rate", "nan"], "--rate: NaN is not allowed"),
        (["gaussian", "--sigma-x", -1, "--sigma-y", 1, "--rate", 1], "--sigma-x: must be finite"),
        (["uniform", "--a", 2, "--b", 0, "--rate", 1], "--b: must be positive"),
        (["finite", "--p-x", "0.7,0.2", "--p-y", 1, "--rate", 1], "--p-x: probabilities must sum to 1"),
        (["finite", "--p-x", "0.7,b", "--p-y", 1, "--rate", 1], "--p-x: numbers expected, such as"),
        (["finite", "--p-x", "", "--p-y", 1, "--rate", 1], "--p-x: rows of equal length expected"),
        ([*FINITE, "--cost", "0,1,2;1,0,2", "--rate", 1], "--cost: shape (2, 2) expected, got (2, 3)"),
        ([*FINITE, "--cost", "0,1;1", "--rate", 1], "--cost: rows of equal length expected"),
        (["uniform", "--a", 1e300, "--b", 1, "--rate", 1], "--a: must be finite and in [-1e+150, 1e+150]"),
        (["finite", "--p-x", ",".join(["0.025"] * 40), "--p-y", 1, "--rate", 1], "--p-x: at most 32 letters"),
    ],
)
def test_wrong_values_end_in_one_line_that_names_the_option(arguments, message):
    done = run(*arguments)
    assert done.exit_code == 2
    assert done.stderr.startswith(f"ecot: {message}")
    assert len(done.stderr.splitlines()) == 1


def test_images(tiny, datasets, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("results").mkdir()
    Path("results/datasets").symlink_to(datasets)
    config, out = Path("tiny.yaml"), Path("bounds.csv")
    config.write_text(yaml.safe_dump(tiny))
    arguments = ["images", "--task", "super_resolution", "--config", config, "--rate", 1, "--rate", 30]
    found = as_json(*arguments, "--out", out)
    assert found["n_test"] == 64
    assert found["gelbrich_floor"] < found["gaussian_d_cr"][1] < found["gaussian_d_ncr"][1] < found["rate_zero"]
    assert found["entropic_d_cr"][1] is None  # 64 images do not support 30 bits
    assert out.read_text().startswith("task,dataset,n_test,bound,kind,rate_bits,distortion\n")
    table = run(*arguments).output
    assert "mnist_sample" in table
    assert table.splitlines()[-1].split()[0] == "30"
    Path("results/datasets").unlink()
    done = run(*arguments)
    assert done.exit_code == 1
    assert "mnist_sample.npz is missing" in done.stderr


def test_no_torch_and_a_quick_help():
    code = (
        "import sys; from click.testing import CliRunner; import ecot.cli; "
        "slow = {'scipy', 'ot', 'pandas', 'torch', 'matplotlib'}; assert not slow & set(sys.modules); "
        "run = CliRunner().invoke; "
        "done = run(ecot.cli.main, 'bounds finite --p-x 0.7,0.3 --p-y 0.5,0.5 --rate 0.4 --json'.split()); "
        "assert done.exit_code == 0, done.output; "
        "import ecot.products.image_bounds; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
