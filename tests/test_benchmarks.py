"""The benchmarks: what the intervals of the precision decide, and schedules that are valid."""

import pytest

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
