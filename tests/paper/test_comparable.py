"""Which numbers of a run answer the paper's question, and what differs in how they were trained."""

import pytest

from ecot.config import merge, validate
from ecot.paper.comparable import degradation_title, match

SR, DN = "super_resolution", "denoising"


@pytest.fixture
def matched(values):
    """Changes a task of config.yaml and compares it with the paper."""

    def make(change=None, task=SR, *point, **named):
        return match(validate(merge(values, {"tasks": {task: change}} if change else {})), task, *point, **named)

    return make


@pytest.mark.parametrize("task", [SR, DN])
def test_the_papers_grid_is_the_papers_problem(matched, task):
    found = matched({}, task)
    assert found.comparable
    assert found.training == (("end to end lambda 0.01 (published: 0.001)",) if task == SR else ())


@pytest.mark.parametrize(
    ("task", "change", "words"),
    [
        (SR, {"dataset": "mnist_sample"}, "data set mnist_sample (paper: mnist)"),
        (SR, {"levels": 2}, "2 levels (paper: 4)"),
        (SR, {"degradation": {"factor": 2}}, "resampling (factor 2, down bicubic, up bicubic, no clip) (paper: res"),
        (
            SR,
            {"degradation": {"down": "bilinear", "up": "bilinear"}},
            "down bilinear, up bilinear, no clip) (paper: ",
        ),
        (SR, {"degradation": {"down": "area"}}, "down area"),
        (DN, {"degradation": {"std": 25.0}}, "gaussian noise (std 25, no clip) (paper: gaussian noise (std 20, no"),
        (DN, {"degradation": {"clip": True}}, "gaussian noise (std 20, clip)"),
        (DN, {"dataset": "street_digits"}, "data set street_digits (paper: svhn)"),
    ],
)
def test_another_problem_is_named(matched, task, change, words):
    found = matched(change, task)
    assert not found.comparable
    (said,) = found.problem
    assert words in said


def test_another_kind_of_degradation_is_another_problem(values):
    values["tasks"][DN]["degradation"] = {"kind": "jpeg", "quality": 10}
    assert match(validate(values), DN).problem == (
        "jpeg (quality 10) (paper: gaussian noise (std 20, no clip))",
    )  # fmt: skip


@pytest.mark.parametrize(
    "degradation",
    [{"clip": True}, {"down": "bilinear"}, {"down": "bilinear", "up": "nearest"}],
)
def test_every_reading_that_the_paper_allows_is_its_problem(matched, degradation):
    assert matched({"degradation": degradation}).comparable


def test_how_it_was_trained_makes_no_other_problem(matched):
    end_to_end = {"epochs": 1, "distribution_weight": 0.0, "learning_rate": 1e-3, "decays": {30: None}}
    change = {"n_train": 640, "n_test": 64, "width": 0.1, "modes": {"end_to_end": end_to_end}}
    found = matched(change, SR, "end_to_end", "common", 4)
    assert found.comparable
    assert found.training == (
        "640 of 60,000 training images", "64 of 10,000 test images", "width 0.1 (full: 1)",
        "end to end 1 of 50 epochs", "end to end learning rate 0.001 (published: 0.0001)",
        "end to end lambda 0 (published: 0.001)",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("point", "dither", "words"),
    [
        (("end_to_end", "common", 4), None, ()),
        (("end_to_end", "common", 34), None, ("no published number of end_to_end, common, 34",)),
        (("restoration",), None, ("no published number of restoration",)),
        (("joint", "independent", 10), "fresh", ()),
        (("joint", "independent", 10), "shared", ("shared dither (the tables: fresh)",)),
    ],
)
def test_a_point_that_the_paper_has_not_is_not_comparable(matched, point, dither, words):
    assert matched({}, SR, *point, dither=dither).problem == words


def test_other_tasks_are_not_the_papers(config):
    assert match(config, "jpeg").problem == ("no task 'jpeg' in the run",)
    without = config.model_copy(update={"tasks": {"jpeg": config.tasks[DN]}})
    assert match(without, "jpeg").problem == ("no task 'jpeg' in the paper",)


def test_a_degradation_is_named_with_all_its_settings(config):
    assert degradation_title(config.tasks[SR].degradation) == (
        "resampling (factor 4, down bicubic, up bicubic, no clip)"
    )  # fmt: skip


def test_other_critic_steps_are_a_difference_where_there_is_a_critic(values):
    config = validate(merge(values, {"training": {"critic_steps": 5}}))
    assert "5 critic steps for each step of the system (released code: 1)" in match(config, SR, "end_to_end").training
    assert not any("critic" in word for word in match(config, SR, "joint").training)
