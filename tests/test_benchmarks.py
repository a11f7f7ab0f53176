"""The benchmarks: what the intervals of the precision decide, and schedules that are valid."""

from pathlib import Path

import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from benchmarks import probe
from benchmarks.measuring import short
from benchmarks.precision import interval, line
from ecot.config import merge, validate


def test_the_interval_is_students_of_the_differences():
    centre, half = interval([1.0, 2.0, 3.0], [1.1, 2.1, 3.4])
    assert centre == pytest.approx(0.1)
    assert half == pytest.approx(4.302653 * 0.173205 / 3**0.5 / 2, rel=1e-5)


@pytest.mark.parametrize(
    ("rounded", "verdict"),
    [
        ([1.001, 2.001, 3.001], ": within the limit"),
        ([1.1, 2.1, 3.1001], ": outside the limit"),
        ([1.1, 1.9, 3.01], ": undecided"),
    ],
)
def test_an_interval_decides_or_not(rounded, verdict):
    assert line([1.0, 2.0, 3.0], rounded, 0.01).endswith(verdict)


def test_a_short_schedule_is_a_valid_configuration(config):
    for task in config.tasks:
        change = {"tasks": {task: {"modes": {"end_to_end": short(config, task, 1)}}}}
        schedule = validate(merge(config.model_dump(), change)).tasks[task].modes["end_to_end"]
        assert (schedule.epochs, schedule.decays) == (1, {})


@pytest.fixture
def probing(tiny, datasets, tmp_path, monkeypatch):
    """Run a probe of 64 training images in a folder, some of them kept out."""
    monkeypatch.chdir(tmp_path)

    def run(folder, *arguments, cell="super_resolution/end_to_end/common/rate-8/seed-0", epochs=2, **training):
        schedule = {"epochs": epochs, "decays": {1: None}}
        change = {"tasks": {"super_resolution": {"modes": {"end_to_end": schedule}}}}
        change["training"] = {"batch_size": 16, **training}
        Path("probe.yaml").write_text(yaml.safe_dump(merge(tiny, change)))
        named = ["--cell", cell, "--dataset", str(datasets / "mnist_sample.npz"), "--config", "probe.yaml"]
        return CliRunner().invoke(probe.main, [folder, *named, "--validation", "64", *arguments])

    return run


def test_a_probe_goes_on_from_its_state_and_from_that_of_another_one(probing):
    assert probing("base").exit_code == 0
    assert probing("long", epochs=3).exit_code == 0
    assert probing("more", "--start", "base", epochs=3).exit_code == 0
    long, more = (
        pd.read_csv(f"{name}/probe.csv").drop(columns=["seconds", "images_per_second"]) for name in ("long", "more")
    )
    assert more.equals(long)
    assert probing("critic", "--start", "base", epochs=3, critic_steps=2).exit_code == 0
    assert len(pd.read_csv("critic/probe.csv")) == 3


def test_a_state_of_another_cell_is_no_start(probing):
    assert probing("base").exit_code == 0
    before = Path("base/state.safetensors").read_bytes()
    refused = probing("next", "--start", "base", cell="super_resolution/end_to_end/common/rate-4/seed-0")
    assert refused.exit_code == 1
    assert "is no state to start from" in refused.output
    assert Path("base/state.safetensors").read_bytes() == before
    Path("empty").mkdir()
    assert "holds no state" in probing("next", "--start", "empty").output
