"""Appendix A.6 against the quantiser built cell by cell, with quadrature and a transport solver."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import brentq, linear_sum_assignment

from ecot.theory import uniform

A, B = 2.0, 5.0
RATES = [0.0, 1e-6, 0.3, 1.0, 1.2, np.log2(3), 2.0, 2.7, 4.0]
length = st.floats(0.2, 5)


def cells(rate):
    """Edges on [0, 1] of the quantiser with entropy `rate`, from the definition with its own root finder."""
    n = round(2**rate) if abs(2**rate - round(2**rate)) < 1e-9 else int(np.ceil(2**rate))
    if n == 1:
        return np.array([0.0, 1.0])

    def excess(c):
        return -c * np.log2(c) - (1 - c) * np.log2((1 - c) / (n - 1)) - rate

    c = 1 / n if excess(1 / n) <= 1e-12 else brentq(excess, 1e-300, 1 / n, xtol=1e-16, rtol=1e-15)
    return np.concatenate([[0.0], c + (1 - c) * np.arange(n) / (n - 1)])


@pytest.mark.parametrize("rate", RATES)
def test_terms_by_quadrature(rate):
    edges = cells(rate)
    widths, centres = np.diff(edges), (edges[1:] + edges[:-1]) / 2
    assert -(widths * np.log2(widths)).sum() == pytest.approx(rate, abs=1e-9)
    nodes, weights = np.polynomial.legendre.leggauss(4)  # exact on the squares
    for scale in (A, B):
        error = sum(w / 2 * weights @ (scale * w / 2 * nodes) ** 2 for w in widths)
        assert uniform.quantiser_error(scale, rate) == pytest.approx(error, abs=1e-12)
    # equal masses on both sides, so the transport plan is an assignment between atoms split into equal parts
    w2 = widths @ ((A - B) * centres) ** 2
    assert uniform.transport_cost(A, B, rate) == pytest.approx(w2, abs=1e-12)


def test_transport_between_the_quantisations_is_optimal():
    """(48) pairs the cells in order; an assignment solver over 420 equal parts finds nothing better."""
    N, parts = 4, 420
    x = np.repeat(A * (2 * np.arange(N) + 1) / (2 * N), parts // N)
    y = np.repeat(B * (2 * np.arange(N) + 1) / (2 * N), parts // N)
    cost = (x[:, None] - y[None, :]) ** 2
    rows, columns = linear_sum_assignment(cost)
    assert uniform.transport_cost(A, B, 2.0) == pytest.approx(cost[rows, columns].mean(), abs=1e-12)


@pytest.mark.parametrize("rate", RATES)
def test_upper_bound_is_attained_by_drawing(rate):
    """X to its cell, the cell's number to the decoder, Y drawn uniformly in the same cell of [0, b]."""
    rng, n = np.random.default_rng(3), 200_000
    edges = cells(rate)
    x = rng.random(n)
    z = np.minimum(np.searchsorted(edges, x, side="right") - 1, edges.size - 2)
    y = edges[z] + (edges[z + 1] - edges[z]) * rng.random(n)
    squares = (A * x - B * y) ** 2
    assert squares.mean() == pytest.approx(uniform.d_ncr_upper(A, B, rate), abs=5 * squares.std() / np.sqrt(n))


@pytest.mark.parametrize("N", [1, 2, 3, 5, 6, 7, 100, 1023])
def test_whole_number_of_cells(N):
    rate = np.log2(N)
    expected = (B - A) ** 2 / 3 + A * B / 6 * 4**-rate
    assert uniform.d_ncr_upper(A, B, rate) == pytest.approx(expected, rel=1e-14)
    np.testing.assert_allclose(uniform.partition(rate).first, 1 / N, rtol=1e-13)


@given(length, length)
@settings(max_examples=40, deadline=None)
def test_order_limits_and_scale(a, b):
    R = np.concatenate([np.linspace(0, 5, 101), np.log2([2, 3, 5, 6])])
    R.sort()
    upper, lower, cr = (f(a, b, R) for f in (uniform.d_ncr_upper, uniform.d_ncr_lower, uniform.d_cr_lower))
    slack = 1e-12 * (a + b) ** 2
    assert (np.diff(upper) <= slack).all()
    assert (lower <= upper + slack).all()
    assert (cr <= lower + slack).all()
    assert (cr >= uniform.wasserstein2(a, b) - slack).all()
    assert uniform.d_ncr_upper(a, b, 0) == pytest.approx((a**2 + b**2) / 3 - a * b / 2)  # X and Y independent
    for rate in (40, 300, 1e4, np.inf):
        assert uniform.d_ncr_upper(a, b, rate) == pytest.approx((a - b) ** 2 / 3, abs=1e-12)
    np.testing.assert_allclose(uniform.d_ncr_upper(b, a, R), upper, rtol=1e-12, atol=slack)
    np.testing.assert_allclose(uniform.d_ncr_upper(3 * a, 3 * b, R), 9 * upper, rtol=1e-12, atol=slack)


@given(length, length, st.floats(0, 4))
@settings(max_examples=150, deadline=None)
def test_rate_is_the_inverse_of_distortion(a, b, rate):
    """To 1e-9, or to what the rounding of D leaves: the slope of D is at least that of its lower envelope."""
    rounding = np.finfo(float).eps * (a + b) ** 2
    tolerance = 1e-9 + 1e3 * rounding / (a * b * 4**-rate)
    D = uniform.d_ncr_upper(a, b, rate)
    assert uniform.r_ncr_upper(a, b, D) == pytest.approx(rate, abs=tolerance)


def test_rate_outside_the_range_of_distortions():
    limit = uniform.wasserstein2(A, B)
    np.testing.assert_array_equal(uniform.r_ncr_upper(A, B, [0.9 * limit, limit, 99.0]), [np.inf, np.inf, 0])


def test_lower_bounds_hold_on_a_fine_grid():
    """Entropic transport between the sources cut into 60 points each: I(X;Y) = R at a distortion above d_cr_lower."""
    n = 60
    x = A * (np.arange(n) + 0.5) / n
    y = B * (np.arange(n) + 0.5) / n
    cost = (x[:, None] - y[None, :]) ** 2
    for epsilon in (0.5, 2.0, 8.0):
        kernel, v = np.exp(-cost / epsilon), np.ones(n)
        for _ in range(3000):
            u = 1 / n / (kernel @ v)
            v = 1 / n / (kernel.T @ u)
        plan = u[:, None] * kernel * v[None, :]
        rate = (plan * np.log2(np.maximum(plan * n * n, 1e-300))).sum()
        assert uniform.d_cr_lower(A, B, rate) <= (plan * cost).sum() + 1e-3


def test_the_lower_bound_without_common_randomness_is_tight_at_high_rates():
    """Long blocks: X - Z - Y through one channel to Z and one from it. What it attains is between the bound and 1.05
    times what the bound allows above transport, so the constant 6/(pi e) of Shannon's bound is the right one."""
    n = 400
    x = (np.arange(n) + 0.5) / n  # the unit interval; 1/400 is a twelfth of the deviation of the error below
    squares, q = (x[:, None] - x) ** 2, np.full(n, 1 / n)
    for _ in range(300):  # Blahut and Arimoto; any number of steps leaves a channel that attains its own pair
        channel = q * np.exp(-squares / (2 * 9e-4))
        channel /= channel.sum(1, keepdims=True)
        q = channel.mean(0)
    used = q > 1e-12
    joint, q = channel[:, used] / n, q[used] / q[used].sum()
    rate = (joint * np.log2(np.maximum(joint * n / q, 1e-300))).sum()
    assert 2.9 < rate < 3.2
    error = (joint * (x[:, None] - joint.T @ x / joint.sum(0)) ** 2).sum()
    # given Z, X / a and Y / b are independent with the same law: E (X - Y)^2 = (b-a)^2/3 + 2ab error
    above = 2 * A * B * error
    bound = uniform.d_ncr_lower(A, B, rate) - uniform.wasserstein2(A, B)
    assert 1 <= above / bound < 1.05


def test_the_lower_bound_with_common_randomness_is_tight_at_high_rates():
    n, epsilon = 400, 0.04
    x, y = A * (np.arange(n) + 0.5) / n, B * (np.arange(n) + 0.5) / n
    cost = (x[:, None] - y) ** 2
    kernel, v = np.exp(-cost / epsilon), np.ones(n)
    for _ in range(2000):
        u = 1 / n / (kernel @ v)
        v = 1 / n / (kernel.T @ u)
    plan = u[:, None] * kernel * v
    rate = (plan * np.log2(np.maximum(plan * n * n, 1e-300))).sum()
    assert rate > 2.5
    above = (plan * cost).sum() - (1 / n * (x - y) ** 2).sum()  # plain transport between the same points
    bound = uniform.d_cr_lower(A, B, rate) - uniform.wasserstein2(A, B)
    assert 1 <= above / bound < 1.1


@pytest.mark.parametrize(
    ("arguments", "name"),
    [((0, 1, 1), "a"), ((1, -1, 1), "b"), ((1, float("nan"), 1), "b"), ((1, 1, [-0.1]), "rate")],
)
def test_wrong_input_is_named(arguments, name):
    for curve in (uniform.d_ncr_upper, uniform.d_ncr_lower, uniform.d_cr_lower):
        with pytest.raises(ValueError, match=f"^{name}:"):
            curve(*arguments)
