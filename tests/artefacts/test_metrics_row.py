"""The row of metrics of a cell: what is written is read, and nothing else is."""

import csv
import subprocess
import sys

import pytest

from ecot.artefacts import DamagedError, metrics
from ecot.grid.cell_settings import MeasurementSettings
from ecot.quantities import MEASURES, QUANTITIES, Measure, Quantity, measures, register

WAY_OUT = "measures the cell again"
VALUES = {
    "mse_input": 0.125, "mse_target": 1 / 3, "gelbrich": 0.01, "sliced_w2": 2.5e-5, "frechet_distance": 7.0,
    "kernel_distance": -0.001, "critic_w1": -0.02, "classifier_accuracy": 0.97,
}  # fmt: skip
KEY = metrics.Key(
    task="denoising", mode="joint", randomness="independent", rate_bits=12, dither="fresh", latent_dim=4, levels=8,
    seed=0, dataset="svhn", distribution_weight=1e-3, model="0123456789abcdef", measurement="fedcba9876543210",
    dataset_sha256="ab" * 32,
)  # fmt: skip


@pytest.fixture
def path(tmp_path):
    """A row's file."""
    metrics.write(tmp_path / "metrics.csv", KEY, 64, VALUES)
    return tmp_path / "metrics.csv"


def refused(path, reason, key=KEY):
    with pytest.raises(DamagedError) as error:
        metrics.read(path, key)
    assert str(path) in str(error.value)
    assert reason in str(error.value)
    assert str(error.value).endswith(WAY_OUT)
    assert len(str(error.value).splitlines()) == 1


def edit(path, **entries):
    """Write other entries into the row; None removes a column."""
    with path.open() as file:
        (row,) = csv.DictReader(file)
    row = {name: value for name, value in {**row, **entries}.items() if value is not None}
    with path.open("w") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerow(row)


def test_a_round_trip_is_exact(path):
    row = metrics.read(path, KEY)
    assert row == {**KEY.model_dump(), "n_test": 64, **dict.fromkeys(QUANTITIES), **VALUES}
    assert len(path.read_text().splitlines()) == 2


def test_the_first_row_that_a_process_reads_knows_all_measures(path):
    code = (
        "import sys; from pathlib import Path; from ecot.artefacts import metrics;"
        "metrics.read(Path(sys.argv[1]), metrics.Key.model_validate_json(sys.argv[2])); print('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(path), KEY.model_dump_json()]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_row_without_rate_and_randomness(tmp_path):
    key = KEY.model_copy(
        update={"mode": "restoration", "randomness": None, "rate_bits": None, "dither": None, "latent_dim": 0}
    )
    metrics.write(tmp_path / "metrics.csv", key, 64, VALUES)
    row = metrics.read(tmp_path / "metrics.csv", key)
    assert (row["randomness"], row["rate_bits"], row["latent_dim"]) == (None, None, 0)


def test_quantities_of_some_modes_only(tmp_path):
    more = {"mse_x_y1": 0.1, "mse_y_y2": 0.2, "mse_y1_y2": 0.3, "loss_decomposed": 0.6}
    metrics.write(tmp_path / "metrics.csv", KEY, 64, VALUES | more)
    row = metrics.read(tmp_path / "metrics.csv", KEY)
    assert {name: row[name] for name in more} == more


def test_the_key_is_that_of_the_cell(settings):
    made = settings(task="denoising", mode="restoration", seed=3)
    key = metrics.key(made, "m", "n")
    assert key.model_dump() == {
        "task": "denoising", "mode": "restoration", "randomness": None, "rate_bits": None, "dither": None,
        "latent_dim": 0,
        "levels": 8, "seed": 3, "dataset": "street_digits_sample", "distribution_weight": 0.03,
        "model": "m", "measurement": "n", "dataset_sha256": None, "n_validation": None,
    }  # fmt: skip
    assert metrics.key(settings(), "m", "n").latent_dim == 4
    assert set(MeasurementSettings.model_fields).isdisjoint(set(metrics.Key.model_fields) - {"seed"})


OTHERS = {
    "task": "super_resolution", "mode": "separate", "randomness": "common", "rate_bits": 24, "dither": "shared",
    "latent_dim": 8,
    "levels": 4, "seed": 1, "dataset": "mnist", "distribution_weight": 2e-3, "model": "0" * 16,
    "measurement": "1" * 16, "dataset_sha256": "cd" * 32, "n_validation": 5,
}  # fmt: skip


@pytest.mark.parametrize("name", metrics.Key.model_fields)
def test_every_entry_of_the_key_is_compared(path, name):
    other = KEY.model_copy(update={name: OTHERS[name]})
    refused(path, f"it is another cell's: {name} is {getattr(KEY, name)}, not {OTHERS[name]}", other)
    edit(path, **{name: None})
    refused(path, f"it has no column {name}")


def test_all_that_differs_is_named(path):
    other = KEY.model_copy(update={"seed": 1, "model": "0" * 16})
    refused(path, f"seed is 0, not 1; model is 0123456789abcdef, not {'0' * 16}", other)


@pytest.mark.parametrize(
    "name", sorted(set(metrics.Key.model_fields) - {"n_validation"})
)  # which is empty in this row
def test_an_empty_entry_of_the_key_is_refused(path, name):
    edit(path, **{name: ""})
    refused(path, "")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("mse_input", "nan", "mse_input is nan; allowed: 0 to inf"),
        ("mse_input", "inf", "mse_input is inf"),
        ("mse_input", "-inf", "mse_input is -inf"),
        ("mse_target", "-0.1", "mse_target is -0.1; allowed: 0 to inf"),
        ("classifier_accuracy", "1.1", "classifier_accuracy is 1.1; allowed: 0 to 1"),
        ("kernel_distance", "nan", "kernel_distance is nan"),
        ("mse_input", "much", "could not convert string to float"),
        ("loss_decomposed", "-1", "loss_decomposed is -1"),
        ("mse_input", "", "it has no value of mse_input"),
        ("gelbrich", "", "it has no value of gelbrich"),
        ("rate_bits", "twelve", "invalid literal for int"),
        ("n_test", "", "invalid literal for int"),
        ("n_test", "6.5", "invalid literal for int"),
    ],
)
def test_a_value_that_no_measurement_gives_is_refused(path, name, text, reason):
    edit(path, **{name: text})
    refused(path, reason)


@pytest.mark.parametrize("name", VALUES)
def test_a_missing_column_is_refused(path, name):
    edit(path, **{name: None})
    refused(path, f"it has no value of {name}")


def test_the_number_of_test_images_is_needed(path):
    edit(path, n_test=None)
    refused(path, "n_test")


def test_an_unknown_column_is_refused(path):
    edit(path, beauty="0.9", age="7")
    refused(path, "it has unknown columns: age, beauty")


def test_other_than_one_row_is_refused(path):
    header, row = path.read_text().splitlines()
    for text in (header, f"{header}\n{row}\n{row}\n"):
        path.write_text(text)
        refused(path, "rows, ")
    for text in (f"{header}\n{row},1\n", f"{header}\n{row[: row.rindex(',')]}\n"):
        path.write_text(text)
        refused(path, "it has 1 rows, and not all are complete")


def test_a_missing_file_is_refused(tmp_path):
    refused(tmp_path / "metrics.csv", "No such file")


def test_a_row_from_before_a_measure_was_added_names_the_measure_and_the_way_out(path, monkeypatch):
    """And not a KeyError somewhere in a table."""
    measures()
    for registry in (QUANTITIES, MEASURES):
        monkeypatch.setattr(registry, "_items", dict(registry))
    register(Measure(Quantity("beauty", "beauty", "beauty", 2, "", "higher"), lambda *_: 0.5, "outputs"))
    refused(path, "it has no value of beauty")
    metrics.write(path, KEY, 64, {**VALUES, "beauty": 0.5})
    assert metrics.read(path, KEY)["beauty"] == 0.5
