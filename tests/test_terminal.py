"""What a run shows on the terminal: not Snakemake's log, but progress, and the reason of each failed job."""

import io
import logging
from types import SimpleNamespace

import pytest

from ecot.config import validate
from ecot.terminal import SNAKEMAKES_OWN, Screen, attach, failure
from ecot.workflow import Pipeline


@pytest.fixture
def pipeline(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Pipeline(tiny, lambda: True)


def workflow(**asked):
    """As much of Snakemake's workflow as the screen looks at."""
    own = logging.StreamHandler(io.StringIO())
    own.name = SNAKEMAKES_OWN
    logger = logging.Logger("snakemake")
    logger.addHandler(own)
    settings = {name: asked.get(name, False) for name in ("quiet", "verbose", "dryrun", "debug_dag", "stdout")}
    return SimpleNamespace(
        output_settings=SimpleNamespace(**settings),
        logger_manager=SimpleNamespace(logger=logger),
        resource_settings=SimpleNamespace(cores=2, nodes=None),
        is_main_process=asked.get("main", True),
    )


def event(name, level=logging.INFO, message="", **values):
    record = logging.LogRecord("snakemake", level, "", 0, message, None, None)
    record.__dict__.update(values, event=SimpleNamespace(value=name) if name else None)
    return record


def test_snakemakes_words_are_dropped_and_its_warnings_shown(pipeline):
    screen = Screen(pipeline, workflow(), io.StringIO())
    screen.handle(event("job_info", message="rule train_joint:"))
    screen.handle(event("run_info", message="Job stats"))
    screen.handle(event(None, message="Conda environments: ignored"))
    screen.handle(event(None, logging.WARNING, "a file has a date in the future"))
    screen.handle(event(None, message="Nothing to be done (all requested files are present and up to date)."))
    assert screen.stream.getvalue().splitlines() == [
        "a file has a date in the future",
        "Nothing to be done (all requested files are present and up to date).",
    ]


def test_a_failed_job_is_shown_with_its_reason(pipeline, tmp_path):
    log = tmp_path / "logs/cells/denoising/joint/independent/rate-12/seed-0/0123456789abcdef/train.log"
    log.parent.mkdir(parents=True)
    log.write_text("2026-01-01 epoch 1/2: ...\necot: epoch 2: the loss is not finite\n")
    screen = Screen(pipeline, workflow(), io.StringIO())
    screen.handle(event("job_error", logging.ERROR, rule_name="train_joint", log=[str(log)]))
    screen.stop([str(tmp_path / ".snakemake/log/a.log")])
    assert screen.stream.getvalue().splitlines() == [
        "failed: training of denoising/joint/independent/rate-12/seed-0",
        "  ecot: epoch 2: the loss is not finite",
        f"  log: {log.relative_to(tmp_path)}",
        "no step done, 1 job failed; Snakemake's log: .snakemake/log/a.log",
    ]


def test_a_job_that_left_no_log_may_have_been_killed():
    assert "it left no log; it may have been killed" in failure({"rule_name": "dataset", "log": []})


def test_what_the_scheduler_knows_is_said():
    said = "SLURM-job '4' failed, SLURM status is: 'TIMEOUT'."
    assert failure({"rule_name": "train_joint", "log": [], "rule_msg": said}).splitlines() == [
        "failed: train_joint",
        f"  {said}",
    ]


def test_a_traceback_is_shown_to_its_end(tmp_path):
    log = tmp_path / "dataset.log"
    log.write_text("".join(f"line {i}\n" for i in range(100)) + "KeyError: 'train'\n")
    shown = failure({"rule_name": "dataset", "log": [str(log)]}).splitlines()
    assert shown[0] == "failed: dataset"
    assert shown[-2] == "  KeyError: 'train'"
    assert len(shown) == 14


@pytest.mark.parametrize("asked", ["quiet", "verbose", "dryrun", "debug_dag", "stdout"])
def test_who_asks_for_snakemakes_words_gets_them(pipeline, asked):
    made = workflow(**{asked: True})
    assert attach(pipeline, made) is None
    assert [handler.name for handler in made.logger_manager.logger.handlers] == [SNAKEMAKES_OWN]


def test_the_screen_takes_the_place_of_snakemakes_own(pipeline):
    made = workflow()
    screen = attach(pipeline, made)
    assert made.logger_manager.logger.handlers == [screen]
    assert attach(pipeline, workflow(main=False)) is None


def test_without_a_gpu_a_local_run_plans_none_and_says_so(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("ecot.workflow.accelerators", list)
    made = Pipeline({**tiny, "device": "auto"}, lambda: True)
    assert made.resources("train", gpu=True)["gpu"](None, 1) == 0
    word = made.start()
    assert word.startswith("run tiny: this machine has no GPU, so that device: auto trains on the CPU: 6 models")
    assert "`ecot plan`" in word
    on_a_cluster = Pipeline({**tiny, "device": "auto"}, lambda: False)
    assert on_a_cluster.resources("train", gpu=True)["gpu"](None, 1) == 1
    assert on_a_cluster.start() == ""
    monkeypatch.setattr("ecot.workflow.accelerators", lambda: ["GPU-1"])
    with_one = Pipeline({**tiny, "device": "auto"}, lambda: True)
    assert with_one.resources("train", gpu=True)["gpu"](None, 1) == 1
    assert with_one.start() == ""
    assert validate(tiny).device == "cpu"
    assert Pipeline(tiny, lambda: True).start() == ""
