"""Faults planted in a finished run: each is refused by name, with the command that makes the file anew.

`PLANTS` reads like a page of what a hostile user, or a careless one, does to files. One run is trained for them all.
"""

import csv
import io
import json
import os
import random
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
import yaml
from click.testing import CliRunner

from ecot import config as configuration
from ecot import sealed
from ecot.artefacts import tensors as tensor_file
from ecot.cli import main
from ecot.data.prepare import prepare
from ecot.files import sha256
from ecot.grid import paths
from ecot.grid.cell import Cell
from ecot.grid.plan import grid
from shortcuts import quick

SR = "super_resolution"
CELLS = {
    "low": f"{SR}/end_to_end/common/rate-4/seed-0",
    "high": f"{SR}/end_to_end/common/rate-8/seed-0",
    "plain": f"{SR}/end_to_end/independent/rate-8/seed-0",
    "joint": f"{SR}/joint/independent/rate-8/dither-fresh/seed-0",
    "twin": f"{SR}/end_to_end/common/rate-8/seed-1",
}
BOUNDS, SCORES = f"results/tiny/bounds/images_{SR}.csv", f"results/tiny/constraint/clean_scores_{SR}.csv"
DATA, INDEX, TABLE = "results/datasets/mnist_sample.npz", "results/tiny/cells.csv", "results/tiny/tables/table_05.md"
MADE = ("metrics", "table_05", "claims", f"bounds_images_{SR}", "figure_05")
QUICK = ("make", "metrics", "table_05", "claims")

TRAIN, EVALUATE = ("train", CELLS["joint"], "--force"), ("evaluate", CELLS["high"])
MEASURE_JOINT, TABLES, FIGURE = ("evaluate", CELLS["joint"]), QUICK, ("make", "figure_05")
SHOW, SHOW_TABLE = ("show",), ("show", "table_05")
KEEP, PRUNE, COMPARE = ("reference",), ("prune",), ("compare", "tiny", "other")
CLASSIFIER, CLEAN = ("classifier", "mnist_sample"), ("clean-scores", SR)
BOUND, CURVE = ("make", f"bounds_images_{SR}"), ("bounds", "images", "--task", SR, "--rate", "4")
DATASET, LIST, SCHEMA = ("data", "mnist_sample"), ("index",), ("schema", "--out", "schema.json")
# Those that only read come first: the others mend what they find.
EVERY_COMMAND = (
    *(
        SHOW,
        SHOW_TABLE,
        KEEP,
        PRUNE,
        COMPARE,
        CURVE,
        TABLES,
        EVALUATE,
        MEASURE_JOINT,
        TRAIN,
        ("train", CELLS["high"]),
    ),
    *(CLEAN, BOUND, CLASSIFIER, LIST, SCHEMA, DATASET),
)


def settings(values):
    """The configuration of the finished run: five models that train within a blink."""
    schedule = {"epochs": 1, "learning_rate": 1e-3}
    modes = {
        "end_to_end": {**schedule, "decays": {30: None}, "rates": [4, 8]},
        "joint": {**schedule, "decays": {50: None}, "rates": [8], "dither": ["fresh"]},
        "separate": None, "restoration": None, "baseline": None,
    }  # fmt: skip
    task = {"dataset": "mnist_sample", "n_train": 32, "n_test": 16, "width": 0.1, "modes": modes, "fit_weight": None}
    tiny = {
        "run": "tiny", "device": "cpu", "seeds": [0, 1], "tasks": {SR: task, "denoising": None},
        "training": {"batch_size": 16}, "evaluation": {"critic_steps": 1, "n_samples": 2},
    }  # fmt: skip
    return configuration.merge(values, tiny)


class Run:
    """A finished run in the working directory."""

    def __init__(self, *configs):
        self.configs = configs

    def __call__(self, *arguments):
        configs = [] if arguments[0] in ("schema", "compare") else [f"--config={path}" for path in self.configs]
        return CliRunner().invoke(main, [*arguments, *configs])

    def do(self, *arguments):
        result = self(*arguments)
        assert result.exit_code == 0, (arguments, result.output, result.exception)
        return result.output


def where(name):
    """A file by its short name: "high:metrics.csv" belongs to a cell, anything else is a path."""
    cell, colon, file = name.partition(":")
    if not colon:
        return Path(name)
    other = cell == "other"
    config = configuration.load(Path("config.yaml"), *([Path("other.yaml")] if other else []))
    parsed = Cell.parse(CELLS["high" if other else cell])
    if file in ("metrics.csv", "samples.npz", "samples.png"):
        return paths.measurement_folder(config, parsed) / file
    if file == "classifier":
        return paths.classifier_path("mnist_sample")
    return paths.model_folder(config, parsed) / file


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a finished run, and of a second one with one cell of other settings."""
    folder, before = tmp_path_factory.mktemp("finished"), Path.cwd()
    repository = Path(__file__).resolve().parents[1]
    values = yaml.safe_load((repository / "config.yaml").read_text())
    with pytest.MonkeyPatch.context() as patch:
        quick(patch, MADE)
        os.chdir(folder)
        try:
            Path("config.yaml").write_text(yaml.safe_dump(settings(values)))
            change = {"run": "other", "seeds": [0], "tasks": {SR: {"n_train": 64}}}
            Path("other.yaml").write_text(yaml.safe_dump(change))
            run, other = Run("config.yaml"), Run("config.yaml", "other.yaml")
            prepare("mnist_sample", Path("unused"), Path(DATA))
            for made in (run, other):
                made.do("index")
            run.do(*CLASSIFIER)
            for cell in grid(configuration.load(Path("config.yaml"))):
                run.do("train", cell.name)
                run.do("evaluate", cell.name)
            other.do("train", CELLS["high"])
            other.do("evaluate", CELLS["high"])
            run.do(*CLEAN)
            run.do("make", f"bounds_images_{SR}")
            run.do("make", "--all")
        finally:
            os.chdir(before)
    return folder


def copy_of(finished, folder):
    """A copy of the finished run that may be damaged, with the hard links of its models."""
    shutil.copytree(finished, folder, dirs_exist_ok=True)
    for kept in folder.glob("results/cells/**/.kept/*"):
        kept.unlink()
        kept.hardlink_to(kept.parent.parent / kept.name)


@pytest.fixture
def run(finished, tmp_path, monkeypatch):
    """A copy of the finished run in the working directory."""
    quick(monkeypatch, MADE)
    copy_of(finished, tmp_path)
    monkeypatch.chdir(tmp_path)
    return Run("config.yaml")


# What is done to a file.


def replaced(path, content):
    """Another file under the same name, as `mv` and most editors leave it: a kept link is not touched."""
    path = where(path)
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def copied(source, target):
    return lambda: replaced(target, where(source).read_bytes())


def copied_over(source, target):
    """As `cp` does: into the same file, so that its kept link changes, too."""
    return lambda: where(target).write_bytes(where(source).read_bytes())


def swapped(first, second):
    def plant():
        contents = where(first).read_bytes(), where(second).read_bytes()
        replaced(first, contents[1])
        replaced(second, contents[0])

    return plant


def folder_copied(source, target):
    return lambda: shutil.copytree(where(source), where(target), dirs_exist_ok=True)


def edited(path, old, new):
    def plant():
        text = where(path).read_text()
        assert re.search(old, text), text
        replaced(path, re.sub(old, new, text, count=1).encode())

    return plant


def entry(path, **entries):
    """Entries of the first row of a table; None removes a column."""

    def plant():
        rows = list(csv.DictReader(io.StringIO(where(path).read_text())))
        assert set(entries) <= set(rows[0])
        rows[0] |= {name: value for name, value in entries.items() if value is not None}
        names = [name for name in rows[0] if entries.get(name, "") is not None]
        text = io.StringIO()
        writer = csv.DictWriter(text, names, extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        replaced(path, text.getvalue().encode())

    return plant


def value(path, **values):
    """A value with a checksum that fits, as a faulty program would write it."""

    def plant():
        rows = list(csv.DictReader(io.StringIO(where(path).read_text())))
        assert set(values) <= set(rows[0])
        for row in rows:
            del row[sealed.CHECKSUM]
        sealed.write(where(path), {}, [rows[0] | values, *rows[1:]])

    return plant


def duplicated(path):
    """Its last line twice."""
    return lambda: replaced(path, b"".join([*(lines := where(path).read_bytes().splitlines(True)), lines[-1]]))


def cut(path, lines=1):
    """Without its last lines, at a line's end."""
    return lambda: replaced(path, b"".join(where(path).read_bytes().splitlines(True)[:-lines]))


def truncated(path):
    return lambda: replaced(path, where(path).read_bytes()[:-100])


def flipped(path):
    """One bit, in place."""

    def plant():
        content = bytearray(where(path).read_bytes())
        content[len(content) // 2] ^= 1
        where(path).write_bytes(content)

    return plant


def deleted(path):
    return lambda: where(path).unlink()


def weights(path, number):
    """A number among the weights of a model, whose checksums all fit."""

    def plant():
        name = where(path).name
        tensors, header = tensor_file.read(where(path), "")
        first = next(iter(tensors))
        tensors[first] = torch.full_like(tensors[first], number)
        tensor_file.write(where(path), tensors, header)
        record = where(path).with_name("run.json")
        if record.is_file():
            content = json.loads(record.read_text())
            del content["checksum"]
            content[f"{name}_sha256"] = sha256(where(path))
            replaced(str(record), json.dumps({**content, "checksum": sealed.digest(content)}).encode())

    return plant


def images(**change):
    """Other arrays in the samples of the cell of 8 bits, in place of what is there."""

    def plant():
        path = where("high:samples.npz")
        with np.load(path) as file:
            arrays = {name: file[name] for name in ("x", "y", "output")}
        arrays |= {name: function(arrays[name]) for name, function in change.items()}
        np.savez(path, **arrays)

    return plant


def data(change, *, stamped):
    """Other arrays in the prepared data set, with or without a stamp of their checksum."""

    def plant():
        with np.load(DATA) as file:
            arrays = dict(file)
        change(arrays)
        np.savez(DATA, **arrays)
        if stamped:
            stamp = Path(DATA).with_suffix(".json")
            stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "sha256": sha256(Path(DATA))}))

    return plant


def darker(arrays):
    arrays["test_images"] = arrays["test_images"] // 2
    arrays["train_images"] = arrays["train_images"] // 2


def mislabelled(arrays):
    arrays["train_labels"] = arrays["train_labels"] + 100
    arrays["test_labels"] = arrays["test_labels"] + 100


def smaller(arrays):
    for name in ("train_images", "test_images"):
        arrays[name] = np.ascontiguousarray(arrays[name][:, :, :14, :14])


def of_another_task():
    """The bounds of another task, whose file was copied over this one's."""
    rows = [dict(row) for row in csv.DictReader(io.StringIO(Path(BOUNDS).read_text()))]
    for row in rows:
        row |= {"task": "denoising", "dataset": "svhn"}
        del row["checksum"]
    sealed.write(Path(BOUNDS), {}, rows)


def scores_of_another_task():
    rows = [dict(row) for row in csv.DictReader(io.StringIO(Path(SCORES).read_text()))]
    for row in rows:
        row["task"] = "denoising"
        del row["checksum"]
    sealed.write(Path(SCORES), {}, rows)


class Plant(NamedTuple):
    """What is done, which command meets it, which file its message names, and what it says of it."""

    what: str
    plant: object
    command: tuple
    file: str
    says: str


PLANTS = [
    # Rows of metrics
    Plant("metrics of rate 4 under rate 8", copied("low:metrics.csv", "high:metrics.csv"), TABLES,
          "high:metrics.csv", "rate_bits is 4, not 8"),
    Plant("metrics of two rates swapped", swapped("low:metrics.csv", "high:metrics.csv"), TABLES,
          "low:metrics.csv", "rate_bits is 8, not 4"),
    Plant("metrics of another seed", copied("twin:metrics.csv", "high:metrics.csv"), TABLES,
          "high:metrics.csv", "seed is 1, not 0"),
    Plant("metrics of the other randomness", copied("plain:metrics.csv", "high:metrics.csv"), TABLES,
          "high:metrics.csv", "randomness is independent, not common"),
    Plant("metrics of another mode", copied("joint:metrics.csv", "plain:metrics.csv"), TABLES,
          "plain:metrics.csv", "mode is joint, not end_to_end"),
    Plant("metrics of the same cell of another run", copied("other:metrics.csv", "high:metrics.csv"), TABLES,
          "high:metrics.csv", "model is .*, not"),
    Plant("metrics of an older measurement",
          edited("high:metrics.csv", r"(?<=,)[0-9a-f]{16}(?=,[0-9a-f]{64})", "0" * 16), TABLES,
          "high:metrics.csv", "measurement is 0000000000000000, not"),
    Plant("metrics of other data", edited("high:metrics.csv", r"[0-9a-f]{64}", "1" * 64), TABLES,
          "high:metrics.csv", "dataset_sha256 is 1111"),
    Plant("metrics without a column", entry("high:metrics.csv", mse_target=None), TABLES,
          "high:metrics.csv", "it has no value of mse_target"),
    Plant("metrics with an empty value", entry("high:metrics.csv", mse_input=""), TABLES,
          "high:metrics.csv", "it has no value of mse_input"),
    Plant("metrics with NaN", value("high:metrics.csv", mse_input="nan"),
          TABLES, "high:metrics.csv", "mse_input is nan"),
    Plant("metrics with an infinite value", value("high:metrics.csv", mse_input="inf"), TABLES,
          "high:metrics.csv", "mse_input is inf"),
    Plant("metrics with a negative error", value("high:metrics.csv", mse_input="-0.5"), TABLES,
          "high:metrics.csv", "mse_input is -0.5"),
    Plant("metrics with an accuracy above 1", value("high:metrics.csv", classifier_accuracy="1.5"), TABLES,
          "high:metrics.csv", "classifier_accuracy is 1.5"),
    Plant("metrics with a better number by hand", entry("high:metrics.csv", mse_input="0.01"), TABLES,
          "high:metrics.csv", "it has changed since it was written"),
    Plant("metrics with another number of test images", entry("high:metrics.csv", n_test="10000"), TABLES,
          "high:metrics.csv", "it has changed since it was written"),
    Plant("metrics with the row twice", duplicated("high:metrics.csv"),
          TABLES, "high:metrics.csv", "2 rows, not one"),
    Plant("metrics without the row", cut("high:metrics.csv"), TABLES, "high:metrics.csv", "it has 0 rows"),
    Plant("metrics that are cut off", truncated("high:metrics.csv"), TABLES, "high:metrics.csv", "complete|changed"),
    Plant("an image under the name of metrics", copied("high:samples.png", "high:metrics.csv"), TABLES,
          "high:metrics.csv", "decode"),
    Plant("metrics of another cell in a comparison of runs", copied("low:metrics.csv", "high:metrics.csv"), COMPARE,
          "high:metrics.csv", "rate_bits is 4, not 8"),
    # Sample images
    Plant("samples of another rate", copied("low:samples.npz", "high:samples.npz"), FIGURE,
          "high:samples.npz", "rate_bits is 4, not 8"),
    Plant("samples of two rates swapped", swapped("low:samples.npz", "high:samples.npz"), FIGURE,
          "low:samples.npz", "rate_bits is 8, not 4"),
    Plant("samples of another run", copied("other:samples.npz", "high:samples.npz"), FIGURE,
          "high:samples.npz", "model is .*, not"),
    Plant("samples that say nothing of their cell", images(), FIGURE, "high:samples.npz", "made_for"),
    Plant("samples with NaN", images(output=lambda array: array * np.nan), FIGURE, "high:samples.npz", "not finite"),
    Plant("samples of several shapes", images(x=lambda array: array[:1]), FIGURE, "high:samples.npz", "shapes"),
    Plant("samples with a flipped bit", flipped("high:samples.npz"), FIGURE, "high:samples.npz", "CRC|damaged"),
    # Models
    Plant("a model of another rate", folder_copied("low:.", "high:."), EVALUATE,
          "high:model.safetensors", "rate_bits is 4, not 8"),
    Plant("a model of another seed", folder_copied("twin:.", "high:."), EVALUATE,
          "high:model.safetensors", "seed is 1, not 0"),
    Plant("the same cell's model of another run", folder_copied("other:.", "high:."), EVALUATE,
          "high:model.safetensors", "n_train is 64, not 32"),
    Plant("a model's tensors alone of another run", copied("other:model.safetensors", "high:model.safetensors"),
          EVALUATE,
          "high:model.safetensors", "it has changed since its training"),
    Plant("two models' tensors swapped", swapped("low:model.safetensors", "high:model.safetensors"), EVALUATE,
          "high:model.safetensors", "it has changed since its training"),
    Plant("a model copied over another, with cp", copied_over("low:model.safetensors", "high:model.safetensors"),
          EVALUATE,
          "high:model.safetensors", "it has changed since its training"),
    Plant("a model with a flipped bit", flipped("high:model.safetensors"), EVALUATE,
          "high:model.safetensors", "it has changed since its training"),
    Plant("a model that is cut off", truncated("high:model.safetensors"), EVALUATE,
          "high:model.safetensors", "it has changed since its training"),
    Plant("a model that is gone", deleted("high:model.safetensors"),
          EVALUATE, "high:model.safetensors", "it is missing"),
    Plant("a model with NaN weights and checksums that fit", weights("high:model.safetensors", np.nan), EVALUATE,
          "high:model.safetensors", "its weights are not finite"),
    Plant("a model with infinite weights", weights("high:model.safetensors", np.inf), EVALUATE,
          "high:model.safetensors", "its weights are not finite"),
    Plant("a model with weights so large that its outputs are not finite", weights("high:model.safetensors", 3e38),
          EVALUATE, "high:model.safetensors", "not finite"),
    Plant("a run record of another cell", copied("low:run.json", "high:run.json"), EVALUATE,
          "high:", "it has changed since its training"),
    Plant("a run record whose commit was edited", edited("high:run.json", r'"commit": "[^"]*"', '"commit": "abc"'),
          KEEP,
          "high:run.json", "it has changed since its training"),
    Plant("a run record with NaN seconds", edited("high:run.json", r'"seconds": [0-9.]+', '"seconds": NaN'), KEEP,
          "high:run.json", "it has changed since its training"),
    Plant("a history of another cell", copied("low:history.csv", "high:history.csv"), KEEP,
          "high:history.csv", "it has changed since its training"),
    Plant("a history that was edited", edited("high:history.csv", r"epoch", "Epoch"), EVALUATE,
          "high:history.csv", "it has changed since its training"),
    Plant("settings of another cell", copied("low:config.yaml", "high:config.yaml"), EVALUATE,
          "high:config.yaml", "it has changed since its training"),
    Plant("a frozen model of another run", folder_copied("low:.", "plain:."), TRAIN,
          "plain:model.safetensors", "randomness is '?common"),
    Plant("a frozen model with NaN weights", weights("plain:model.safetensors", np.nan), TRAIN,
          "plain:model.safetensors", "its weights are not finite"),
    # Classifiers
    Plant("a model under the name of the classifier", copied("high:model.safetensors", "high:classifier"), EVALUATE,
          "high:classifier", "other data|dataset is"),
    Plant("a classifier with NaN weights", weights("high:classifier", np.nan), EVALUATE,
          "high:classifier", "its weights are not finite"),
    Plant("a classifier with a flipped bit", flipped("high:classifier"), CLEAN, "high:classifier", "SHA-256"),
    Plant("a classifier that is gone", deleted("high:classifier"), EVALUATE, "high:classifier", "it is missing"),
    # Data
    Plant("darker images in the data set", data(darker, stamped=False), TRAIN, DATA, "SHA-256"),
    Plant("darker images with a stamp that fits", data(darker, stamped=True), EVALUATE,
          "high:model.safetensors", "the prepared data set has"),
    Plant("darker images under finished metrics", data(darker, stamped=True), TABLES,
          "high:metrics.csv", "dataset_sha256 is"),
    Plant("labels that are no digits", data(mislabelled, stamped=True), CLASSIFIER, DATA, "label"),
    Plant("images of another size", data(smaller, stamped=True), TRAIN,
          "plain:model.safetensors", "it was trained on data of SHA-256"),
    Plant("a stamp of another data set", edited("results/datasets/mnist_sample.json", "mnist_sample", "mnist"), TRAIN,
          DATA, "holds mnist version 1, not mnist_sample"),
    Plant("a stamp of an older version", edited("results/datasets/mnist_sample.json", '"version": 1', '"version": 0'),
          CURVE, DATA, "holds mnist_sample version 0"),
    # What is known of the test set
    Plant("bounds of another task", of_another_task, TABLES, BOUNDS, f"task is denoising, not {SR}"),
    Plant("bounds of other settings", edited(BOUNDS, r"(?<=,)[0-9a-f]{16}(?=,)", "0" * 16), TABLES,
          BOUNDS, "fingerprint is 0000"),
    Plant("bounds with NaN", value(BOUNDS, distortion="nan"), TABLES, BOUNDS, "not finite"),
    Plant("bounds with a negative distortion", value(BOUNDS, distortion="-1"), TABLES, BOUNDS, "below 0"),
    Plant("bounds that were edited", entry(BOUNDS, distortion="0.001"),
          TABLES, BOUNDS, "changed since it was written"),
    Plant("bounds cut at the end of a line", cut(BOUNDS), TABLES, BOUNDS, "changed since it was written"),
    Plant("bounds with a row twice", duplicated(BOUNDS), TABLES, BOUNDS, "changed since it was written"),
    Plant("clean scores of another task", scores_of_another_task, TABLES, SCORES, f"task is denoising, not {SR}"),
    Plant("bounds under the name of clean scores", copied(BOUNDS, SCORES), TABLES, SCORES, "fingerprint is"),
    Plant("clean scores without a column", entry(SCORES, gelbrich=None), TABLES, SCORES, "gelbrich|changed"),
    Plant("clean scores with an infinite value", value(SCORES, gelbrich="inf"), TABLES, SCORES, "gelbrich is inf"),
    Plant("clean scores that were edited", entry(SCORES, gelbrich="0.5"),
          TABLES, SCORES, "changed since it was written"),
    Plant("clean scores cut at the end of a line", cut(SCORES), TABLES, SCORES, "its rows are|changed"),
    # The index and the products
    Plant("an index cut at the end of a line", cut(INDEX), PRUNE, INDEX, "changed since it was written"),
    Plant("an index with a line twice", duplicated(INDEX), PRUNE, INDEX, "changed since it was written"),
    Plant("the index of another run", copied("results/other/cells.csv", INDEX),
          PRUNE, INDEX, "run is other, not tiny"),
    Plant("an index in a comparison", cut(INDEX, 3), COMPARE, INDEX, "changed since it was written"),
    Plant("the resolved configuration of another run",
          copied("results/other/config.yaml", "results/tiny/config.yaml"),
          KEEP, "results/tiny/config.yaml", "it is not this configuration"),
    Plant("a run record of another cell in the summary", copied("low:run.json", "high:run.json"), SHOW,
          "high:config.yaml", "it is missing, or has changed since its training"),
    Plant("a run record with another time by hand", edited("high:run.json", r'"seconds": ', '"seconds": 9'), SHOW,
          "high:run.json", "it has changed since its training"),
    Plant("a table with a better number by hand", edited(TABLE, r"0\.\d\d\d\d", "0.0001"), SHOW_TABLE,
          TABLE, "it has changed since it was made"),
    Plant("a table of another name", copied("results/tiny/claims.md", TABLE), SHOW_TABLE,
          TABLE, "it has changed since it was made"),
    Plant("a table that was edited in what is kept", edited(TABLE, r"0\.\d\d\d\d", "0.0001"), KEEP,
          TABLE, "it has changed since it was made"),
    Plant("a table that nobody says was made", deleted("results/tiny/.made/table_05.json"), SHOW_TABLE,
          "results/tiny/tables/table_05.csv", "nothing says that it is table_05 of run tiny"),
]  # fmt: skip
IDS = [plant.what for plant in PLANTS]


def test_there_are_enough_plants():
    assert len(PLANTS) >= 40
    assert len(set(IDS)) == len(IDS)


@pytest.mark.parametrize("planted", PLANTS, ids=IDS)
def test_a_plant_is_refused_by_name_with_the_way_out(run, planted):
    planted.plant()
    refused = run(*planted.command)
    assert refused.exit_code == 1, refused.output
    clean(refused)
    path = str(where(planted.file))
    lines = [line for line in refused.output.splitlines() if path in line and re.search(planted.says, line)]
    assert lines, refused.output
    assert re.search("`ecot [a-z]", lines[0]), "it names the command that makes the file anew"


@pytest.mark.parametrize("planted", PLANTS, ids=IDS)
def test_no_command_shows_a_traceback(run, planted):
    planted.plant()
    for command in EVERY_COMMAND:
        clean(run(*command))


def clean(result):
    """A command ends well, or with a message."""
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert "Traceback" not in result.output


def outcome(run):
    """What the readers say, and every number that a finished run is for."""
    said = [run(*command) for command in (SHOW, SHOW_TABLE, COMPARE, EVALUATE, ("make", "metrics", "table_05"))]
    for result in said:
        clean(result)
    files = [where("high:metrics.csv"), Path(TABLE), Path("results/tiny/metrics.csv")]
    return [result.exit_code for result in said], [path.read_bytes() if path.is_file() else b"" for path in files]


@pytest.mark.parametrize("seed", range(12))
def test_two_files_that_are_swapped_are_refused_or_change_nothing(run, seed):
    """Any two files of a run: after it the outputs are equal, or a command has refused one of them."""
    numbers = random.Random(seed)
    there = sorted(str(path) for path in Path("results").rglob("*") if path.is_file())
    expected = [
        path.read_bytes() for path in (where("high:metrics.csv"), Path(TABLE), Path("results/tiny/metrics.csv"))
    ]
    first, second = numbers.sample(there, 2)
    swapped(first, second)()
    codes, found = outcome(run)
    assert any(codes) or found == expected, (first, second)
