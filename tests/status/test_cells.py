"""The state of a cell from its files: what a job leaves behind when it waits, runs, fails, is killed or is done."""

import os
import socket
from pathlib import Path

import pytest

from ecot.config import validate
from ecot.grid import index
from ecot.machine.locks import alone, lock_path
from ecot.status import messages
from ecot.status.cells import SILENT, measurement_log, reason, state, survey, training_log


@pytest.fixture
def entries(tiny, tmp_path, monkeypatch):
    """The index of the tiny grid, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    return index.entries(validate(tiny))


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


LINE = "2026-01-01 00:00:00,000 epoch 3/50: distortion 0.0512, critic -0.1, 672 images/s\n"


def test_a_cell_that_nobody_has_begun_is_missing(entries):
    assert {one.kind for one in survey(entries)} == {"missing"}


def test_the_cells_of_a_sweep_count_once_it_has_begun(entries):
    grid = [entry for entry in entries if entry.weight is None]
    assert len(survey(entries)) == len(grid) < len(entries)
    write(training_log(entries[-1]), LINE)
    assert len(survey(entries)) == len(entries)


def test_a_training_of_this_machine_runs_while_its_process_lives(entries):
    entry = entries[0]
    write(training_log(entry), LINE)
    with alone(entry.path):
        found = state(entry)
    assert (found.kind, found.step, found.epoch, found.epochs, found.images_per_second) == (
        "running", "training", 3, 50, 672.0,
    )  # fmt: skip
    assert found.where == f"process {os.getpid()} on {socket.gethostname()}"
    assert messages.progress(found).startswith("training, 3 of 50 epochs, 672 images/s, process")


def test_a_killed_training_has_failed(entries):
    """Its lock is left behind; no process has that number (numbers end at 2^22)."""
    entry = entries[0]
    write(lock_path(entry.path), f"process {2**22 + 1} on {socket.gethostname()}")
    write(training_log(entry), LINE)
    assert state(entry).kind == "failed"


def test_a_training_elsewhere_runs_while_its_files_change(entries):
    entry = entries[0]
    lock = write(lock_path(entry.path), "process 7 on another-machine")
    log = write(training_log(entry), LINE)
    assert state(entry).kind == "running"
    for path in (lock, log):
        os.utime(path, (path.stat().st_mtime - 2 * SILENT,) * 2)
    assert state(entry).kind == "failed"
    write(entry.path / "state.safetensors")  # it has just saved its state
    assert state(entry).kind == "running"


def test_a_failed_job_says_why(entries):
    entry = entries[0]
    log = write(training_log(entry), f"{LINE}ecot: epoch 4: the loss is not finite\n")
    found = state(entry)
    assert (found.kind, found.word) == ("failed", "ecot: epoch 4: the loss is not finite")
    assert reason(log) == ["ecot: epoch 4: the loss is not finite"]
    text = messages.grid("tiny", survey(entries))
    assert "1 failed" in text
    assert "ecot: epoch 4: the loss is not finite" in text
    assert str(log) in text


def test_a_trained_cell_waits_for_its_measurement(entries):
    entry = entries[0]
    write(entry.path / "run.json", "{}")
    write(training_log(entry), LINE)
    assert (state(entry).kind, state(entry).step) == ("missing", "measurement")
    write(measurement_log(entry), "ecot: the classifier is missing\n")
    assert (state(entry).kind, state(entry).step) == ("failed", "measurement")
    write(entry.measurement / "metrics.csv")
    assert state(entry).kind == "done"


def test_the_speed_is_read_from_the_log_that_a_training_writes(tiny, datasets, tmp_path, monkeypatch, caplog):
    """The form of the line belongs to the engine."""
    import logging

    from ecot.config import Compute
    from ecot.engine.job import train
    from ecot.grid.cell import Cell
    from ecot.grid.plan import cell_settings

    config = validate(tiny)
    cell = Cell.parse("super_resolution/end_to_end/common/rate-4/seed-0")
    with caplog.at_level(logging.INFO):
        train(cell_settings(config, cell), datasets / "mnist_sample.npz", "cpu", Compute(), tmp_path / "model")
    monkeypatch.chdir(tmp_path)
    entry = index.entries(config)[0]
    write(training_log(entry), "\n".join(caplog.messages))
    with alone(Path(entry.path)):
        found = state(entry)
    assert (found.epoch, found.epochs) == (2, 2)
    assert found.images_per_second > 0
