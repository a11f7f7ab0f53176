"""The structure is open: a module of the user's own adds a task, a mode, a data set, a measure and a product."""

import csv
import shutil
from pathlib import Path

import pytest
from checkout import Checkout

pytestmark = pytest.mark.workflow

EXTENSION = Path(__file__).parent / "extension"
SHORT = {"epochs": 1, "learning_rate": 1.0e-3, "decays": {}, "distribution_weight": 0.0}
GRID = {
    "run": "extended",
    "extensions": ["added", "added_report"],
    "device": "cpu",
    "tasks": {
        "super_resolution": None,
        "denoising": None,
        "fading": {
            "dataset": "ink", "n_train": 128, "n_test": 64, "width": 0.1, "levels": 4,
            "degradation": {"kind": "fading", "share": 0.5},
            "modes": {"clean": {**SHORT, "rates": [4], "randomness": ["common"]}},
        },
        "jpeg": {
            "dataset": "street_digits_sample", "n_train": 128, "n_test": 64, "width": 0.1, "levels": 8,
            "degradation": {"kind": "jpeg", "quality": 10},
            "modes": {"end_to_end": {**SHORT, "rates": [12], "randomness": ["common", "independent"]}},
        },
    },
    "evaluation": {"critic_steps": 2},
}  # fmt: skip


MADE = [
    f"results/extended/{name}"
    for name in (
        "metrics.csv", "tables/rate_distortion_table_fading.md", "tables/rate_distortion_table_jpeg.md",
        "figures/rate_distortion_jpeg.png", "bounds/images_fading.csv", "bounds/images_jpeg.csv",
        "tables/constraint.md", "tables/brightness.csv", "figures/brightness.png",
    )
]  # fmt: skip


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A checkout in which the extended grid has been run, but for what an extension adds nothing to."""
    made = Checkout(tmp_path_factory.mktemp("extended"), GRID)
    for module in EXTENSION.glob("*.py"):
        shutil.copy(module, made.folder)
    run = made.snakemake(*MADE, "--cores", "2")
    assert run.returncode == 0, run.stderr
    return made


def test_the_added_cells_are_trained_and_measured(checkout):
    rows = list(csv.DictReader((checkout.folder / "results/extended/metrics.csv").open()))
    assert [(row["task"], row["mode"], row["dataset"]) for row in rows] == [
        ("fading", "clean", "ink"),
        ("jpeg", "end_to_end", "street_digits_sample"),
        ("jpeg", "end_to_end", "street_digits_sample"),
    ]
    assert all(-1 < float(row["brightness"]) < 1 for row in rows)


def test_each_task_has_a_table_a_figure_a_constraint_table_and_bounds(checkout):
    results = checkout.folder / "results/extended"
    for task in ("fading", "jpeg"):
        assert list(results.glob(f"tables/rate_distortion*{task}.md"))
        assert (results / f"bounds/images_{task}.csv").is_file()
    assert (results / "figures/rate_distortion_jpeg.png").is_file()
    constraint = (results / "tables/constraint.md").read_text()
    assert "Restoration of contrast" in constraint
    assert "Removal of JPEG artefacts" in constraint


def test_the_added_measure_stands_in_the_tables(checkout):
    assert "brightness" in (checkout.folder / "results/extended/tables/constraint.md").read_text()


def test_the_added_product_is_written(checkout):
    results = checkout.folder / "results/extended"
    assert len((results / "tables/brightness.csv").read_text().splitlines()) == 4
    assert (results / "figures/brightness.png").read_bytes().startswith(b"\x89PNG")


def test_an_edit_of_the_added_system_trains_its_mode_alone(checkout):
    assert checkout.planned(*MADE) == {}
    undo = checkout.edit("added_system.py", "\nNEW = 1\n")
    try:
        jobs = checkout.planned()
    finally:
        undo()
    assert {rule: count for rule, count in jobs.items() if rule.startswith(("train", "evaluate"))} == {
        "train_clean": 1,
        "evaluate": 1,
    }


def test_an_edit_of_the_added_report_trains_nothing(checkout):
    undo = checkout.edit("added_report.py", "\nNEW = 1\n")
    try:
        jobs = checkout.planned()
    finally:
        undo()
    assert jobs["brightness"] == 1
    assert not any(rule.startswith("train") for rule in jobs)


def test_an_extension_that_is_not_there_is_named(checkout):
    run = checkout.snakemake("--dry-run", "--config", "extensions=[nowhere]")
    assert run.returncode == 2
    assert "config: extensions: 'nowhere' cannot be imported" in run.stderr
