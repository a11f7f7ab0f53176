"""The paper's claims and the paired comparisons of a run; metrics made up from the cell."""

import numpy as np
import pandas as pd
import pytest

from ecot import sealed
from ecot.artefacts import DamagedError
from ecot.config import merge, validate
from ecot.errors import EcotError
from ecot.grid.paths import clean_scores_path, image_bounds_path
from ecot.paper import differences
from ecot.products import base, image_bounds, reading
from ecot.quantities import measures

SR, DN = "super_resolution", "denoising"
pytestmark = pytest.mark.usefixtures("quick_theory")


def numbers_of(cell):
    """Common randomness is better by 0.003, every quantity falls with the rate, the baseline is worse by 0.01."""
    height = 0.1 / (cell.rate_bits or 1) + 0.02 + 0.003 * (cell.randomness == "independent")
    numbers = {"mse_input": height + 0.01 * (cell.mode == "baseline"), "mse_target": height - 0.005}
    if cell.mode in ("joint", "separate"):
        numbers |= {"mse_x_y1": 0.5 * height, "mse_y_y2": 0.4 * height, "mse_y1_y2": 0.1 * height}
        numbers["loss_decomposed"] = height
    return numbers


@pytest.fixture
def measured(run, all_modes):
    """A run of all modes, by default of three seeds."""

    def make(change=None, without=()):
        return run(merge(merge(all_modes, {"seeds": [0, 1, 2]}), change or {}), without, numbers_of)

    return make


def write(config, name):
    product = base.named(config, name)
    base.make(config, product)
    csv, md = product.files(config)
    return md.read_text(), pd.read_csv(csv)


def test_paired_comparisons_are_written(measured):
    text, rows = write(measured(), "paired")
    assert set(rows.columns) >= {"task", "comparison", "rate_bits", "difference", "low", "high", "n_seeds", "n_agree"}
    common = rows.query("task == @SR and comparison == 'common_input'")
    assert common.rate_bits.fillna(0).tolist() == [4, 8, 0]
    assert common.difference.tolist() == pytest.approx([-0.003] * 3)
    assert set(rows.comparison) == {comparison.id for comparison in differences.COMPARISONS}
    assert "**Super-resolution: common randomness - none, mse_input**" in text
    assert "3 of 3" in text
    assert "MNIST sample" in text


def test_one_seed_has_no_interval_and_missing_cells_are_named(measured):
    config = measured({"seeds": [0]}, without={f"{SR}/end_to_end/common/rate-8/seed-0"})
    text, rows = write(config, "paired")
    assert rows.low.isna().all()
    assert (rows.n_seeds == 1).all()
    assert rows.query("task == @SR and comparison == 'common_input'").rate_bits.tolist() == [4]
    assert "INCOMPLETE, 1 cell missing: Super-resolution, end to end, common randomness, 8 bits, seed 0." in text


def test_claims_are_written(measured):
    text, rows = write(measured(), "claims")
    rows = rows.set_index("id")
    assert list(rows.columns) == [
        "task", "claim", "place", "tables", "criterion", "evidence", "verdict", "n_seeds", "problem", "paper",
        "paper_evidence",
    ]  # fmt: skip
    assert rows.loc[f"distortion_falls/{SR}", ["verdict", "n_seeds", "paper"]].tolist() == ["holds", 3, "consistent"]
    assert rows.loc[f"output_law/{SR}", "verdict"] == "not testable", "no scores of clean images are computed"
    assert rows.loc[f"above_floor/{SR}", "verdict"] == "not testable", "no bounds are computed"
    problem = "data set mnist_sample (paper: mnist)"
    assert rows.loc[f"distortion_falls/{SR}", "problem"] == problem
    assert f"## Super-resolution, another problem than the paper's ({problem}): " in text
    assert "Another problem than the paper's, whose numbers do not stand beside these: data set mnist_sample" in text
    assert rows.loc["transport_limit", "verdict"] == "holds"
    assert rows.loc["wrong", "verdict"] == "fails"
    assert np.isnan(rows.loc["wrong", "n_seeds"])
    assert "## Theory, computed anew: 1 holds, 1 fails" in text
    assert "### Fails: |x| is 1.\n\nNowhere.\n\n- Criterion: a test.\n- Evidence: |x| = 2.\n" in text
    assert f"### Holds: {rows.loc[f'distortion_falls/{SR}', 'claim']}" in text
    assert not [identity for identity in rows.index if "/" in identity and identity in text], "ids are for programs"


def test_floor_and_clean_scores_come_from_the_test_set(measured):
    config = measured()
    floor, scores = image_bounds_path(config, SR), clean_scores_path(config, SR)
    assert {floor, scores} <= set(base.named(config, "claims").reads(config))
    assert {floor, scores} <= set(base.named(config, "paper_comparison").reads(config))
    table = pd.DataFrame({"bound": ["gelbrich_floor"], "distortion": [0.034]})
    image_bounds.write(table, floor, image_bounds.made_for(config, SR))
    # The outputs score 0.9 (accuracy), 0.001 (Gelbrich), 0.002 (sliced) and 0.5 (the others).
    clean = {**dict.fromkeys(measures(), 0.5), "classifier_accuracy": 0.97, "gelbrich": 0.001, "sliced_w2": 0.002}
    rows = [clean, {**clean, "classifier_accuracy": 0.96, "kernel_distance": -0.1}]
    about = [{"images": images, "n_test": 64, **row} for images, row in zip(("test", "training"), rows, strict=True)]
    sealed.write(scores, reading.clean_scores_made_for(config, SR), about)
    _, rows = write(config, "claims")
    rows = rows.set_index("id")
    assert rows.loc[f"above_floor/{SR}", "verdict"] == "fails"
    assert "above the floor 0.0340 at 3 of 4 points" in rows.loc[f"above_floor/{SR}", "evidence"]
    law = rows.loc[f"output_law/{SR}"]
    assert law.verdict == "fails", "10 % of errors against 4 % of clean images"
    assert "largest ratio 2.5 to 2.5" in law.evidence


@pytest.mark.parametrize("content", ["images,other\ntest,1\n", "", "task\nx\n"])
def test_damaged_clean_scores_are_named(measured, content):
    config = measured({"seeds": [0]})
    path = clean_scores_path(config, SR)
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(DamagedError, match=f"{path} is damaged .*; `ecot clean-scores {SR}` makes it again"):
        write(config, "claims")


@pytest.mark.parametrize("content", [b"bound,distortion\nother,1\n", b"\xff\xfe", b""])
def test_damaged_bounds_are_named(measured, content):
    config = measured({"seeds": [0]})
    path = image_bounds_path(config, SR)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(DamagedError, match=f"{path} is damaged .*; `ecot make bounds_images_{SR}` makes it again"):
        write(config, "claims")


def test_claims_of_an_empty_run_are_those_of_the_theory(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = validate(tiny)
    _, rows = write(config, "claims")
    assert set(rows[rows.task.notna()].verdict) == {"not testable"}
    assert rows[rows.task.isna()].verdict.tolist() == ["holds", "fails"]
    with pytest.raises(EcotError, match="no cell of it is measured in results/tiny"):
        write(config, "paired")


def test_a_run_without_the_papers_tasks_has_no_claims(tiny):
    jpeg = {**tiny["tasks"][DN], "degradation": {"kind": "jpeg", "quality": 10}}
    there = base.products(validate(merge(tiny, {"tasks": {"jpeg": jpeg, SR: None, DN: None}})))
    assert "claims" not in there
    assert "paired" in there
