"""Paired comparisons: intervals, pairing by seed, published numbers as one seed."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from ecot.paper import differences

ROW = {"task": "super_resolution", "mode": "end_to_end"}


def metrics(values, mode="end_to_end", quantity="mse_input"):
    """Rows of metrics.csv from {(randomness, rate, seed): value}."""
    return pd.DataFrame(
        [
            {**ROW, "mode": mode, "randomness": randomness, "rate_bits": rate, "seed": seed, quantity: value}
            for (randomness, rate, seed), value in values.items()
        ]
    )


@pytest.mark.parametrize("n", [2, 3, 5, 20])
def test_the_interval_is_students(n):
    x = np.random.default_rng(n).normal(0.03, 0.01, n)
    found = differences.interval(x)
    expected = stats.ttest_1samp(x, 0.0).confidence_interval(differences.CONFIDENCE)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-9)
    assert (found.mean, found.n) == (pytest.approx(x.mean()), n)


@pytest.mark.parametrize(("values", "mean", "n"), [([0.5], 0.5, 1), ([0.5, np.nan], 0.5, 1), ([], np.nan, 0)])
def test_fewer_than_two_numbers_have_no_interval(values, mean, n):
    found = differences.interval(values)
    assert found.mean == pytest.approx(mean, nan_ok=True)
    assert np.isnan(found.low)
    assert np.isnan(found.high)
    assert found.n == n


def test_differences_are_of_equal_seeds_and_rates():
    common = {("common", 4, 0): 0.050, ("common", 4, 1): 0.052, ("common", 8, 0): 0.040, ("common", 8, 2): 0.041}
    without = {("independent", 4, 0): 0.053, ("independent", 4, 1): 0.054, ("independent", 8, 0): 0.045}
    rows = differences.table(differences.of_run(metrics(common | without)), ["super_resolution"])
    own = rows[rows.comparison == "common_input"].set_index("rate_bits")
    assert own.loc[4, "difference"] == pytest.approx(-0.0025)
    assert own.loc[4, ["n_seeds", "n_agree", "n_pairs"]].tolist() == [2, 2, 2]
    half = stats.t.ppf(0.975, 1) * np.std([-0.003, -0.002], ddof=1) / np.sqrt(2)
    assert own.loc[4, "low"] == pytest.approx(-0.0025 - half)
    assert own.loc[4, "high"] == pytest.approx(-0.0025 + half)
    assert own.loc[8, "n_seeds"] == 1, "seed 2 has no partner"
    assert np.isnan(own.loc[8, "low"])
    # Over all rates only seed 0 has both: the mean of -0.003 and -0.005.
    total = own[own.index.isna()].iloc[0]
    assert total.difference == pytest.approx(-0.004)
    assert (total.n_seeds, total.n_agree, total.n_pairs) == (1, 3, 3)


def test_a_comparison_without_cells_has_no_rows():
    rows = differences.table(differences.of_run(metrics({("common", 4, 0): 0.05})), ["super_resolution", "denoising"])
    assert rows.empty
    assert "difference" in rows


def test_pairs_of_both_signs_are_counted():
    numbers = {("common", 4, seed): 0.05 + step for seed, step in enumerate([0.001, -0.003, -0.002])}
    numbers |= {("independent", 4, seed): 0.05 for seed in range(3)}
    row = differences.table(differences.of_run(metrics(numbers)), ["super_resolution"]).iloc[0]
    assert (row.n_agree, row.n_pairs) == (2, 3)


def test_published_numbers_are_one_seed_and_the_first_table_counts():
    numbers = differences.of_paper([5, 7])
    assert set(numbers.seed) == {0}
    at_18 = numbers.query("mode == 'end_to_end' and randomness == 'common' and rate_bits == 18")
    assert at_18["value"].tolist() == [0.0324]
    assert differences.of_paper([7, 5]).query("mode == 'end_to_end' and randomness == 'common' and rate_bits == 18")[
        "value"
    ].tolist() == [0.0342]
    assert len(numbers) == 60
    assert set(differences.of_paper([1]).quantity) == {"mse_input", "loss_decomposed"}
