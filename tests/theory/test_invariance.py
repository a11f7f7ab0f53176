"""What must change nothing: offsets f(x) + g(y) of the cost, its scale, the order of letters, splitting a letter."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ecot.theory import finite

EPS = np.finfo(float).eps
seeds = st.integers(0, 10_000)
QUICK = {"time_limit": 0.2, "starts": 2}


def problem(seed, n=3, m=3):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(n, 2.0)), rng.dirichlet(np.full(m, 2.0)), rng.random((n, m)), rng


def curves(p_x, p_y, cost, rate):
    """The values with a proof of their own: a certified optimum each, except for the last two, a bracket."""
    bracket = finite.d_ncr(p_x, p_y, cost, rate, **QUICK)
    return np.array(
        [
            finite.transport(p_x, p_y, cost),
            finite.d_cr(p_x, p_y, cost, rate),
            finite.d_cr_asymptotic(p_x, p_y, cost, rate),
            bracket.upper,
            bracket.lower,
        ]
    )


def agree(found, expected, rounding, scale=1.0):
    """Optima to rounding and the solvers' own tolerance; brackets, which time may leave open, must overlap."""
    tolerance = 64 * rounding + 1e-7 * scale
    np.testing.assert_allclose(found[:3], expected[:3], rtol=0, atol=tolerance)
    assert found[4] <= expected[3] + tolerance
    assert expected[4] <= found[3] + tolerance


@given(seeds, st.floats(-8, 8), st.floats(-8, 8), st.floats(0.1, 1.4))
@example(0, 8.0, -8.0, 0.5)
@settings(max_examples=4, deadline=None)
def test_offsets(seed, log_f, log_g, rate):
    p_x, p_y, cost, rng = problem(seed)
    f, g = 10**log_f * rng.standard_normal(3), 10**log_g * rng.standard_normal(3)
    moved = cost + f[:, None] + g
    rounding = EPS * np.abs(moved).max()
    agree(curves(p_x, p_y, moved, rate) - (f @ p_x + g @ p_y), curves(p_x, p_y, cost, rate), rounding)


@pytest.mark.parametrize("mean", [1e3, 1e6])
def test_squared_errors_of_distant_means(mean):
    """The optimum moves by mean^2 + 2 mean (E Y - E X); no value with common randomness above one without."""
    p_x, p_y, _, rng = problem(5)
    x, y = rng.standard_normal((2, 3))
    near, far = finite.squared_error(x, y), finite.squared_error(x, y + mean)
    shift = mean**2 + 2 * mean * (p_y @ y - p_x @ x)
    for rate in (0.3, 0.9):
        found = curves(p_x, p_y, far, rate)
        agree(found - shift, curves(p_x, p_y, near, rate), EPS * far.max())
        assert found[1] <= found[3] + 4 * EPS * far.max()


@given(seeds, st.floats(-12, 8), st.floats(0.1, 1.4))
@settings(max_examples=4, deadline=None)
def test_scales(seed, log_scale, rate):
    p_x, p_y, cost, _ = problem(seed)
    scale = 10**log_scale
    agree(curves(p_x, p_y, scale * cost, rate), scale * curves(p_x, p_y, cost, rate), EPS * scale, scale)


@given(seeds, st.floats(0.1, 1.4))
@settings(max_examples=4, deadline=None)
def test_the_order_of_letters(seed, rate):
    p_x, p_y, cost, rng = problem(seed, 3, 4)
    i, j = rng.permutation(3), rng.permutation(4)
    agree(curves(p_x[i], p_y[j], cost[np.ix_(i, j)], rate), curves(p_x, p_y, cost, rate), EPS)


@given(seeds, st.floats(0.1, 1.4), st.floats(0.05, 0.95))
@settings(max_examples=4, deadline=None)
def test_splitting_a_letter(seed, rate, share):
    p_x, p_y, cost, _ = problem(seed)
    split_x = np.insert(p_x * [1, share, 1], 1, p_x[1] * (1 - share))
    split_y = np.insert(p_y * [share, 1, 1], 0, p_y[0] * (1 - share))
    wide = np.insert(np.insert(cost, 1, cost[1] + 3.0, axis=0), 0, 0.0, axis=1)
    wide[:, 0] = wide[:, 1] - 2.0  # the halves' costs differ by constants
    offset = 3 * split_x[1] - 2 * split_y[0]
    agree(curves(split_x, split_y, wide, rate) - offset, curves(p_x, p_y, cost, rate), 8 * EPS)
    plan = finite.solve_ncr(split_x, split_y, wide, rate, **QUICK)
    np.testing.assert_allclose(plan.p_xz.sum(1), split_x, atol=1e-12)
    np.testing.assert_allclose(plan.p_yz.sum(1), split_y, atol=1e-12)
    assert (plan.p_xy * wide).sum() == pytest.approx(plan.upper, abs=1e-9)


@pytest.mark.parametrize(("n", "m"), [(3, 3), (2, 4)])
def test_source_and_target_may_be_exchanged(n, m):
    p_x, p_y, cost, _ = problem(11, n, m)
    rate = 0.6
    one = finite.solve_ncr(p_x, p_y, cost, rate, time_limit=20, tolerance=1e-5)
    other = finite.solve_ncr(p_y, p_x, cost.T, rate, time_limit=20, tolerance=1e-5)
    assert (one.upper, one.lower) == (other.upper, other.lower)
    np.testing.assert_array_equal(one.p_xz, other.p_yz)
    assert finite.d_ncr_asymptotic(p_x, p_y, cost, rate) == finite.d_ncr_asymptotic(p_y, p_x, cost.T, rate)
    assert finite.d_cr_asymptotic(p_x, p_y, cost, rate) == finite.d_cr_asymptotic(p_y, p_x, cost.T, rate)
    assert one.lower >= finite.solve_cr(p_y, p_x, cost.T, rate).lower_bound - 1e-9  # the better of both directions


def test_a_contradiction_is_an_error():
    assert finite._agreeing(1 + 1e-9, 1.0) == 1.0
    with pytest.raises(ArithmeticError, match="bounds contradict each other"):
        finite._agreeing(1 + 1e-6, 1.0)
