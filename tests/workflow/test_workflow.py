"""The graph: what it builds, what reruns, what it refuses, and what a failed cell takes with it."""

import json
import re
import shutil

import pytest
import yaml
from checkout import Checkout

from ecot.config import merge
from ecot.grid.plan import grid

pytestmark = pytest.mark.workflow

CELL = "{}/end_to_end/{}/rate-{}/seed-0"
SHORT = {"epochs": 1, "decays": {30: None, 40: None, 50: None, 100: None}}
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
}  # fmt: skip


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A checkout in which the tiny grid has been run."""
    made = Checkout(tmp_path_factory.mktemp("checkout"), TINY)
    run = made.snakemake("--cores", "2")
    assert run.returncode == 0, run.stderr
    return made


class Copied(Checkout):
    """A copy of a checkout with all that it has made."""

    def __init__(self, folder):
        self.folder = folder


def test_the_grid_is_built(checkout):
    files = {str(path.relative_to(checkout.folder)) for path in checkout.folder.rglob("*") if path.is_file()}
    index = checkout.index()
    assert len(index) == 11
    for line in index.values():
        for name in ("model.safetensors", "config.yaml", "history.csv", "run.json"):
            assert f"{line['path']}/{name}" in files
        for name in ("metrics.csv", "samples.npz", "samples.png"):
            assert f"{line['measurement']}/{name}" in files
        assert f"{line['path'].replace('results', 'logs', 1)}/train.log" in files
        assert f"{line['measurement'].replace('results', 'logs', 1)}.log" in files
    for number in ("01", "02", "03", "04", "05", "06", "07", "09", "10", "11", "12", "13", "14", "15"):
        for suffix in ("csv", "md", "tex"):
            assert f"results/tiny/tables/table_{number}.{suffix}" in files
    assert {"results/tiny/metrics.csv", "results/tiny/config.yaml"} <= files
    for name in ("tables/paired", "claims", "paper_comparison", "paper_summary"):
        assert {f"results/tiny/{name}.csv", f"results/tiny/{name}.md"} <= files
    figures = ["figure_03", "figure_05", "figure_06", "figure_07", "figure_08", "constraint", "paper_comparison"]
    for name in (*figures, "rate_distortion_super_resolution", "rate_distortion_denoising"):
        assert {f"results/tiny/figures/{name}.{suffix}" for suffix in ("svg", "png")} <= files
    for name in ("figure_03", "figure_08_points", "images_super_resolution", "images_denoising"):
        assert f"results/tiny/bounds/{name}.csv" in files
    assert "results/tiny/constraint/clean_scores_denoising.csv" in files
    assert yaml.safe_load((checkout.folder / "results/tiny/config.yaml").read_text())["run"] == "tiny"


def test_a_second_run_and_a_touch_rerun_nothing(checkout):
    assert checkout.planned() == {}
    for path in checkout.folder.rglob("*"):
        if path.is_file() and ".snakemake" not in path.parts:
            path.touch()
    assert checkout.planned() == {}


def stages(jobs):
    """How many trainings and measurements a plan has, by rule, and whether it has products."""
    chosen = ("train_", "evaluate", "classifier", "clean_scores", "dataset")
    return {rule: count for rule, count in jobs.items() if rule.startswith(chosen)}


SR = {"train_end_to_end": 4, "train_joint": 2, "train_separate": 1, "train_restoration": 1, "train_baseline": 1}
ALL = {**SR, "train_end_to_end": 6, "evaluate": 11}
MEASURED = {"evaluate": 11, "clean_scores": 2}


@pytest.mark.parametrize(
    ("path", "jobs"),
    [
        ("engine/loop.py", ALL),
        ("networks/critic.py", {**ALL, "clean_scores": 2}),
        ("networks/street.py", {"train_end_to_end": 2, "evaluate": 2}),
        ("systems/joint.py", {"train_joint": 2, "evaluate": 2}),
        ("evaluation/measurement.py", {"evaluate": 11}),
        ("evaluation/law.py", MEASURED),
        ("evaluation/measures/gelbrich.py", MEASURED),
        ("networks/classifier.py", {"classifier": 2, **MEASURED}),
        ("data/street_digits.py", {}),  # the data set's version is what says that its images are others
        ("data/fetch.py", {}),
        ("engine/messages.py", {}),
        ("machine/devices.py", {}),
        ("cli/main.py", {}),
    ],
)
def test_an_edit_reruns_its_stage(checkout, path, jobs):
    undo = checkout.edit(f"src/ecot/{path}", "\nNEW = 1\n")
    try:
        assert stages(checkout.planned()) == jobs
    finally:
        undo()


@pytest.mark.parametrize(
    ("path", "products"),
    [
        ("products/constraint.py", {"constraint", "report"}),
        ("products/theory_figures.py", {"figure_03", "figure_06", "figure_07", "figure_08"}),
        ("products/comparison.py", {"paper_comparison", "report"}),
        ("theory/claims/binary.py", {"claims", "paper_comparison", "report"}),
    ],
)
def test_an_edit_of_a_product_makes_it_and_the_report_that_shows_it_again_and_nothing_else(checkout, path, products):
    undo = checkout.edit(f"src/ecot/{path}", "\nNEW = 1\n")
    try:
        assert set(checkout.planned()) == products
    finally:
        undo()


def test_a_change_to_the_layout_of_table_5_makes_it_and_the_report_again_and_nothing_else(checkout):
    file = checkout.folder / "src/ecot/products/paper_tables.py"
    before = file.read_text()
    assert "super-resolution" in before
    file.write_text(before.replace('f"{INPUT}, super-resolution"', 'f"{INPUT} of super-resolution"'))
    assert file.read_text() != before
    try:
        assert set(checkout.planned()) == {"table_05", "report"}
    finally:
        file.write_text(before)


def test_a_comment_reruns_nothing(checkout):
    undo = checkout.edit("src/ecot/engine/loop.py", "\n# a comment\n")
    try:
        assert checkout.planned() == {}
    finally:
        undo()


@pytest.mark.parametrize(
    ("setting", "jobs"),
    [
        (
            "tasks={super_resolution: {modes: {end_to_end: {distribution_weight: 0.5}}}}",
            # joint and separate build on end-to-end models, the baseline does not.
            {"train_end_to_end": 4, "train_joint": 2, "train_separate": 1, "evaluate": 7},
        ),
        (
            "tasks={super_resolution: {modes: {restoration: {epochs: 2}}}}",
            {"train_restoration": 1, "train_baseline": 1, "evaluate": 2},
        ),
        ("tasks={super_resolution: {n_train: 100}}", {**SR, "evaluate": 9, "clean_scores": 1}),
        ("tasks={denoising: {n_test: 32}}", {"evaluate": 2, "clean_scores": 1}),
        ("evaluation={critic_steps: 3}", {"evaluate": 11, "clean_scores": 2}),
        ("tasks={denoising: {modes: {end_to_end: {rates: [12, 15]}}}}", {"train_end_to_end": 2, "evaluate": 2}),
        ("resources={train: {mem_mb: 999}}", {}),
        ("run=other", {"clean_scores": 2}),  # a run of equal cells shares them
    ],
)
def test_a_setting_reruns_the_cells_concerned(checkout, setting, jobs):
    assert stages(checkout.planned("--config", setting)) == jobs


@pytest.mark.parametrize(
    ("select", "cells"),
    [
        ("{tasks: [denoising]}", {"train_end_to_end": 2}),
        ("{modes: [joint]}", {"train_end_to_end": 1, "train_joint": 2}),
        ("{tasks: [super_resolution], rates: [4]}", {"train_end_to_end": 2, "train_restoration": 1}),
    ],
)
def test_a_selection_cuts_the_grid(checkout, select, cells):
    """Models that a selected cell builds on are trained, too."""
    jobs = checkout.planned("--config", f"select={select}", "training={batch_size: 32}")
    assert {rule: count for rule, count in jobs.items() if rule.startswith("train_")} == cells


def test_a_path_of_other_settings_is_refused(checkout):
    path = checkout.model(CELL.format("denoising", "common", 12)).relative_to(checkout.folder)
    other = str(path.with_name("0123456789abcdef") / "model.safetensors")
    plan = checkout.snakemake(other, "--dry-run")
    assert plan.returncode == 1
    assert "is not the folder of a cell in this configuration" in plan.stderr + plan.stdout


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("sedes=[1]", "config: sedes: unknown setting; did you mean seeds? allowed: run, extensions, device, seeds"),
        (
            "tasks={denoising: {modes: {end_to_end: {rates: [13]}}}}",
            "config: tasks.denoising.modes: end_to_end.rates: 13 is not a multiple of log2(levels) = 3; write 12",
        ),
        ("device=gpu", "config: device: 'gpu': must be 'auto', 'cpu', 'cuda' or 'mps'"),
    ],
)
def test_a_wrong_setting_is_refused_before_the_graph(checkout, setting, message):
    run = checkout.snakemake("--dry-run", "--config", setting)
    assert run.returncode == 2
    assert message in run.stderr
    assert "Traceback" not in run.stderr
    assert "Building DAG" not in run.stderr


@pytest.mark.parametrize(("device", "gpus"), [("cpu", 0), ("auto", 0), ("cuda", 1)])
def test_gpu_trainings_ask_for_a_gpu(checkout, device, gpus):
    """With `auto` only where there is one: tests/test_terminal.py has such a machine."""
    if device == "auto" and shutil.which("nvidia-smi"):
        pytest.skip("this machine may have a GPU")
    rate = "tasks={denoising: {modes: {end_to_end: {rates: [99]}}}}"
    plan = checkout.snakemake("--dry-run", "--config", f"device={device}", rate)
    assert plan.returncode == 0, plan.stderr
    training = re.search(r"rule train_end_to_end:.*?resources: (.*?)\n", plan.stdout + plan.stderr, re.S)[1]
    assert ("gpu=1" in training) == (gpus == 1)


def test_the_papers_grid_is_planned(checkout, config):
    plan = checkout.snakemake("--dry-run", config=None)
    assert re.search(rf"^evaluate +{len(grid(config))}$", plan.stdout + plan.stderr, re.M), plan.stderr


SWEEP = (
    "tasks={denoising: {fit_weight: null}, super_resolution: {n_train: 160,"
    " modes: {end_to_end: {randomness: [common]}},"
    " fit_weight: {weights: [0.001, 0.01, 0.4], rates: [8], n_validation: 32}}}"
)


def test_a_sweep_of_lambda_is_trained_and_compared_with_its_law(checkout):
    """Its models are not the grid's, even at the grid's weight: they keep validation images out of training."""
    jobs = checkout.planned("fit_weight", "--config", SWEEP)
    assert stages(jobs) == {"train_end_to_end": 3, "evaluate": 3}
    assert jobs["fit_weight_offset_super_resolution"] == 1
    run = checkout.snakemake("fit_weight", "--cores", "2", "--config", SWEEP)
    assert run.returncode == 0, run.stderr
    folder = checkout.folder / "results/tiny/fit_weight"
    assert {path.suffix for path in folder.iterdir()} == {".csv", ".json", ".svg", ".png"}
    found = json.loads((folder / "super_resolution_offset.json").read_text())
    assert (found["n_validation"], found["least_weight"]) == (32, 0.001)
    assert checkout.planned("fit_weight", "--config", SWEEP) == {}


def test_a_sweep_without_published_numbers_is_refused_before_it_is_trained(checkout):
    task = "{dataset: mnist, fit_weight: {rates: [8, 10], n_validation: 32}}"
    plan = checkout.snakemake("fit_weight", "--dry-run", "--config", f"tasks={{super_resolution: {task}}}")
    assert plan.returncode == 1
    assert "super_resolution at 10 bits; allowed rates: 4, 8, 12, 16, 20, 24, 28, 32" in plan.stderr + plan.stdout


def test_a_report_is_built_without_a_network(checkout):
    run = checkout.snakemake("--report", "report.html")
    assert run.returncode == 0, run.stderr
    text = (checkout.folder / "report.html").read_text()
    assert "figure_05.svg" in text
    assert "Tables" in text


def test_a_failed_cell_takes_no_table_with_it(checkout, tmp_path):
    """One cell fails: the other task is whole, and what stands in for its own products says what is missing."""
    shutil.copytree(checkout.folder, tmp_path, dirs_exist_ok=True, symlinks=True)
    made = Copied(tmp_path)
    tasks = {"super_resolution": {"modes": {"end_to_end": {"rates": [4, 8, 10], "randomness": ["common"]}}}}
    (tmp_path / "more.yaml").write_text(yaml.safe_dump(merge(TINY, {"tasks": tasks})))
    undo = made.edit(
        "src/ecot/engine/job.py",
        "\n_train = train\n"
        "def train(settings, *arguments, **options):\n"
        "    if settings.identity == ('super_resolution', 'end_to_end', 'common', '10'):\n"
        "        raise messages.needs_frozen('injected')\n"
        "    _train(settings, *arguments, **options)\n",
    )
    results = tmp_path / "results/tiny"
    (results / "tables/table_06.md").unlink()
    run = made.snakemake("--cores", "2", config="more.yaml")
    assert run.returncode == 1
    cell = CELL.format("super_resolution", "common", 10)
    log = tmp_path / "logs" / made.model(cell).relative_to(tmp_path / "results") / "train.log"
    assert "ecot: mode injected builds on" in log.read_text()
    # The default profile, which nobody named, and the reason on the screen; Snakemake's own words are in its log.
    assert f"failed: training of {cell}\n  ecot: mode injected builds on" in run.stderr
    assert "1 job failed; Snakemake's log: .snakemake/log/" in run.stderr
    assert "rule train_end_to_end" not in run.stderr
    latest = max((tmp_path / ".snakemake/log").glob("*.log"), key=lambda path: path.stat().st_mtime)
    assert "rule train_end_to_end" in latest.read_text()
    missing = "INCOMPLETE, 1 cell missing: Super-resolution, end to end, common randomness, 10 bits, seed 0."
    stand_ins = results / "incomplete"
    incomplete = {str(path.relative_to(stand_ins)): path.read_text() for path in stand_ins.rglob("*.md")}
    assert {"tables/table_05.md", "tables/table_09.md", "tables/constraint.md", "claims.md"} <= set(incomplete)
    assert all(missing in text for text in incomplete.values())
    # What is complete is made, and nothing incomplete passes for it.
    assert {"table_03.md", "table_06.md", "table_10.md"} <= {path.name for path in results.glob("tables/*.md")}
    assert not any("INCOMPLETE" in (results / name).read_text() for name in incomplete)
    # The table of the rates that there were before is still there, and is not shown for one of these rates.
    shown = made.ecot("show", "table_05", config="more.yaml")
    assert shown.returncode == 1
    assert "table_05.csv is damaged or not what it should be (it was made under other settings" in shown.stderr
    assert made.ecot("show", "table_05").returncode == 0
    # Once the fault is gone, the cell and its products are made, and what stood in for them is removed.
    undo()
    again = made.snakemake("--cores", "2", config="more.yaml")
    assert again.returncode == 0, again.stderr
    assert "INCOMPLETE" not in (results / "tables/table_05.md").read_text()
    assert not list(stand_ins.rglob("*.md"))
    assert made.planned(config="more.yaml") == {}


def test_finished_models_survive_what_snakemake_deletes(checkout):
    """-R and --delete-all-output delete models; they are linked again, and the log says so."""
    cell = CELL.format("denoising", "common", 12)
    model = checkout.model(cell)
    target = str(model.relative_to(checkout.folder) / "model.safetensors")
    before = (model / "model.safetensors").read_bytes()
    run = checkout.snakemake(target, "--delete-all-output")
    assert run.returncode == 0, run.stderr
    assert not (model / "model.safetensors").exists()
    run = checkout.snakemake(target, "--cores", "2")
    assert run.returncode == 0, run.stderr
    assert (model / "model.safetensors").read_bytes() == before
    forced = checkout.snakemake(target, "--cores", "2", "--forcerun", "train_end_to_end")
    assert forced.returncode == 0, forced.stderr
    assert (model / "model.safetensors").read_bytes() == before
    log = checkout.folder / "logs" / model.relative_to(checkout.folder / "results") / "train.log"
    assert "the model is finished; its files are linked again and nothing is trained" in log.read_text()
    assert checkout.planned() == {}


def test_another_lambda_trains_beside_and_going_back_trains_nothing(checkout):
    change = ("--config", "tasks={denoising: {modes: {end_to_end: {distribution_weight: 0.1}}}}")
    cell = CELL.format("denoising", "common", 12)
    old = checkout.model(cell)
    run = checkout.snakemake("results/tiny/tables/table_06.csv", "--cores", "2", *change)
    assert run.returncode == 0, run.stderr
    new = checkout.model(cell)
    assert new.parent == old.parent
    assert new != old
    assert (old / "model.safetensors").is_file()
    assert stages(checkout.planned()) == {}
    # Nobody's index refers to the new model once the old configuration has been run again.
    assert checkout.snakemake("--cores", "2").returncode == 0
    listed = checkout.ecot("prune").stdout
    assert str(new.relative_to(checkout.folder)) in listed
    assert "settings of no run" in listed
    assert str(old.relative_to(checkout.folder)) not in listed
    assert checkout.ecot("prune", "--yes").returncode == 0
    assert not new.exists()
    assert (old / "model.safetensors").is_file()


def test_models_of_the_old_layout_are_named(checkout):
    (checkout.folder / "results/tiny/cells/denoising").mkdir(parents=True)
    try:
        run = checkout.snakemake("--cores", "1", "--forcerun", "table_03")
        assert run.returncode == 0, run.stderr
        assert "results/tiny/cells holds models of an earlier version of ecot" in run.stderr
    finally:
        shutil.rmtree(checkout.folder / "results/tiny/cells")
