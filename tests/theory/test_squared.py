"""Theorems 1 and 6 on finite sources of points: quantisers against search, bounds against the optimum."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import entr

from ecot.theory import binary, finite, squared

seeds = st.integers(0, 10_000)


def entropy(p):
    return float(entr(np.maximum(p, 0)).sum() / np.log(2))


def source(seed, n, d=1):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return rng.dirichlet(np.ones(n)), x[:, 0] if d == 1 else x


@given(st.floats(0.02, 0.98), st.floats(0, 1.1))
@settings(max_examples=25, deadline=None)
def test_binary_sources_have_the_closed_form(q, rate):
    assert squared.d_mse([1 - q, q], [0, 1], rate) == pytest.approx(binary.d_mse(q, rate), abs=1e-10)


@given(st.floats(0.02, 0.98), st.floats(0.02, 0.98), st.floats(0.01, 1))
@settings(max_examples=15, deadline=None)
def test_bounds_of_theorem_1_on_binary_sources(q_x, q_y, rate):
    laws = [1 - q_x, q_x], [0, 1], [1 - q_y, q_y], [0, 1]
    assert squared.d_ncr_lower(*laws, rate) == pytest.approx(binary.d_ncr_lower(q_x, q_y, rate), abs=1e-9)
    upper, closed = squared.d_ncr_upper(*laws, rate), binary.d_ncr_upper(q_x, q_y, rate)
    if 0.5 in (q_x, q_y):  # two optimal quantisers: the closed form takes the one that suits the other source
        assert upper >= closed - 1e-9
    else:
        assert upper == pytest.approx(closed, abs=1e-9)


@pytest.mark.parametrize(("seed", "d"), [(0, 1), (1, 1), (2, 2)])
def test_no_channel_quantises_better(seed, d):
    """Random channels, and all maps of letters to cells, with H(Z) <= R."""
    p, x = source(seed, 4, d)
    points = x if x.ndim == 2 else x[:, None]
    rng = np.random.default_rng(seed)
    maps = [p[:, None] * np.eye(4)[list(f)] for f in product(range(4), repeat=4)]
    channels = maps + [p[:, None] * rng.dirichlet(np.full(4, 0.1), 4) for _ in range(3000)]
    for joint in channels:
        joint = joint[:, joint.sum(0) > 1e-12]
        centres = joint.T @ points / joint.sum(0)[:, None]
        D = float((joint * ((points[:, None] - centres) ** 2).sum(2)).sum())
        if rng.random() < 0.015:
            assert squared.d_mse(p, x, entropy(joint.sum(0)) + 1e-12) <= D + 1e-10
    for rate in (0.3, 0.9):
        found = squared.solve_mse(p, x, rate)
        assert entropy(found.p_xz.sum(0)) <= rate + 1e-10
        np.testing.assert_allclose(found.p_xz.sum(1), p, atol=1e-12)


@given(seeds, st.floats(0.05, 1.3))
@settings(max_examples=4, deadline=None)
def test_theorem_1_around_the_optimum(seed, rate):
    """(8), the sharper bound between (6) and the optimum, and 2 D_mse for equal laws."""
    (p_x, x), (p_y, y) = source(seed, 3), source(seed + 1, 3)
    found = finite.d_ncr(p_x, p_y, finite.squared_error(x, y), rate, time_limit=0.2, starts=4)
    low, sharper, high = (
        f(p_x, x, p_y, y, rate) for f in (squared.d_ncr_lower, squared.d_ncr_lower_sharper, squared.d_ncr_upper)
    )
    assert low <= sharper + 1e-12
    assert sharper <= found.upper + 1e-7
    assert found.lower <= high + 1e-7
    twice = finite.d_ncr(p_x, p_x, finite.squared_error(x, x), rate, time_limit=0.2, starts=4)
    D = 2 * squared.d_mse(p_x, x, rate)
    assert twice.lower - 1e-7 <= D <= twice.upper + 1e-7
    assert squared.d_ncr_upper(p_x, x, p_x, x, rate) == pytest.approx(D, abs=1e-9)


@given(seeds, st.integers(2, 6), st.floats(0.02, 2))
@settings(max_examples=12, deadline=None)
def test_long_blocks(seed, n, rate):
    """Certified to 1e-4 of the squared range, feasible, no better than one letter at a time."""
    p, x = source(seed, n)
    found = squared.solve_mse_asymptotic(p, x, rate)
    assert 0 <= found.distortion - found.lower_bound <= 1e-4 * np.ptp(x) ** 2
    np.testing.assert_allclose(found.p_xz.sum(1), p, atol=1e-12)
    product_law = found.p_xz.sum(1, keepdims=True) * found.p_xz.sum(0)
    kept = found.p_xz > 0
    assert (found.p_xz[kept] * np.log2(found.p_xz[kept] / product_law[kept])).sum() <= rate + 1e-9
    assert found.lower_bound <= squared.d_mse(p, x, rate) + 1e-9


def test_long_blocks_of_fair_bits():
    """h (1 - h), h = Hb^-1(1 - R): the binary symmetric channel."""
    for rate in (0.1, 0.5, 0.9):
        h = binary.inverse_entropy(1 - rate)
        assert squared.d_mse_asymptotic([0.5, 0.5], [0, 1], rate) == pytest.approx(h * (1 - h), abs=1e-6)


@given(seeds, st.floats(0.1, 1.2))
@settings(max_examples=2, deadline=None)
def test_theorem_6_around_the_optimum(seed, rate):
    """(56), and (53) = (54) for equal laws."""
    (p_x, x), (p_y, y) = source(seed, 3), source(seed + 1, 2)
    found = finite.d_ncr_asymptotic(p_x, p_y, finite.squared_error(x, y), rate)
    scale = float(finite.squared_error(x, y).max())
    assert squared.d_ncr_asymptotic_lower(p_x, x, p_y, y, rate) <= found.upper + 1e-6 * scale
    assert found.lower <= squared.d_ncr_asymptotic_upper(p_x, x, p_y, y, rate) + 1e-6 * scale
    both = [f(p_x, x, p_x, x, rate) for f in (squared.d_ncr_asymptotic_lower, squared.d_ncr_asymptotic_upper)]
    assert both[0] == pytest.approx(both[1], abs=2e-5 * np.ptp(x) ** 2)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: squared.d_mse([0.5, 0.6], [0, 1], 1), "p"),
        (lambda: squared.d_mse([0.5, 0.5], [0, 1, 2], 1), "points"),
        (lambda: squared.d_mse(np.full(9, 1 / 9), np.arange(9), 1), "p"),
        (lambda: squared.d_mse_asymptotic([0.5, 0.5], [[0, 0], [1, 1]], 1), "points"),
        (lambda: squared.d_ncr_lower([0.5, 0.5], [0, 1], [0.5, 0.5], [[0, 0], [1, 1]], 1), "y"),
        (lambda: squared.d_ncr_upper([0.5, 0.5], [0, np.inf], [0.5, 0.5], [0, 1], 1), "x"),
    ],
)
def test_wrong_input_is_named(call, name):
    with pytest.raises(ValueError, match=rf"^{name}: "):
        call()
