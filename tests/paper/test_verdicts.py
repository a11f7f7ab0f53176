"""The rule of verdicts: its words, its p-values against scipy's, and how often it errs."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from benchmarks.verdicts import CASES, FOR, SEEDS, rates
from ecot.paper.verdicts import LEVEL, decide, student

REPETITIONS = 300
# Three standard deviations of a share of LEVEL among so many.
MOST = LEVEL + 3 * np.sqrt(LEVEL * (1 - LEVEL) / REPETITIONS)


def margins(*points):
    return pd.DataFrame(dict(enumerate(points)))


def test_one_seed_never_says_more_than_consistent():
    right, wrong = margins([1.0], [2.0]), margins([1.0], [-1e-9])
    assert (decide(right), decide(wrong)) == ("consistent", "inconsistent")
    assert decide(pd.DataFrame()) == "not testable"
    # Two seeds, neither with all points: no spread of the whole claim.
    assert decide(margins([1.0, np.nan], [np.nan, 1.0])) == "consistent"


def test_the_words_of_several_seeds():
    right, wrong, unclear = [1.0, 1.1, 0.9], [-1.0, -1.1, -0.9], [0.1, -0.3, 0.1]
    assert decide(margins(right)) == "holds"
    assert decide(margins(right, right)) == "holds"
    assert decide(margins(wrong)) == "fails"
    assert decide(margins(right, right, right, wrong)) == "fails", "one point is against the claim"
    assert decide(margins(right, right, right, unclear)) == "holds on average"
    assert decide(margins(unclear)) == "not testable"
    assert decide(margins([0.0, 0.0, 0.0])) == "not testable"


@pytest.mark.parametrize("n", [2, 3, 7])
def test_one_point_is_students_test(n):
    x = np.random.default_rng(n).normal(0.3, 1, (n, 1))
    expected = stats.ttest_1samp(x[:, 0], 0.0, alternative="greater").pvalue
    found = student(x)
    assert (found.mean, *found.points, *found.own) == pytest.approx([expected] * 3)


def test_points_that_move_together_add_no_freedom_and_independent_ones_do():
    rng = np.random.default_rng(0)
    of_seed = rng.normal(0.3, 1, (4, 1))
    together = student(np.repeat(of_seed, 20, axis=1))
    expected = stats.ttest_1samp(of_seed[:, 0], 0.0, alternative="greater").pvalue
    assert together.points == pytest.approx(np.full(20, expected))
    assert together.mean == pytest.approx(expected)
    x = rng.normal(0, 1, (4, 2000))
    large = x.var(axis=0, ddof=1) < 1  # where the pooled spread counts
    z = x.mean(axis=0) / np.sqrt(x.var(axis=0, ddof=1).mean() / 4)
    assert student(x).points[large] == pytest.approx(stats.norm.sf(z[large]), abs=1e-3)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_false_verdicts_are_rarer_than_the_level(case):
    """As docs/claims.md says. Where one point has no effect, `holds` is false and `holds on average` true."""
    for n_seeds in SEEDS[1:]:
        found = rates(case, n_seeds, REPETITIONS)
        for words in ({*FOR} & {*case.false}, {"fails"} & {*case.false}):
            assert sum(found[word] for word in words) <= MOST, (n_seeds, found)
        assert found["consistent"] == found["inconsistent"] == 0


def test_effects_are_found():
    cases = {case.title: case for case in CASES}
    assert rates(cases["1 standard deviation, as claimed"], 3, 100)["holds on average"] > 0.9
    for n_seeds in SEEDS[1:]:
        found = rates(cases["5 standard deviations, as claimed"], n_seeds, 100)
        assert found["holds"] > 0.85
        assert found["not testable"] == 0
