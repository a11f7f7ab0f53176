"""The graph: what it builds, what reruns, what it refuses, and what a failed cell takes with it."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from checkout import REPOSITORY, Checkout

pytestmark = pytest.mark.workflow

CELL = "results/tiny/cells/{}/end_to_end/{}/rate-{}/seed-0"
SHORT = {"epochs": 1, "decay_epoch": 1}
TINY = {
    "run": "tiny",
    "device": "cpu",
    "seeds": [0],
    "tasks": {
        "super_resolution": {
            "dataset": "mnist_sample", "n_train": 128, "n_test": 64, "width": 0.1,
            "modes": {
                "end_to_end": {**SHORT, "rates": [4, 8]},
                "joint": {**SHORT, "rates": [8]},
                "separate": {**SHORT, "rates": [8]},
                "restoration": SHORT,
                "baseline": {**SHORT, "rates": [8], "randomness": ["common"]},
            },
        },
        "denoising": {
            "dataset": "street_digits_sample", "n_train": 128, "n_test": 64, "width": 0.1,
            "modes": {
                "end_to_end": {**SHORT, "rates": [12]},
                "joint": None, "separate": None, "restoration": None, "baseline": None,
            },
        },
    },
    "evaluation": {"critic_steps": 2},
    "resources": {"train": {"threads": 1}},
}  # fmt: skip


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A checkout in which the tiny grid has been run."""
    made = Checkout(tmp_path_factory.mktemp("checkout"), TINY)
    run = made.snakemake("--cores", "2")
    assert run.returncode == 0, run.stderr
    return made


def test_the_grid_is_built(checkout):
    files = {str(path.relative_to(checkout.folder)) for path in checkout.folder.rglob("*") if path.is_file()}
    for task, randomness, rate in (
        ("super_resolution", "common", 4), ("super_resolution", "independent", 8), ("denoising", "common", 12)
    ):  # fmt: skip
        cell = CELL.format(task, randomness, rate)
        for name in ("model.safetensors", "config.yaml", "history.csv", "run.json", "metrics.csv", "samples.png"):
            assert f"{cell}/{name}" in files
        for name in ("train.log", "train.tsv", "evaluate.log", "evaluate.tsv"):
            assert f"{cell.replace('results', 'logs', 1)}/{name}" in files
    for cell in ("joint/independent/rate-8/seed-0", "baseline/common/rate-8/seed-0", "restoration/seed-0"):
        assert f"results/tiny/cells/super_resolution/{cell}/metrics.csv" in files
    for number in ("01", "02", "03", "04", "05", "06", "07", "09", "10", "11", "12", "13", "14", "15"):
        for suffix in ("csv", "md", "tex"):
            assert f"results/tiny/tables/table_{number}.{suffix}" in files
    assert {"results/tiny/metrics.csv", "results/tiny/config.yaml"} <= files
    for name in ("tables/paired", "claims", "paper_comparison", "paper_summary"):
        assert {f"results/tiny/{name}.csv", f"results/tiny/{name}.md"} <= files
    assert "results/tiny/figures/paper_comparison.png" in files
    for number in ("03", "05", "06", "07", "08"):
        assert {f"results/tiny/figures/figure_{number}.{suffix}" for suffix in ("svg", "png")} <= files
    for name in ("figure_03", "figure_08_points", "images_super_resolution", "images_denoising"):
        assert f"results/tiny/bounds/{name}.csv" in files
    for name in ("tables/constraint.csv", "tables/constraint.md", "figures/constraint.svg", "figures/constraint.png"):
        assert f"results/tiny/{name}" in files
    for name in ("results/datasets/mnist_sample.classifier.json", "results/tiny/constraint/levels_denoising.csv"):
        assert name in files
    assert yaml.safe_load((checkout.folder / "results/tiny/config.yaml").read_text())["run"] == "tiny"


def test_a_second_run_and_a_touch_rerun_nothing(checkout):
    assert checkout.planned() == {}
    for path in checkout.folder.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts:
            path.touch()
    assert checkout.planned() == {}


SR = {"train_end_to_end": 4, "train_joint": 1, "train_separate": 1, "train_restoration": 1, "train_baseline": 1}
# What is made of all cells of a run.
WHOLE = {"paired": 1, "claims": 1, "comparison": 1, "constraint": 1}
OF_CELLS = {"metrics": 1, "table": 8, "figure": 1, **WHOLE}
MEASURED = {"evaluate": 10, "constraint_levels": 2, **OF_CELLS}
CELLS = {**SR, "train_end_to_end": 6, "evaluate": 10, **OF_CELLS}


@pytest.mark.parametrize(
    ("path", "jobs"),
    [
        ("training/loop.py", CELLS),
        ("nn/critic.py", {**CELLS, "constraint_levels": 2, "architecture_tables": 1}),
        (
            "data/street_digits.py",
            {"dataset": 2, "bounds_images": 2, "classifier": 2, "constraint_levels": 2, **CELLS},
        ),
        (
            "tasks/denoising.py",
            {"train_end_to_end": 2, "evaluate": 2, **OF_CELLS, "table": 2, "architecture_tables": 1},
        ),
        ("evaluation/cell.py", {"evaluate": 10, **OF_CELLS}),
        ("evaluation/constraint.py", MEASURED),
        ("nn/classifier.py", {"classifier": 2, **MEASURED}),
        ("reporting/constraint.py", {"constraint": 1}),
        ("reporting/tables.py", {"table": 8, "settings_tables": 1, "architecture_tables": 1, **WHOLE}),
        ("paper/claims.py", {"claims": 1, "comparison": 1}),
        ("theory/claims/binary.py", {"claims": 1, "comparison": 1}),
        ("reporting/comparison.py", {"comparison": 1}),
        ("reporting/figures.py", {"figure": 1}),
        ("reporting/theory.py", {"theory_figures": 1}),
        ("theory/images.py", {"bounds_images": 2, **MEASURED}),
        ("cli.py", {}),
    ],
)
def test_an_edit_reruns_its_stage(checkout, path, jobs):
    undo = checkout.edit(f"src/ecot/{path}", "\nNEW = 1\n")
    try:
        assert checkout.planned() == jobs
    finally:
        undo()


def test_a_comment_reruns_nothing(checkout):
    undo = checkout.edit("src/ecot/training/loop.py", "\n# a comment\n")
    try:
        assert checkout.planned() == {}
    finally:
        undo()


# What shows the settings of a run is made anew with them.
SHOWN = {"config": 1, **OF_CELLS, "settings_tables": 1, "architecture_tables": 1}


@pytest.mark.parametrize(
    ("setting", "jobs"),
    [
        (
            "tasks={super_resolution: {modes: {end_to_end: {distribution_weight: 0.5}}}}",
            # joint and separate stand on end-to-end models, the baseline does not.
            {**SHOWN, "train_end_to_end": 4, "train_joint": 1, "train_separate": 1, "evaluate": 6},
        ),
        (
            "tasks={super_resolution: {modes: {restoration: {epochs: 2}}}}",
            {**SHOWN, "train_restoration": 1, "train_baseline": 1, "evaluate": 2},
        ),
        ("tasks={super_resolution: {n_train: 100}}", {**SHOWN, **SR, "evaluate": 8, "constraint_levels": 1}),
        ("tasks={denoising: {n_test: 32}}", {**SHOWN, "evaluate": 2, "constraint_levels": 1, "bounds_images": 1}),
        ("evaluation={critic_steps: 3}", {**SHOWN, "evaluate": 10, "constraint_levels": 2}),
        (
            "tasks={denoising: {modes: {end_to_end: {rates: [12, 15]}}}}",
            {**SHOWN, "train_end_to_end": 2, "evaluate": 2, "bounds_images": 1},
        ),
        ("resources={train: {mem_mb: 999}}", {"config": 1}),
    ],
)
def test_a_setting_reruns_the_cells_concerned(checkout, setting, jobs):
    assert checkout.planned("--config", setting) == jobs


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("sedes=[1]", "config: sedes: unknown setting; did you mean seeds? allowed: run, device, seeds"),
        (
            "tasks={denoising: {modes: {end_to_end: {rates: [13]}}}}",
            "config: tasks.denoising: modes.end_to_end.rates: 13 is not a multiple of log2(levels) = 3; write 12",
        ),
        ("device=gpu", "config: device: 'gpu': must be 'auto', 'cpu', 'cuda' or 'mps'"),
    ],
)
def test_a_wrong_setting_is_refused_before_the_graph(checkout, setting, message):
    run = checkout.snakemake("--dry-run", "--config", setting)
    assert run.returncode == 1
    assert message in run.stderr
    assert "Traceback" not in run.stderr
    assert "Building DAG" not in run.stderr


@pytest.mark.parametrize(("device", "gpus"), [("cpu", 0), ("auto", 1), ("cuda", 1)])
def test_gpu_trainings_ask_for_a_gpu(checkout, device, gpus):
    target = CELL.format("denoising", "common", 99) + "/model.safetensors"
    plan = checkout.snakemake(target, "--dry-run", "--config", f"device={device}")
    assert plan.returncode == 0, plan.stderr
    training = re.search(r"rule train_end_to_end:.*?resources: (.*?)\n", plan.stdout + plan.stderr, re.S)[1]
    assert ("gpu=1" in training) == (gpus == 1)


def test_the_papers_grid_is_planned(checkout):
    plan = checkout.snakemake("--dry-run", config=None)
    assert re.search(r"^evaluate +150$", plan.stdout + plan.stderr, re.M), plan.stderr


SWEEP = (
    "tasks={super_resolution: {modes: {end_to_end: {randomness: [common]}},"
    " fit_weight: {weights: [0.001, 0.02, 0.4], rates: [8]}}}"
)


def test_a_sweep_of_lambda_is_trained_and_fitted(checkout):
    """The default target neither makes it nor is touched by its settings, beyond the record of them."""
    jobs = {"train_fit_weight": 3, "evaluate": 3, "score_weights": 1, "fit_weight": 1}
    assert checkout.planned("fit_weight", "--config", SWEEP) == jobs
    run = checkout.snakemake("fit_weight", "--cores", "2", "--config", SWEEP)
    assert run.returncode == 0, run.stderr
    folder = checkout.folder / "results/tiny/fit_weight"
    assert {path.suffix for path in folder.iterdir()} == {".csv", ".json", ".svg", ".png"}
    found = json.loads((folder / "super_resolution.json").read_text())
    assert [row["distribution_weight"] for row in found["curve"]] == [0.001, 0.02, 0.4]
    assert 0.001 <= found["fitted_weight"] <= 0.4
    # Trained with the weight of its name: at the grid's own weight it is the grid's model, bit for bit.
    swept = checkout.folder / "results/tiny/cells/super_resolution/fit_weight/weight-{}/common/rate-8/seed-0"
    grid = checkout.folder / CELL.format("super_resolution", "common", 8)
    same, other = (Path(str(swept).format(weight)) / "metrics.csv" for weight in (0.001, 0.4))
    assert same.read_text() == (grid / "metrics.csv").read_text() != other.read_text()
    assert checkout.planned("fit_weight", "--config", SWEEP) == {}
    assert checkout.planned("--config", "tasks={super_resolution: {fit_weight: {rates: [8]}}}") == {"config": 1}


def test_a_sweep_without_published_numbers_is_refused_before_it_is_trained(checkout):
    plan = checkout.snakemake(
        "fit_weight", "--dry-run", "--config", "tasks={super_resolution: {fit_weight: {rates: [8, 10]}}}"
    )
    assert plan.returncode == 1
    assert "super_resolution at 10 bits; allowed rates: 4, 8, 12, 16, 20, 24, 28, 32" in plan.stderr + plan.stdout


def test_a_report_is_built_without_a_network(checkout):
    run = checkout.snakemake("--report", "report.html")
    assert run.returncode == 0, run.stderr
    text = (checkout.folder / "report.html").read_text()
    assert "figure_05.svg" in text
    assert "Tables" in text


def test_a_failed_cell_takes_no_table_with_it(tmp_path):
    """One cell fails: the other task is whole, and its own task's tables say what is missing."""
    made = Checkout(tmp_path, TINY)
    made.edit(
        "src/ecot/training/feed.py",
        "\n_init = Feed.__init__\n"
        "def _fail(self, images, settings, device):\n"
        "    if settings.identity == ('super_resolution', 'end_to_end', 'common', '8'):\n"
        "        raise EcotError('injected')\n"
        "    _init(self, images, settings, device)\n"
        "Feed.__init__ = _fail\n",
    )
    run = made.snakemake("--cores", "2", "--keep-going")
    assert run.returncode == 1
    log = tmp_path / "logs/tiny/cells/super_resolution/end_to_end/common/rate-8/seed-0/train.log"
    assert "ecot: injected" in log.read_text()
    tables = {path.name: path.read_text() for path in (tmp_path / "results/tiny/tables").glob("*.md")}
    missing = "INCOMPLETE, 1 cell missing: super-resolution, end to end, common randomness, 8 bits, seed 0."
    incomplete = {name for name, text in tables.items() if missing in text}
    assert incomplete == {"table_05.md", "table_07.md", "table_09.md", "constraint.md", "paired.md"}
    assert {"table_01.md", "table_02.md", "table_06.md", "table_10.md"} <= set(tables)
    assert (tmp_path / "results/tiny/figures/figure_05.svg").is_file()
    for name in ("tables/paired", "claims", "paper_comparison", "paper_summary"):
        assert missing in (tmp_path / f"results/tiny/{name}.md").read_text()
    # Once the fault is gone, the cell and what was incomplete are made, and nothing else.
    shutil.copy(REPOSITORY / "src/ecot/training/feed.py", tmp_path / "src/ecot/training/feed.py")
    again = made.snakemake("--cores", "2", "--rerun-triggers", "mtime", "input")
    assert again.returncode == 0, again.stderr
    assert "INCOMPLETE" not in (tmp_path / "results/tiny/tables/table_05.md").read_text()
    assert made.planned("--rerun-triggers", "mtime", "input") == {}
