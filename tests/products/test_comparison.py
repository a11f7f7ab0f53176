"""Every published number beside the run's; metrics made up from the cell."""

import re
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from ecot import paper
from ecot.config import merge, validate
from ecot.errors import EcotError
from ecot.products import claims, comparison, metrics
from ecot.products.base import make, named, products

SR, DN = "super_resolution", "denoising"
ON_MNIST = {"tasks": {SR: {"dataset": "mnist", "modes": {"end_to_end": {"rates": [4, 8, 10]}}}}}
pytestmark = pytest.mark.usefixtures("quick_theory")


@pytest.fixture
def measured(run, all_modes):
    """Makes a measured run, by default of three seeds; a number is the paper's times `factor` where there is one."""
    known = paper.published().query("note != note").drop_duplicates(comparison.NUMBER)
    known = known.set_index(comparison.NUMBER)["value"]

    def make(change=None, factor=1.0, spread=0.0):
        def numbers_of(cell):
            base = 0.1 / (cell.rate_bits or 1) + 0.02 + 0.003 * (cell.randomness == "independent")
            numbers = {"mse_input": base + 0.01 * (cell.mode == "baseline"), "mse_target": base - 0.005}
            if cell.mode in ("joint", "separate"):
                numbers |= {"mse_x_y1": 0.5 * base, "mse_y_y2": 0.4 * base, "mse_y1_y2": 0.1 * base}
                numbers["loss_decomposed"] = base
            for name in set(numbers) - {"mse_y1_y2"}:
                point = (cell.task, cell.rate_bits, cell.randomness, cell.mode, name)
                numbers[name] = max(known.get(point, numbers[name]) * factor + spread * (cell.seed - 1), 0.0)
            return numbers

        return run(merge(merge(all_modes, {"seeds": [0, 1, 2]}), change or {}), numbers=numbers_of)

    return make


def table_of(config):
    return metrics.read(named(config, "paper_comparison").cells(config), config).table


def flags(config):
    """The flag of each published number, by table and number."""
    return comparison.compare(table_of(config), config).set_index(["table", *comparison.NUMBER])


@pytest.mark.parametrize(
    ("change", "factor", "spread", "flag"),
    [
        (ON_MNIST, 1.03, 0.0, "within 5 %"),
        (ON_MNIST, 0.97, 0.0, "within 5 %"),
        (ON_MNIST, 1.06, 0.0, "differs"),
        (ON_MNIST, 1.06, 0.01, "within spread"),
        (ON_MNIST, 1.03, 0.01, "within spread"),
        ({"seeds": [1], **ON_MNIST}, 1.06, 0.01, "differs"),
    ],
)
def test_flags(measured, change, factor, spread, flag):
    rows = flags(measured(change, factor=factor, spread=spread))
    row = rows.loc[(5, SR, 4, "common", "end_to_end", "mse_input")]
    assert row.flag == flag
    assert row.paper == 0.0515
    assert row.ratio == pytest.approx(factor)
    assert row["value"] == pytest.approx(0.0515 * factor)
    assert row.n_seeds == (1 if flag == "differs" and spread else 3)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"dataset": "mnist_sample"}, "data set mnist_sample (paper: mnist)"),
        ({"degradation": {"factor": 2}}, "resampling (factor 2, "),
    ],
)
def test_another_problem_has_no_number_ratio_or_verdict(measured, change, problem):
    config = measured(merge(ON_MNIST, {"tasks": {SR: change, DN: None}}))
    found = comparison.compare(table_of(config), config)
    row = found.set_index(["table", *comparison.NUMBER]).loc[(5, SR, 4, "common", "end_to_end", "mse_input")]
    assert row.flag == "not comparable"
    assert row.problem.startswith(problem)
    assert row[["value", "ratio", "n_seeds", "epochs", "dataset"]].isna().all()
    table = comparison.summary(found, claims.experiments(table_of(config), config)).set_index(["table", "task"])
    five = table.loc[(5, SR)]
    assert (five.reproduced, five.claims) == (0, "")
    assert five.problem.startswith(problem)
    (panel,) = comparison.draw(found).axes
    assert "it solves another problem" in panel.texts[0].get_text()


def test_a_number_that_several_tables_print_counts_once(measured):
    found = comparison.compare(table_of(config := measured(ON_MNIST)), config)
    once = found[found.repeats.isna()]
    assert not once.replace({"quantity": comparison.PRINTED_AS}).duplicated(comparison.NUMBER).any()
    counts = once.groupby(["table", "task"]).size()
    assert (counts[(5, SR)], counts[(7, SR)], counts[(8, DN)], counts[(11, SR)]) == (30, 30, 36, 4)
    repeated = found.dropna(subset=["repeats"]).groupby("table").repeats.agg(set)
    assert {number: sorted(tables) for number, tables in repeated.items()} == {
        1: [5, 6], 7: [5], 8: [6], 11: [1, 2, 5, 6]
    }  # fmt: skip
    table = comparison.summary(found, claims.experiments(table_of(config), config)).set_index(["table", "task"])
    assert table.loc[(7, SR), ["published", "repeated"]].tolist() == [30, 30]


def test_joint_numbers_are_those_of_the_tables_reading(measured):
    joint = {"rates": [10]}
    change = merge(ON_MNIST, {"tasks": {SR: {"modes": {"joint": joint, "end_to_end": joint}}}})
    config = measured(change)
    found = table_of(config)
    found.loc[found.dither == "shared", "loss_decomposed"] = 1.0
    rows = comparison.compare(found, config).set_index(["table", *comparison.NUMBER])
    row = rows.loc[(1, SR, 10, "independent", "joint", "loss_decomposed")]
    assert row["value"] == pytest.approx(0.0453)
    assert row.n_seeds == 3


def test_doubtful_and_missing_numbers_are_flagged(measured):
    change = merge(ON_MNIST, {"seeds": [0], "tasks": {SR: {"modes": {"end_to_end": {"rates": [4, 18]}}}}})
    rows = flags(measured(change))
    assert len(rows) == len(paper.published())
    assert rows.loc[(7, SR, 18, "common", "end_to_end", "mse_input"), "flag"] == "doubtful in the paper"
    assert rows.loc[(5, SR, 18, "common", "end_to_end", "mse_input"), "flag"] == "within 5 %"
    missing = rows.loc[(5, SR, 32, "common", "end_to_end", "mse_input")]
    assert missing.flag == "not run"
    assert missing[["value", "epochs", "n_train"]].isna().all()
    assert (rows.flag == "doubtful in the paper").sum() == 4
    assert set(rows.flag) <= set(comparison.Flag.__args__)


def test_the_tables_that_call_it_loss_have_the_same_number(measured):
    change = merge(ON_MNIST, {"tasks": {SR: {"modes": {"joint": {"rates": [10]}, "end_to_end": {"rates": [10]}}}}})
    rows = flags(measured(change, factor=1.02))
    for table in (1, 11):
        row = rows.loc[(table, SR, 10, "independent", "end_to_end", "loss_end_to_end")]
        assert row["value"] == pytest.approx(0.0435 * 1.02)


def test_the_summary_says_on_what_it_stands(measured):
    config = measured(ON_MNIST, factor=1.02, spread=0.0)
    make(config, named(config, "paper_comparison"))
    rows = pd.read_csv("results/tiny/paper_summary.csv").set_index(["table", "task"])
    five = rows.loc[(5, SR)]
    assert five[["dataset", "published", "reproduced", "close"]].tolist() == ["mnist", 30, 6, 6]
    assert pd.isna(five.problem)
    assert five["median"] == pytest.approx(0.02)
    assert five["largest"] == pytest.approx(0.02)
    assert five.schedule == "128 images, width 0.1; end to end 2 of 50 epochs, lambda 0.01"
    assert five.claims.startswith("holds: common_better, common_saves_bits, distortion_falls")
    assert "decomposed_close" not in five.claims
    assert rows.loc[(6, DN), "problem"] == "data set street_digits_sample (paper: svhn)"
    assert rows.loc[(9, SR), "reproduced"] == 4
    summary, numbers = (Path(f"results/tiny/paper_{name}.md").read_text() for name in ("summary", "comparison"))
    assert "- Difference: median 2.0%, largest +2.0% at " in summary
    assert "- Holds: The distortion falls as the rate grows." in summary
    assert not re.search(r"common_better|mse_|end_to_end", summary + numbers), "ids are for programs"
    assert "not comparable: data set street_digits_sample (paper: svhn)" in summary
    assert numbers.count("not run") > 200
    assert "## Table 5, super-resolution" in numbers
    assert len(pd.read_csv("results/tiny/paper_comparison.csv")) == len(paper.published())


def test_largest_difference_is_where_it_is(measured):
    config = measured(ON_MNIST)
    found = table_of(config)
    there = (found.rate_bits == 8) & (found.randomness == "common") & (found["mode"] == "end_to_end")
    found.loc[there, "mse_input"] *= 0.7
    table = comparison.summary(comparison.compare(found, config), claims.experiments(found, config))
    five = table.set_index(["table", "task"]).loc[(5, SR)]
    assert five["largest"] == pytest.approx(-0.3)
    assert five.largest_at == "8 bits, common, end to end"
    assert five["median"] == pytest.approx(0.0)


def test_the_figure_is_drawn_the_same_twice(measured):
    config = measured(ON_MNIST, factor=1.02, spread=0.001)
    contents = []
    for _ in range(2):
        make(config, named(config, "paper_comparison"))
        contents.append(Path("results/tiny/figures/paper_comparison.svg").read_bytes())
    assert contents[0] == contents[1]
    with Image.open("results/tiny/figures/paper_comparison.png") as picture:
        assert min(picture.size) > 700


def test_each_number_is_drawn_once(measured):
    config = measured(merge(ON_MNIST, {"tasks": {SR: {"modes": {"end_to_end": {"rates": [4, 18]}}}}}))
    figure = comparison.draw(comparison.compare(table_of(config), config))
    drawn = sum(len(bars.lines[0].get_xdata()) for bars in figure.axes[0].containers)
    ours = table_of(config).query("task == @SR and mode in ('end_to_end', 'baseline') and rate_bits != 8")
    # Tables 5 (two rates, both settings) and 9 (one rate); 7 repeats 5, once with a misprint.
    assert len(ours) == 4 * 3
    at = {round(float(x), 4) for bars in figure.axes[0].containers for x in bars.lines[0].get_xdata()}
    assert {0.0515, 0.0558, 0.0324, 0.0367, 0.0582, 0.0646} <= at
    assert 0.0342 not in at
    # At 8 bits: the baseline, and both distortions of the end-to-end model that joint and separate build on.
    assert drawn == 6 + 2 + 2


def test_the_figure_has_no_mark_of_what_the_run_has_not(measured):
    config = measured(merge(ON_MNIST, {"tasks": {SR: {"modes": {"joint": None, "separate": None}}, DN: None}}))
    figure = comparison.draw(comparison.compare(table_of(config), config))
    (panel,) = figure.axes
    assert set(panel.get_legend_handles_labels()[1]) == {
        "within 5 %", "equal", "common randomness", "no common randomness",
        "to the input (Tables 5, 6)", "to the ground truth (9, 10)", "baseline, to the input (7, 8)",
    }  # fmt: skip


def test_nothing_measured_is_an_error_and_other_tasks_are_not_compared(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = validate(tiny)
    with pytest.raises(EcotError, match="paper_comparison: no cell is measured in results/tiny"):
        make(config, named(config, "paper_comparison"))
    denoising = tiny["tasks"][DN]
    config = validate({**tiny, "tasks": {"jpeg": {**denoising, "degradation": {"kind": "jpeg"}, "fit_weight": None}}})
    assert "paper_comparison" not in products(config)
