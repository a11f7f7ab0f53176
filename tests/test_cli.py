"""The commands, as a person or a rule calls them."""

import json
import logging
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from ecot import config as configuration
from ecot.artefacts.names import MODEL_FILES
from ecot.cli import main
from ecot.config import merge
from ecot.engine.job import train
from ecot.files import sha256
from ecot.grid import paths
from ecot.grid.cell import Cell
from ecot.grid.plan import cell_settings
from ecot.machine.locks import alone

END_TO_END = "super_resolution/end_to_end/independent/rate-8/seed-0"
JOINT = "super_resolution/joint/independent/rate-8/dither-fresh/seed-0"


@pytest.fixture
def ecot(tiny, all_modes, datasets, tmp_path, monkeypatch):
    """Run a command in a folder with the tiny configuration and the samples prepared."""
    monkeypatch.chdir(tmp_path)
    # As many training images as a sweep needs for one step beside its validation images.
    more = {"tasks": {"super_resolution": {"n_train": 160}}}
    Path("config.yaml").write_text(yaml.safe_dump(merge(merge(tiny, all_modes), more)))
    Path("results").mkdir()
    Path("results/datasets").symlink_to(datasets)
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)

    def run(*arguments):
        return CliRunner().invoke(main, list(arguments))

    return run


def done(run, *arguments):
    """The output of a command that must succeed."""
    result = run(*arguments)
    assert result.exit_code == 0, (arguments, result.output, result.exception)
    return result.output


def folder_of(name, weight=None):
    """The folder of a cell's model in the configuration of the test."""
    cell = Cell.parse(name)
    return paths.model_folder(configuration.load(Path("config.yaml")), replace(cell, weight=weight))


def test_the_chain_by_hand(ecot):
    """Without Snakemake: index, train, build on it, measure, tabulate, show."""
    assert done(ecot, "index") == "results/tiny/cells.csv\n"
    for step in (
        ["train", END_TO_END],
        ["train", JOINT],
        ["classifier", "mnist_sample"],
        ["evaluate", END_TO_END],
        ["evaluate", JOINT],
        ["clean-scores", "super_resolution"],
    ):
        done(ecot, *step)
    for name in (END_TO_END, JOINT):
        folder = folder_of(name)
        assert {path.name for path in folder.iterdir()} == {*MODEL_FILES, ".kept", "measurements"}
        (measurement,) = (folder / "measurements").iterdir()
        assert {path.name for path in measurement.iterdir()} == {"metrics.csv", "samples.npz", "samples.png"}
    record = json.loads((folder_of(END_TO_END) / "run.json").read_text())
    assert record["dataset_sha256"] == sha256(Path("results/datasets/mnist_sample.npz"))
    done(ecot, "make", "metrics")
    assert len(Path("results/tiny/incomplete/metrics.csv").read_text().splitlines()) == 3
    done(ecot, "make", "table_01", "constraint")
    assert "Run tiny: " in done(ecot, "show")
    assert "run tiny: 2 of " in done(ecot, "status")
    shown = done(ecot, "show", "table_01", "constraint")
    assert "Decomposed loss" in shown
    assert "clean test images" in shown
    assert "results/tiny/incomplete/figures/constraint.png" in shown
    assert done(ecot, "prune") == "every trained model belongs to a run\n"


def test_a_model_that_no_run_needs_is_listed_and_deleted_when_asked(ecot):
    done(ecot, "index")
    done(ecot, "train", END_TO_END)
    done(ecot, "train", END_TO_END, "--weight", "0.5")
    kept, other = folder_of(END_TO_END), folder_of(END_TO_END, 0.5)
    assert kept != other
    listed = done(ecot, "prune")
    assert f"{other}  settings of no run" in listed
    assert str(kept) not in listed
    assert "1 in all" in listed
    assert other.is_dir()
    assert "deleted 1" in done(ecot, "prune", "--yes")
    assert not other.exists()
    assert (kept / "model.safetensors").is_file()


def test_training_again_trains_nothing_unless_forced(ecot, caplog):
    with caplog.at_level(logging.INFO):
        done(ecot, "train", END_TO_END)
        assert any("epoch 2/2" in message for message in caplog.messages)
        caplog.clear()
        done(ecot, "train", END_TO_END)
        assert any("nothing is trained" in message for message in caplog.messages)
        caplog.clear()
        done(ecot, "train", END_TO_END, "--force")
    assert any("epoch 2/2" in message for message in caplog.messages)


def test_a_folder_that_is_not_the_configurations_is_refused(ecot):
    """Any name matches a wildcard of the workflow."""
    right = folder_of(END_TO_END)
    wrong = right.with_name("0123456789abcdef")
    for command in ("train", "evaluate"):
        refused = ecot(command, END_TO_END, "--into", str(wrong))
        assert refused.exit_code == 2
        assert refused.output.startswith(
            f"ecot: {wrong} is not the folder of {END_TO_END} in this configuration, which is"
        )
    assert not wrong.exists()
    done(ecot, "train", END_TO_END, "--into", str(right))
    assert (right / "run.json").is_file()


def test_data_are_prepared_and_their_checksum_is_printed(ecot):
    Path("results/datasets").unlink()
    printed = done(ecot, "data", "mnist_sample")
    assert printed == f"{sha256(Path('results/datasets/mnist_sample.npz'))}  results/datasets/mnist_sample.npz\n"
    assert json.loads(Path("results/datasets/mnist_sample.json").read_text())["version"] == 1


def test_the_schema_is_written(ecot):
    done(ecot, "schema", "--out", "schema.json")
    assert set(json.loads(Path("schema.json").read_text())["properties"]) >= {"run", "tasks", "select", "extensions"}


def test_a_training_that_waited_for_another_one_of_its_cell_trains_nothing(ecot):
    """Two workflows at once, or two commands: the second one finds the model finished when its turn comes."""
    folder = folder_of(END_TO_END)
    with alone(folder):
        command = [sys.executable, "-m", "ecot", "train", END_TO_END]
        waiter = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert "this process waits until that one ends" in waiter.stderr.readline()
        config = configuration.load(Path("config.yaml"))
        settings = cell_settings(config, Cell.parse(END_TO_END))
        train(settings, paths.dataset_path(settings.dataset), "cpu", config.compute, folder)
        before = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
    said = waiter.communicate(timeout=120)[1]
    assert waiter.returncode == 0, said
    assert "the model is finished; its files are linked again and nothing is trained" in said
    assert {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()} == before


@pytest.mark.parametrize(
    ("status", "arguments", "message"),
    [
        (2, ["make", "table_77"], "ecot: there is no product 'table_77'"),
        (1, ["make", "table_01"], "ecot: table_01 is not written: "),
        (1, ["show"], "ecot: run tiny has no results yet in results/tiny; `snakemake` makes them, see `ecot status`"),
        (1, ["show", "table_01"], "ecot: run tiny has none of these products yet; `ecot make table_01` writes them"),
        (1, ["status", "--run", "other"], "ecot: run other has not been started here"),
        (1, ["train", JOINT], "run.json is damaged or not what it should be"),
        (2, ["train", JOINT.replace("rate-8", "rate-7")], "ecot: rate 7 of super_resolution is not a positive mult"),
        (
            2,
            ["train", JOINT.replace("rate-8", "rate-10002")],
            "('rate-10002': Input should be less than",
        ),
        (2, ["train", JOINT.replace("rate-8", "rate-0")], "('rate-0': Input should be greater than 0)"),
        (2, ["train", "inpainting/restoration/seed-0"], "ecot: there is no task 'inpainting'"),
        (2, ["train", "jpeg/restoration/seed-0"], "ecot: no task 'jpeg' in the configuration"),
        (2, ["train", "super_resolution/restoration"], "is no name of a cell"),
        (2, ["train", END_TO_END.replace("independent", "shared")], "'shared' is no randomness of end_to_end"),
        (1, ["evaluate", END_TO_END], "run.json is damaged or not what it should be"),
        (1, ["clean-scores", "denoising"], "it is missing); `ecot classifier street_digits_sample` trains it anew"),
        (2, ["data", "cifar"], "ecot: there is no data set 'cifar'"),
        (
            1,
            ["compare", "tiny", "other"],
            "ecot: run 'tiny' has no index results/tiny/cells.csv; `ecot index` writes it",
        ),
        (2, ["index", "--config", "other.yaml"], "ecot: configuration other.yaml cannot be read: there is no such"),
    ],
)
def test_a_fault_ends_in_one_line_and_the_status_of_its_kind(ecot, status, arguments, message):
    """2 for what the user gave, 1 for what the machine did not do."""
    refused = ecot(*arguments)
    assert refused.exit_code == status
    assert message in refused.output
    assert len(refused.output.strip().splitlines()) == 1
    assert not [path for path in Path("results").rglob("*") if path.suffix in (".safetensors", ".md")]


@pytest.mark.parametrize("command", ["train", "evaluate"])
@pytest.mark.parametrize(
    ("weight", "message"),
    [("nan", "a finite number"), ("inf", "a finite number"), ("-1", "greater than or equal to 0"), ("x", "number")],
)
def test_an_option_obeys_the_type_of_its_setting(ecot, command, weight, message):
    refused = ecot(command, END_TO_END, f"--weight={weight}")
    assert refused.exit_code == 2
    assert f"Invalid value for '--weight': {weight}: Input should be " in refused.output
    assert message in refused.output


def test_an_extension_is_imported_before_the_name_of_a_cell_is_read(ecot, tiny, monkeypatch):
    """The mode of an extension can be named on the command line."""
    from ecot.modes import MODES

    monkeypatch.setattr(MODES, "_items", dict(MODES))
    Path("my_modes.py").write_text(
        "from ecot.modes import MODES, Mode\n"
        'MODES.register(Mode("copied", "copied", "ecot.systems.restoration:Restoration", {}, "x"))\n'
    )
    schedule = tiny["tasks"]["super_resolution"]["modes"]["end_to_end"]
    plain = {name: value for name, value in schedule.items() if name not in ("rates", "randomness")}
    change = {"extensions": ["my_modes"], "tasks": {"super_resolution": {"modes": {"copied": plain}}}}
    Path("config.yaml").write_text(yaml.safe_dump(merge(tiny, change)))
    done(ecot, "train", "super_resolution/copied/seed-0")
    assert (folder_of("super_resolution/copied/seed-0") / "model.safetensors").is_file()
