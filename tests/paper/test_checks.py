"""The checks of the paper's claims: each can hold, fail and be not testable; what they find in the paper itself."""

import numpy as np
import pandas as pd
import pytest

from ecot import paper
from ecot.config import merge, validate
from ecot.paper import checks, differences

SR, DN = "super_resolution", "denoising"
SIGMA2 = (20 / 255) ** 2
RATES = {SR: [4, 10, 20], DN: [12, 30, 60]}


def run(task=SR, seeds=(0, 1, 2), spread=1e-5, **changes):
    """Numbers of a run in which every claim holds; `changes` name a quantity and how it is changed.

    A change is a function of (mode, randomness, rate, seed, value).
    """
    rng = np.random.default_rng(0)
    rows = []
    for rate in RATES[task]:
        for seed in seeds:
            for mode, randomness in (
                ("end_to_end", "common"), ("end_to_end", "independent"), ("baseline", "common"),
                ("baseline", "independent"), ("joint", "independent"), ("separate", "independent"),
            ):  # fmt: skip
                level = 0.1 / rate + 0.02 + 0.003 * (randomness == "independent") + 0.01 * (mode == "baseline")
                row = {"mse_input": level, "mse_target": level - SIGMA2}
                if mode in ("joint", "separate"):
                    share = 1.02 if mode == "joint" else 1.0
                    row |= {"mse_x_y1": 0.6 * level * share, "mse_y_y2": 0.4 * level * share}
                    row["mse_y1_y2"] = 0.001 if mode == "joint" else 0.004
                row = {name: value + spread * rng.standard_normal() for name, value in row.items()}
                if mode in ("joint", "separate"):
                    row["loss_decomposed"] = row["mse_x_y1"] + row["mse_y_y2"] + row["mse_y1_y2"]
                for name, change in changes.items():
                    if name in row:
                        row[name] = change(mode, randomness, rate, seed, row[name])
                rows.append(
                    {"task": task, "mode": mode, "randomness": randomness, "rate_bits": rate, "seed": seed} | row
                )
    return pd.DataFrame(rows)


@pytest.fixture
def verdict(values):
    """The judged row of one claim about one task."""

    def judge(metrics, name, task=SR, floors=None, change=None):
        config = validate(merge(values, change or {}))
        found = checks.claims(config, {SR: 0.01, DN: 0.001} if floors is None else floors)
        claim = next(claim for claim in found if claim.id == f"{name}/{task}")
        return pd.Series(checks.row(claim, differences.of_run(metrics)))

    return judge


def test_everything_holds_on_numbers_made_so(verdict, config):
    for task in (SR, DN):
        rows = checks.judge(differences.of_run(run(task)), config, {SR: 0.01, DN: 0.001}).query("task == @task")
        other = rows[rows.verdict != "holds"]
        assert [name.partition("/")[0] for name in other.id] == ["printed_alike"]
        assert (rows[rows.verdict == "holds"].n_seeds == 3).all()


def up(where, by=0.03):
    """Raises a value in the cells that `where` chooses."""
    return lambda mode, randomness, rate, seed, value: value + by * where(mode, randomness, rate, seed)


def common_high(mode, randomness, rate, seed):
    return mode == "end_to_end" and randomness == "common" and rate in (10, 30)


def last_high(mode, randomness, rate, seed):
    return mode == "end_to_end" and rate in (20, 60)


def joint(mode, *_):
    return mode == "joint"


BREAKS = {
    "common_better": {"mse_input": up(common_high)},
    "common_saves_bits": {"mse_input": up(lambda mode, randomness, *_: randomness == "common", 0.006)},
    "common_better_target": {"mse_target": up(common_high)},
    "distortion_falls": {"mse_input": up(last_high)},
    "outputs_clearer": {"mse_target": up(last_high)},
    "output_law": {"mse_input": up(lambda mode, *_: mode == "end_to_end", -0.02)},
    "decomposed_close": {"loss_decomposed": up(joint, 0.01)},
    "loss_is_sum": {"loss_decomposed": up(joint, 0.001)},
    "joint_close": {"mse_x_y1": up(joint, 0.02)},
    "separate_lowers_errors": {"mse_y_y2": up(joint, -0.005)},
    "separate_raises_transport": {"mse_y1_y2": up(joint, 0.01)},
    "beats_baseline": {"mse_input": up(lambda mode, *_: mode == "baseline", -0.02)},
    "noise_consistent": {"mse_target": up(lambda *_: True, 0.002)},
}


@pytest.mark.parametrize("seeds", [(0,), (0, 1, 2)])
@pytest.mark.parametrize("name", BREAKS)
def test_every_claim_can_fail(verdict, name, seeds):
    task = DN if name == "noise_consistent" else SR
    assert verdict(run(task, seeds), name, task).verdict == "holds"
    row = verdict(run(task, seeds, **BREAKS[name]), name, task)
    assert row.verdict == "fails", row.evidence
    assert ("no interval" in row.evidence) == (len(seeds) == 1)


@pytest.mark.parametrize("name", BREAKS)
def test_every_claim_needs_its_cells(verdict, name):
    task = DN if name == "noise_consistent" else SR
    nothing = run(task).query("mode == 'restoration'")
    row = verdict(nothing, name, task)
    assert (row.verdict, row.n_seeds) == ("not testable", 0)


def test_a_spread_wider_than_the_difference_decides_nothing(verdict):
    # Common randomness is better in the mean at every rate, but by less than the seeds differ.
    sway = {0: -0.009, 1: 0.006}
    numbers = run(
        seeds=(0, 1),
        mse_input=lambda mode, randomness, rate, seed, value: value + sway[seed] * (randomness == "common"),
    )
    row = verdict(numbers, "common_better")
    assert row.verdict == "not testable"
    assert "lower at 3 of 3" in row.evidence
    assert "undecided" in row.evidence


def test_one_rate_against_the_claim_is_named(verdict):
    row = verdict(run(mse_input=BREAKS["common_better"]["mse_input"]), "common_better")
    assert row.evidence.startswith("lower at 2 of 3 points")
    assert "not at 10 bits (+0.0270)" in row.evidence


def test_the_floor_is_of_the_tasks_own_test_set(verdict):
    assert verdict(run(), "output_law", floors={}).verdict == "not testable"
    row = verdict(run(), "output_law", floors={SR: 0.0353})
    assert row.paper == "fails", "Table 5 falls below the floor of MNIST"
    assert "common, 16 bits" in row.paper_evidence
    other = {"tasks": {SR: {"dataset": "mnist_sample"}}}
    assert verdict(run(), "output_law", floors={SR: 0.0353}, change=other).paper == "not testable"


def test_noise_that_is_clipped_or_none_at_all_is_not_compared(verdict):
    change = {"tasks": {DN: {"degradation": {"clip": True}}}}
    assert verdict(run(DN), "noise_consistent", DN, change=change).verdict == "not testable"


def test_the_papers_own_numbers(config):
    rows = checks.judge(differences.of_run(run().iloc[:0]), config, {}).set_index("id")
    assert (rows.verdict == "not testable").all()
    fails = set(rows.index[rows.paper == "fails"])
    assert fails == {
        f"loss_is_sum/{SR}", f"printed_alike/{SR}", f"separate_lowers_errors/{SR}", f"separate_lowers_errors/{DN}"
    }  # fmt: skip
    assert "20 bits (-0.00207), 30 bits (-0.01098)" in rows.loc[f"loss_is_sum/{SR}", "paper_evidence"]
    repeated = rows.loc[f"printed_alike/{SR}", "paper_evidence"]
    assert "18 bits, 0.0324 and 0.0342" in repeated
    assert "0.00122 and 0.0092" in repeated
    # What these two checks find is what resources/paper_tables.csv marks, both ends of a contradiction.
    assert len(paper.published().note.dropna()) == 4
    assert (
        rows.paper[[f"{name}/{task}" for name in ("common_better", "beats_baseline") for task in (SR, DN)]] == "holds"
    ).all()


def test_thresholds_are_the_papers_own():
    assert checks.largest_published(("decomposed",), (1, 11)) == pytest.approx(0.0139 / 0.0123 - 1)
    assert checks.largest_published(("joint_mse_x_y1", "joint_mse_y_y2"), (2,)) == pytest.approx(0.0136 / 0.0113 - 1)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ({4: 0.5, 8: 0.3, 12: 0.1}, {6: 0.5, 10: 0.3, 14: 0.1}, 2.0),  # the same curve, 2 bits later
        ({4: 0.5, 12: 0.1}, {4: 0.5, 12: 0.1}, 0.0),
        ({4: 0.5, 8: 0.3}, {4: 0.6, 8: 0.4}, 2.0),  # 0.05 a bit, 0.1 apart
        ({4: 0.5, 8: 0.6, 12: 0.1}, {4: 0.5, 12: 0.1}, 0.0),  # a rate that gains nothing is left out
        ({4: 0.3, 8: 0.2}, {4: 0.6, 8: 0.5}, np.nan),  # no distortion in common
        ({4: 0.3}, {4: 0.6, 8: 0.2}, np.nan),
    ],
)
def test_bits_saved_are_the_horizontal_distance(first, second, expected):
    found = checks.bits_saved(pd.Series(first), pd.Series(second))
    assert found == pytest.approx(expected, nan_ok=True, abs=1e-12)


def test_bits_saved_by_numerical_integration():
    first = pd.Series({4: 0.055, 10: 0.041, 20: 0.034, 30: 0.030})
    second = pd.Series({4: 0.058, 10: 0.045, 20: 0.037, 30: 0.031})
    D = np.linspace(0.031, 0.055, 200_001)
    by_rate = [np.interp(D, curve.to_numpy()[::-1], curve.index.to_numpy()[::-1]) for curve in (first, second)]
    assert checks.bits_saved(first, second) == pytest.approx((by_rate[1] - by_rate[0]).mean(), rel=1e-4)


def test_the_rule_of_verdicts():
    right, wrong = pd.DataFrame({4: [1.0, 1.1, 0.9]}), pd.DataFrame({4: [-1.0, -1.1, -0.9]})
    assert checks.decide(right) == "holds"
    assert checks.decide(wrong) == "fails"
    assert checks.decide(pd.concat([right, 10 * right, wrong.set_axis([8], axis=1)], axis=1)) == "fails"
    unclear = pd.DataFrame({4: [1.0, 1.1, 0.9], 8: [0.1, -0.3, 0.1]})
    assert checks.decide(unclear) == "not testable"
    assert checks.decide(right.iloc[:1]) == "holds"
    assert checks.decide(unclear.iloc[1:2]) == "fails"
    assert checks.decide(pd.DataFrame()) == "not testable"
