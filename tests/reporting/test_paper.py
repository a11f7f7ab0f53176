"""The run beside the paper: paired comparisons, claims, every published number; metrics made up from the cell."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ecot import paper
from ecot.cells import grid, results_folder
from ecot.config import merge, validate
from ecot.errors import EcotError
from ecot.paper import claims as of_paper
from ecot.reporting import claims, comparison, metrics, paired
from ecot.theory.claims import STATEMENTS, Outcome, Statement

SR, DN = "super_resolution", "denoising"
ON_MNIST = {"tasks": {SR: {"dataset": "mnist", "modes": {"end_to_end": {"rates": [4, 8, 10]}}}}}


@pytest.fixture(autouse=True)
def quick_theory(monkeypatch):
    """Two statements in place of all, which tests/theory/test_statements.py checks."""
    two = (STATEMENTS[0], Statement("wrong", "|x| is 1.", "Nowhere", "a test", lambda: Outcome(False, "|x| = 2")))
    monkeypatch.setattr(claims, "STATEMENTS", two)


@pytest.fixture
def run(tiny, all_modes, tmp_path, monkeypatch):
    """A measured run, by default of three seeds; a number is the paper's times `factor` where there is one."""
    monkeypatch.chdir(tmp_path)
    known = paper.published().query("note != note").drop_duplicates(comparison.NUMBER)
    known = known.set_index(comparison.NUMBER)["value"]

    def make(change=None, without=(), factor=1.0, spread=0.0):
        config = validate(merge(merge(merge(tiny, all_modes), {"seeds": [0, 1, 2]}), change or {}))
        for cell in grid(config):
            if (cell.mode, cell.rate_bits, cell.randomness, cell.seed) in without:
                continue
            level = 0.1 / (cell.rate_bits or 1) + 0.02 + 0.003 * (cell.randomness == "independent")
            row = {
                "task": cell.task, "mode": cell.mode, "randomness": cell.randomness, "rate_bits": cell.rate_bits,
                "seed": cell.seed, "dataset": config.tasks[cell.task].dataset, "n_test": 64,
                "mse_input": level + 0.01 * (cell.mode == "baseline"), "mse_target": level - 0.005,
                "distribution_weight": 0.01,
            }  # fmt: skip
            if cell.mode in ("joint", "separate"):
                row |= {"mse_x_y1": 0.5 * level, "mse_y_y2": 0.4 * level, "mse_y1_y2": 0.1 * level}
                row["loss_decomposed"] = level
            for name in set(row) & {"mse_input", "mse_target", "mse_x_y1", "mse_y_y2", "loss_decomposed"}:
                key = (cell.task, cell.rate_bits, cell.randomness, cell.mode, name)
                row[name] = known.get(key, row[name]) * factor + spread * (cell.seed - 1)
            folder = results_folder(config) / cell.folder
            folder.mkdir(parents=True)
            pd.DataFrame([row]).to_csv(folder / "metrics.csv", index=False)
        return config

    return make


def test_paired_comparisons_are_written(run):
    paired.write(run())
    rows = pd.read_csv("results/tiny/tables/paired.csv")
    assert set(rows.columns) >= {"task", "comparison", "rate_bits", "difference", "low", "high", "n_seeds", "n_agree"}
    own = rows.query("task == @SR and comparison == 'common_input'")
    assert own.rate_bits.fillna(0).tolist() == [4, 8, 0]
    assert set(rows.comparison) == {comparison.id for comparison in of_paper.COMPARISONS}
    text = Path("results/tiny/tables/paired.md").read_text()
    assert "**Super-resolution: common randomness - none, mse_input**" in text
    assert "3 of 3" in text
    assert "MNIST sample" in text


def test_one_seed_has_no_interval_and_missing_cells_are_named(run):
    paired.write(run({"seeds": [0]}, without={("end_to_end", 8, "common", 0)}))
    rows = pd.read_csv("results/tiny/tables/paired.csv")
    assert rows.low.isna().all()
    assert (rows.n_seeds == 1).all()
    assert rows.query("task == @SR and comparison == 'common_input'").rate_bits.tolist() == [4]
    text = Path("results/tiny/tables/paired.md").read_text()
    assert "INCOMPLETE, 1 cell missing: super-resolution, end to end, common randomness, 8 bits, seed 0." in text


def test_claims_are_written(run):
    claims.write(run())
    rows = pd.read_csv("results/tiny/claims.csv").set_index("id")
    assert list(rows.columns) == [
        "task", "claim", "place", "tables", "test", "evidence", "verdict", "n_seeds", "paper", "paper_evidence"
    ]  # fmt: skip
    assert rows.loc[f"distortion_falls/{SR}", ["verdict", "n_seeds", "paper"]].tolist() == ["holds", 3, "holds"]
    assert rows.loc[f"output_law/{SR}", "verdict"] == "not testable", "no bounds are computed"
    assert rows.loc["transport_limit", "verdict"] == "holds"
    assert rows.loc["wrong", "verdict"] == "fails"
    assert np.isnan(rows.loc["wrong", "n_seeds"])
    text = Path("results/tiny/claims.md").read_text()
    assert "**Theory, computed anew: 1 holds, 1 fails**" in text
    assert r"\|x\| = 2" in text, "a bar would end the cell"
    widths = {line.replace(r"\|", "").count("|") for line in text.splitlines() if line.startswith("|")}
    assert widths == {5, 7}


def test_the_floor_comes_from_the_bounds(run):
    config = run()
    folder = Path("results/tiny/bounds")
    folder.mkdir()
    pd.DataFrame({"bound": ["gelbrich_floor"], "distortion": [0.045]}).to_csv(
        folder / f"images_{SR}.csv", index=False
    )
    claims.write(config)
    row = pd.read_csv("results/tiny/claims.csv").set_index("id").loc[f"output_law/{SR}"]
    assert row.verdict == "fails"
    assert "above the floor 0.0450 at 3 of 4 points" in row.evidence


def test_claims_of_an_empty_run_are_those_of_the_theory(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = validate(tiny)
    claims.write(config)
    rows = pd.read_csv("results/tiny/claims.csv")
    assert set(rows[rows.task.notna()].verdict) == {"not testable"}
    for module in (paired, comparison):
        with pytest.raises(EcotError, match="no cell is measured in results/tiny"):
            module.write(config)


def flags(config):
    """The flag of each published number, by table and number."""
    found = metrics.rated(config)
    return comparison.compare(found.table, config).set_index(["table", *comparison.NUMBER])


@pytest.mark.parametrize(
    ("change", "factor", "spread", "flag"),
    [
        (ON_MNIST, 1.03, 0.0, "within 5 %"),
        (ON_MNIST, 0.97, 0.0, "within 5 %"),
        (ON_MNIST, 1.06, 0.0, "differs"),
        (ON_MNIST, 1.06, 0.01, "within spread"),
        (ON_MNIST, 1.03, 0.01, "within spread"),
        ({"seeds": [1], **ON_MNIST}, 1.06, 0.01, "differs"),
        (None, 1.0, 0.0, "other data"),
    ],
)
def test_flags(run, change, factor, spread, flag):
    rows = flags(run(change, factor=factor, spread=spread))
    row = rows.loc[(5, SR, 4, "common", "end_to_end", "mse_input")]
    assert row.flag == flag
    assert row.paper == 0.0515
    assert row.ratio == pytest.approx(factor)
    assert row["value"] == pytest.approx(0.0515 * factor)
    assert row.n_seeds == (1 if flag == "differs" and spread else 3)


def test_doubtful_and_missing_numbers_are_flagged(run):
    change = merge(ON_MNIST, {"seeds": [0], "tasks": {SR: {"modes": {"end_to_end": {"rates": [4, 18]}}}}})
    rows = flags(run(change))
    assert len(rows) == len(paper.published())
    assert rows.loc[(7, SR, 18, "common", "end_to_end", "mse_input"), "flag"] == "doubtful in the paper"
    assert rows.loc[(5, SR, 18, "common", "end_to_end", "mse_input"), "flag"] == "within 5 %"
    missing = rows.loc[(5, SR, 32, "common", "end_to_end", "mse_input")]
    assert missing.flag == "not run"
    assert missing[["value", "epochs", "n_train"]].isna().all()
    assert (rows.flag == "doubtful in the paper").sum() == 4
    assert set(rows.flag) <= set(comparison.Flag.__args__)


def test_the_tables_that_call_it_loss_have_the_same_number(run):
    change = merge(ON_MNIST, {"tasks": {SR: {"modes": {"joint": {"rates": [10]}, "end_to_end": {"rates": [10]}}}}})
    rows = flags(run(change, factor=1.02))
    for table in (1, 11):
        row = rows.loc[(table, SR, 10, "independent", "end_to_end", "loss_end_to_end")]
        assert row["value"] == pytest.approx(0.0435 * 1.02)


def test_the_summary_says_on_what_it_stands(run):
    config = run(ON_MNIST, factor=1.02, spread=0.0)
    comparison.write(config)
    rows = pd.read_csv("results/tiny/paper_summary.csv").set_index(["table", "task"])
    five = rows.loc[(5, SR)]
    assert five[["dataset", "their_data", "published", "reproduced", "close"]].tolist() == ["mnist", True, 30, 6, 6]
    assert five["median"] == pytest.approx(0.02)
    assert five["largest"] == pytest.approx(0.02)
    assert five.schedule == "128 images, width 0.1; end to end 2 of 50 epochs, lambda 0.01"
    assert five.claims.startswith("holds: common_better, common_saves_bits, distortion_falls")
    assert "loss_is_sum" not in five.claims
    assert not rows.loc[(6, DN), "their_data"]
    assert rows.loc[(9, SR), "reproduced"] == 4
    summary, numbers = (Path(f"results/tiny/paper_{name}.md").read_text() for name in ("summary", "comparison"))
    assert "| 2.0% " in summary
    assert "street_digits_sample (other data)" in summary
    assert numbers.count("not run") > 200
    assert "**Table 5, super-resolution**" in numbers
    assert len(pd.read_csv("results/tiny/paper_comparison.csv")) == len(paper.published())


def test_largest_difference_is_where_it_is(run):
    config = run(ON_MNIST)
    found = metrics.rated(config).table
    there = (found.rate_bits == 8) & (found.randomness == "common") & (found["mode"] == "end_to_end")
    found.loc[there, "mse_input"] *= 0.7
    table = comparison.summary(comparison.compare(found, config), claims.experiments(found, config))
    five = table.set_index(["table", "task"]).loc[(5, SR)]
    assert five["largest"] == pytest.approx(-0.3)
    assert five.largest_at == "8 bits, common, end to end"
    assert five["median"] == pytest.approx(0.0)


def test_the_figure_is_drawn_the_same_twice(run):
    config = run(ON_MNIST, factor=1.02, spread=0.001)
    contents = []
    for _ in range(2):
        comparison.write(config)
        contents.append(Path("results/tiny/figures/paper_comparison.svg").read_bytes())
    assert contents[0] == contents[1]
    with Image.open("results/tiny/figures/paper_comparison.png") as picture:
        assert min(picture.size) > 700


def test_each_number_is_drawn_once(run):
    config = run(merge(ON_MNIST, {"tasks": {SR: {"modes": {"end_to_end": {"rates": [4, 18]}}}}}))
    figure = comparison.draw(comparison.compare(metrics.rated(config).table, config))
    drawn = sum(len(bars.lines[0].get_xdata()) for bars in figure.axes[0].containers)
    ours = metrics.rated(config).table.query("task == @SR and mode in ('end_to_end', 'baseline') and rate_bits != 8")
    # Tables 5 (two rates, both settings) and 9 (one rate); 7 repeats 5, once with a misprint.
    assert len(ours) == 4 * 3
    at = {round(float(x), 4) for bars in figure.axes[0].containers for x in bars.lines[0].get_xdata()}
    assert {0.0515, 0.0558, 0.0324, 0.0367, 0.0582, 0.0646} <= at
    assert 0.0342 not in at
    baseline = 2  # at 8 bits
    assert drawn == 6 + baseline
