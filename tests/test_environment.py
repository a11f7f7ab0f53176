"""What a machine or a shell has set changes nothing: variables, style files, encodings, rights."""

import gzip
import json
import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from ecot.cli import main
from ecot.data.fetch import RawFile, ensure
from ecot.errors import EcotError
from ecot.files import expanded, sha256, write_text
from shortcuts import quick

DRAW = """
from ecot.cli import main
try:
    main(["make", "figure_03"])
except SystemExit as end:
    assert not end.code, end.code
"""


@pytest.fixture
def folder(tiny, tmp_path, monkeypatch):
    """A folder with the tiny configuration."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(tiny))
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    return tmp_path


def environment(repository, **variables):
    return {**os.environ, "PYTHONPATH": str(repository / "src"), **variables}


def test_figures_are_drawn_by_agg_in_the_projects_own_style(folder, repository):
    """Whatever a notebook exports, and whatever a user's style file says."""
    plain = subprocess.run(
        [sys.executable, "-c", DRAW], env=environment(repository), capture_output=True, text=True, cwd=folder
    )
    assert plain.returncode == 0, plain.stderr
    drawn = {path: path.read_bytes() for path in Path("results/tiny/figures").iterdir()}
    Path("matplotlibrc").write_text("text.usetex: True\naxes.facecolor: red\nlines.linewidth: 9\nfont.size: 30\n")
    for backend in ("module://matplotlib_inline.backend_inline", "no_such_backend"):
        for path in drawn:
            path.unlink()
        own = subprocess.run(
            [sys.executable, "-c", DRAW], capture_output=True, text=True, cwd=folder,
            env=environment(repository, MPLBACKEND=backend, MATPLOTLIBRC=str(folder / "matplotlibrc")),
        )  # fmt: skip
        assert own.returncode == 0, own.stderr
        assert {path: path.read_bytes() for path in drawn} == drawn


def test_a_path_of_the_configuration_is_expanded(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("WHERE", "some where")
    for text, path in {
        "~/data": "/home/me/data", "$HOME/data": "/home/me/data", "${WHERE}/x": "some where/x", "data": "data",
        "a~b": "a~b",
    }.items():  # fmt: skip
        assert expanded(text) == Path(path)
    for text, message in {"$NOWHERE/x": "NOWHERE is not set", "~nobody-of-that-name/x": "home directory"}.items():
        with pytest.raises(ValueError, match=message):
            expanded(text)


def test_files_of_the_home_are_found(folder, tiny, monkeypatch):
    """`ecot data` makes no folder named ~ or $HOME, and fetches nothing that is there."""
    asked = []
    monkeypatch.setenv("HOME", str(folder / "home"))
    monkeypatch.setattr(
        "ecot.data.prepare.prepare", lambda name, root, out: asked.append(root) or write_text(out, "")
    )
    for text in ("~/data", "$HOME/data"):
        (folder / "config.yaml").write_text(yaml.safe_dump(tiny | {"data": {"root": text}}))
        assert CliRunner().invoke(main, ["data", "mnist"]).exit_code == 0
    assert asked == [folder / "home/data"] * 2


def test_a_compressed_file_beside_the_raw_name_is_used(tmp_path):
    content = b"digits" * 1000
    (tmp_path / "plain").write_bytes(content)
    file = RawFile("raw/digits", len(content), sha256(tmp_path / "plain"))
    (tmp_path / "raw").mkdir()
    packed = tmp_path / "raw/digits.gz"
    for wrong in (gzip.compress(content[:-1]), gzip.compress(content)[:-9], b"no gzip", gzip.compress(content * 9)):
        packed.write_bytes(wrong)
        with pytest.raises(EcotError, match=r"digits\.gz is not the published file \(.*put the right one there"):
            ensure("digits", [file], lambda _: ["http://unused"], tmp_path, download=False)
        assert [path.name for path in (tmp_path / "raw").iterdir()] == ["digits.gz"]
    packed.write_bytes(gzip.compress(content))
    ensure("digits", [file], lambda _: ["http://unused"], tmp_path, download=False)
    assert (tmp_path / "raw/digits").read_bytes() == content


def test_a_file_system_without_rights_is_no_fault(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError("chmod")

    monkeypatch.setattr(Path, "chmod", refuse)
    write_text(tmp_path / "a.txt", "text")
    assert (tmp_path / "a.txt").read_text() == "text"


def test_a_terminal_without_the_signs_of_the_tables_shows_others(folder, repository):
    assert CliRunner().invoke(main, ["make", "table_03"]).exit_code == 0
    table, made = folder / "results/tiny/tables/table_03.md", folder / "results/tiny/.made/table_03.json"
    table.write_text("E‖X − Ŷ‖²\n", encoding="utf-8")
    record = json.loads(made.read_text())
    record["files"][table.name] = sha256(table)
    made.write_text(json.dumps(record))
    for encoding in ("latin-1", "utf-8"):
        shown = subprocess.run(
            [sys.executable, "-m", "ecot", "show", "table_03"], cwd=folder, capture_output=True,
            env=environment(repository, PYTHONIOENCODING=encoding),
        )  # fmt: skip
        assert shown.returncode == 0, shown.stderr
        assert ("‖" in shown.stdout.decode(errors="replace")) == (encoding == "utf-8")


def test_an_interrupt_says_nothing_of_torch(folder, repository, datasets):
    """Nor does a training that ends; both would print the statistics of a cache."""
    (folder / "results").mkdir()
    (folder / "results/datasets").symlink_to(datasets)
    slow = yaml.safe_load(Path("config.yaml").read_text())
    slow["tasks"]["super_resolution"]["modes"]["end_to_end"] |= {"epochs": 10_000, "decays": {}}
    Path("config.yaml").write_text(yaml.safe_dump(slow))
    cell = "super_resolution/end_to_end/common/rate-8/seed-0"
    with Path("log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ecot", "train", cell], cwd=folder, stdout=log, stderr=log,
            env=environment(repository),
            # Where the tests run in the background, a shell has them ignore interrupts, which children inherit.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
    end = time.monotonic() + 120
    while "epoch 1/" not in Path("log").read_text() and time.monotonic() < end:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 1
    text = Path("log").read_text()
    assert text.rstrip().endswith("Aborted!")
    assert "cache" not in text.lower()
    assert "Traceback" not in text


def test_what_only_a_gpu_does_is_not_said_of_a_cpu(trained, settings):
    record = json.loads((trained(settings()) / "run.json").read_text())
    assert "tf32" not in record


COMMANDS = [
    ["index"], ["prune"], ["show"], ["make", "table_03"], ["make", "--all"], ["make", "--incomplete"], ["reference"],
    ["compare", "tiny", "tiny"], ["data", "mnist_sample"], ["classifier", "mnist_sample"],
    ["clean-scores", "super_resolution"], ["train", "super_resolution/end_to_end/common/rate-8/seed-0"],
    ["evaluate", "super_resolution/end_to_end/common/rate-8/seed-0"], ["schema", "--out", "results/schema.json"],
    ["bounds", "images", "--task", "super_resolution", "--rate", "1"],
]  # fmt: skip


def text_in_place_of(path):
    def plant(folder):
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text("\0 no such thing")

    return plant


def results_are_a_file(folder):
    (folder / "results").write_text("")


def a_folder_in_place_of(path):
    return lambda folder: (folder / path).mkdir(parents=True, exist_ok=True)


def config_is_binary(folder):
    (folder / "config.yaml").write_bytes(b"\xff\xfe\x00")


def config_is_a_folder(folder):
    (folder / "config.yaml").unlink()
    (folder / "config.yaml").mkdir()


PLANTS = {
    "results are a file": results_are_a_file,
    "a data set that is none": text_in_place_of("results/datasets/mnist_sample.npz"),
    "a stamp that is none": text_in_place_of("results/datasets/mnist_sample.json"),
    "a data set that is a folder": a_folder_in_place_of("results/datasets/mnist_sample.npz"),
    "a stamp that is a folder": a_folder_in_place_of("results/datasets/mnist_sample.json"),
    "an index that is none": text_in_place_of("results/tiny/cells.csv"),
    "an index that is a folder": a_folder_in_place_of("results/tiny/cells.csv"),
    "a table that is a folder": a_folder_in_place_of("results/tiny/tables/table_03.md"),
    "a run that is a file": text_in_place_of("results/tiny"),
    "a store that is a file": text_in_place_of("results/cells"),
    "a configuration that is binary": config_is_binary,
    "a configuration that is a folder": config_is_a_folder,
}


@pytest.mark.parametrize("plant", PLANTS)
def test_no_command_ends_in_a_traceback(folder, plant, monkeypatch):
    quick(monkeypatch, ("metrics", "table_03", "table_05", "claims", "figure_05"))
    PLANTS[plant](folder)
    for command in COMMANDS:
        done = CliRunner().invoke(main, command)
        assert done.exception is None or isinstance(done.exception, SystemExit), (command, done.exc_info)
        assert done.exit_code in (0, 1, 2), command
        if plant.startswith("a configuration") and command[0] not in ("compare", "schema"):
            assert done.exit_code == 2, (command, done.output)
