"""The fit of lambda: constructed sweeps whose best weight is known."""

import json
import logging
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecot import paper
from ecot.config import merge, validate
from ecot.errors import EcotError
from ecot.grid.paths import metrics_path
from ecot.grid.plan import sweep
from ecot.products import fit_weight
from ecot.products.base import make, named

WEIGHTS = [0.001, 0.003, 0.01, 0.02, 0.05]
FOLDER = Path("results/tiny/fit_weight")
LINES = {"mse_input": (0.5, 0.004), "mse_target": (-0.25, 0.016)}  # slope in log lambda, weight that gives the paper


@pytest.fixture
def measured(tiny, measure_cell, tmp_path, monkeypatch):
    """A measured sweep: each log ratio is a line in log lambda, moved up by `shift` times the seed."""
    monkeypatch.chdir(tmp_path)

    def make(lines=LINES, seeds=(0,), shift=0.0, change=None, without=()):
        fit_weight = {"weights": WEIGHTS, "rates": [8, 24], "n_validation": 32}
        task = {"dataset": "mnist", "fit_weight": fit_weight}
        settings = {"seeds": list(seeds), "tasks": {"super_resolution": task}}
        config = validate(merge(merge(tiny, settings), change or {}))
        key = ["rate_bits", "randomness", "quantity"]
        published = paper.end_to_end("super_resolution", [8, 24]).set_index(key)["paper"]
        for cell in sweep(config, "super_resolution"):
            if (cell.weight, cell.rate_bits) in without:
                continue
            numbers = {}
            for quantity, (slope, there) in lines.items():
                log_ratio = slope * np.log(cell.weight / there) + shift * cell.seed
                numbers[quantity] = published[cell.rate_bits, cell.randomness, quantity] * np.exp(log_ratio)
            measure_cell(config, cell, numbers)
        return config

    return make


def fitted(config):
    make(config, named(config, "fit_weight_super_resolution"))
    return json.loads((FOLDER / "super_resolution.json").read_text())


def test_the_weight_that_gives_the_papers_numbers_is_found(measured):
    """Both distortions agree with the paper at 0.007, which was not swept."""
    found = fitted(measured({"mse_input": (0.3, 0.007), "mse_target": (-0.4, 0.007)}))
    assert found["fitted_weight"] == pytest.approx(0.007, rel=0.005)
    assert found["interior"] is True
    assert max(found["score"].values()) < 0.002


def test_two_distortions_that_disagree_are_weighed_by_least_squares(measured):
    """Minimum of sum (slope (log lambda - log there))^2, in closed form."""
    found = fitted(measured())
    slopes, places = (np.array(column) for column in zip(*LINES.values(), strict=True))
    best = np.exp(np.average(np.log(places), weights=slopes**2))
    assert found["fitted_weight"] == pytest.approx(best, rel=0.005)
    parts = np.abs(slopes * np.log(best / places))
    assert found["score"]["mse_input"] == pytest.approx(parts[0], rel=0.02)
    assert found["score"]["mse_target"] == pytest.approx(parts[1], rel=0.02)
    assert found["score"]["both"] == pytest.approx(np.sqrt(np.mean(parts**2)), rel=0.001)
    at_a_swept_weight = next(row for row in found["curve"] if row["distribution_weight"] == 0.02)
    assert at_a_swept_weight["mse_input"] == pytest.approx(0.5 * np.log(5))


def test_the_curve_is_tidy_and_the_fit_shows_its_spread(measured):
    """Seed 1 lies higher by a shift, so its own best weight is lower by shift / slope in log lambda."""
    found = fitted(measured({"mse_input": (0.5, 0.01), "mse_target": (0.5, 0.01)}, seeds=(0, 1), shift=0.2))
    assert found["fitted_weight_by_seed"]["0"] == pytest.approx(0.01, rel=0.005)
    assert found["fitted_weight_by_seed"]["1"] == pytest.approx(0.01 * np.exp(-0.4), rel=0.005)
    assert found["fitted_weight_by_seed"]["1"] < found["fitted_weight"] < found["fitted_weight_by_seed"]["0"]
    rows = pd.read_csv(FOLDER / "super_resolution.csv")
    assert list(rows.columns) == [
        "task", "dataset", "distribution_weight", "rate_bits", "randomness", "quantity", "value", "std", "n_seeds",
        "paper", "log_ratio",
    ]  # fmt: skip
    assert len(rows) == len(WEIGHTS) * 2 * 2 * 2
    key = ["distribution_weight", "rate_bits", "randomness", "quantity"]
    row = rows.set_index(key).loc[(0.01, 8, "common", "mse_input")]
    assert row["paper"] == 0.0420
    assert row["value"] == pytest.approx(0.0420 * (1 + np.exp(0.2)) / 2)
    assert row["std"] == pytest.approx(0.0420 * (np.exp(0.2) - 1) / np.sqrt(2))
    assert (row["n_seeds"], row["log_ratio"]) == (2, pytest.approx(np.log((1 + np.exp(0.2)) / 2)))


def test_a_weight_at_an_end_of_the_sweep_is_said_to_be_there(measured, caplog):
    with caplog.at_level(logging.WARNING):
        found = fitted(measured({"mse_input": (0.3, 0.5), "mse_target": (0.3, 0.5)}))
    assert (found["fitted_weight"], found["interior"]) == (0.05, False)
    assert "widen fit_weight.weights" in caplog.text
    assert "fitted: 0.05, an end of the sweep" in (FOLDER / "super_resolution.svg").read_text()


def test_the_fit_says_what_it_rests_on(measured):
    found = fitted(measured())
    assert (found["n_train"], found["dataset"], found["schedule"]["epochs"]) == (128 - 32, "mnist", 2)
    assert (found["published_weight"], found["configured_weight"]) == (0.001, 0.01)
    assert "128 of 60,000 training images" in found["differs"]


@pytest.mark.parametrize("change", [{"dataset": "mnist_sample"}, {"degradation": {"factor": 2}}])
def test_another_problem_than_the_papers_is_not_fitted_to_its_numbers(measured, change):
    config = measured(change={"tasks": {"super_resolution": change}})
    with pytest.raises(EcotError, match="no product 'fit_weight_super_resolution'"):
        named(config, "fit_weight_super_resolution")
    named(config, "fit_weight_offset_super_resolution")


def test_the_figure_is_drawn_the_same_twice(measured):
    config = measured(seeds=(0, 1), shift=0.1)
    fitted(config)
    first = (FOLDER / "super_resolution.svg").read_bytes()
    fitted(config)
    assert (FOLDER / "super_resolution.svg").read_bytes() == first
    assert len(list(FOLDER.iterdir())) == 4


def test_what_cannot_be_fitted_is_refused(measured):
    config = measured(without=[(0.02, 8)])
    with pytest.raises(EcotError, match=r"INCOMPLETE, 2 cells missing: Super-resolution, .* lambda 0\.02, seed 0"):
        fitted(config)
    assert not FOLDER.exists()
    with pytest.raises(EcotError, match="no product 'fit_weight_denoising'"):
        named(config, "fit_weight_denoising")
    with pytest.raises(EcotError, match="super_resolution at 10 bits; allowed rates: 4, 8, 12, 16, 20, 24, 28, 32"):
        paper.end_to_end("super_resolution", [8, 10])


def test_it_is_no_part_of_the_target_all(measured):
    assert not named(measured(), "fit_weight_super_resolution").in_all


class TestOffsets:
    """What lambda adds: a constructed sweep that follows the law, and one clean image 3 steps from its input."""

    @pytest.fixture
    def swept(self, tiny, datasets, measure_cell, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        Path("results").mkdir()
        Path("results/datasets").symlink_to(datasets)

        def make(task, rates, seeds=(0, 1)):
            fit_weight = {"weights": WEIGHTS, "rates": rates, "n_validation": 32}
            change = {"seeds": list(seeds), "tasks": {task: {"fit_weight": fit_weight}}}
            config = validate(merge(tiny, change))
            for cell in sweep(config, task):
                plain = 0.3 / cell.rate_bits + 0.001 * cell.seed
                numbers = {"mse_input": plain + (1 + 0.1 * cell.seed) * cell.weight, "mse_target": 0.05}
                measure_cell(config, cell, numbers)
            return config

        return make

    @pytest.mark.parametrize(("task", "rates"), [("super_resolution", [8, 24]), ("denoising", [12, 60])])
    def test_both_tasks_have_offsets_and_a_critical_weight(self, swept, caplog, task, rates):
        config = swept(task, rates)
        product = named(config, f"fit_weight_offset_{task}")
        with caplog.at_level(logging.INFO):
            make(config, product)
        assert not product.in_all
        assert all(path.stat().st_size for path in product.files(config))
        rows = pd.read_csv(FOLDER / f"{task}_offset.csv")
        assert len(rows) == (len(WEIGHTS) - 1) * 2 * 2
        # The plain part is gone, seed by seed: the mean of the factors 1 and 1.1, and their spread.
        steps = rows.distribution_weight - WEIGHTS[0]
        np.testing.assert_allclose(rows.offset, 1.05 * steps)
        np.testing.assert_allclose(rows["std"], 0.1 * steps / np.sqrt(2))
        values = {"super_resolution": 784, "denoising": 3072}[task]
        np.testing.assert_allclose(rows.most, values * (rows.distribution_weight**2 - WEIGHTS[0] ** 2) / 4)
        assert (rows[["transport", "pairs"]].to_numpy() <= rows[["most"]].to_numpy() + 1e-12).all()

        summary = json.loads((FOLDER / f"{task}_offset.json").read_text())
        critical = summary["critical_weight"]
        assert critical["gelbrich floor"] <= critical["sample transport"] <= critical["true pairs"]
        assert f"the critical weight lambda* is {critical['gelbrich floor']:.3g} (gelbrich floor)" in caplog.text

    def test_what_is_missing_is_said(self, swept):
        config = swept("super_resolution", [8, 24])
        metrics_path(config, sweep(config, "super_resolution")[0]).unlink()
        with pytest.raises(EcotError, match="INCOMPLETE, 1 cell missing"):
            make(config, named(config, "fit_weight_offset_super_resolution"))


def test_the_law_of_images_that_all_lie_at_one_distance():
    """Each clean image lies 3 to the right of its input, far from all others: min(3, n lambda / 2)^2 / n."""
    x = np.array([[0.0, 0.0], [100.0, 0.0], [0.0, 100.0]])
    y = x + np.array([3.0, 0.0])
    law = fit_weight.added_distortion(x, y, [1.0, 2.0, 3.0, 30.0])
    for name in ("transport", "pairs"):
        assert law[name].tolist() == pytest.approx([0.5, 2.0, 4.5, 4.5])
    assert law["most"].tolist() == pytest.approx([0.5, 2.0, 4.5, 450.0])
    critical = fit_weight.critical_weights(x, y)
    assert critical["sample transport"] == critical["true pairs"] == pytest.approx(3.0)
    assert critical["gelbrich floor"] == pytest.approx(3.0)  # a shift alone
