"""Theorem 8 against optimisation over the jointly Gaussian family and against its limits."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecot.theory import gaussian

mean = st.floats(-3, 3)
deviation = st.floats(0, 3)
SOURCES = [(0, 1, 0, 1), (0, 1, 1, 2), (-1, 0.5, 2, 3)]
RATES = [0.1, 0.7, 2.0]


def information(covariance):
    """I between the first and the second coordinate of a Gaussian pair, bits."""
    return 0.5 * np.log2(covariance[0, 0] * covariance[1, 1] / np.linalg.det(covariance))


def best_covariance(s, t, rate):
    """The largest covariance of a Gaussian pair with deviations s, t and information at most `rate`: bisection."""
    low, high = 0.0, s * t
    for _ in range(100):
        middle = (low + high) / 2
        allowed = information(np.array([[s**2, middle], [middle, t**2]])) <= rate
        low, high = (middle, high) if allowed else (low, middle)
    return low


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("rate", RATES)
def test_jointly_gaussian_plans(source, rate):
    """Theorem 7: (X, Y) with I(X;Y) <= R. Theorem 5: X - Z - Y with Z ~ N(0, 1), I(X;Z) <= R and I(Y;Z) <= R."""
    mu_x, s_x, mu_y, s_y = source
    independent = (mu_x - mu_y) ** 2 + s_x**2 + s_y**2
    cr = independent - 2 * best_covariance(s_x, s_y, rate)
    # E[XY] = E[XZ] E[YZ] given the Markov chain
    ncr = independent - 2 * best_covariance(s_x, 1, rate) * best_covariance(s_y, 1, rate)
    assert gaussian.d_cr(*source, rate) == pytest.approx(cr, abs=1e-9)
    assert gaussian.d_ncr(*source, rate) == pytest.approx(ncr, abs=1e-9)


@pytest.mark.parametrize("source", SOURCES)
def test_d_ncr_is_attained_by_simulation(source):
    """(65)-(66): quantisation noise on both sides and the monotone map between, drawn and averaged."""
    mu_x, s_x, mu_y, s_y = source
    rate, n, rng = 0.8, 400_000, np.random.default_rng(1)
    kept = np.sqrt(1 - 4**-rate)
    x_hat = kept * rng.standard_normal(n)
    x = mu_x + s_x * (x_hat + 2**-rate * rng.standard_normal(n))
    y = mu_y + s_y * (x_hat + 2**-rate * rng.standard_normal(n))
    squares = (x - y) ** 2
    assert squares.mean() == pytest.approx(gaussian.d_ncr(*source, rate), abs=5 * squares.std() / np.sqrt(n))


@given(mean, deviation, mean, deviation)
@settings(max_examples=80, deadline=None)
def test_limits_order_shape(mu_x, s_x, mu_y, s_y):
    R = np.linspace(0, 6, 61)
    source = (mu_x, s_x, mu_y, s_y)
    low, ncr, cr = (f(*source, R) for f in (gaussian.d_ncr_lower, gaussian.d_ncr, gaussian.d_cr))
    slack = 1e-12 * (1 + ncr[0])
    assert (low <= ncr + slack).all()
    assert (cr <= ncr + slack).all()
    for curve in (low, ncr, cr):
        assert (np.diff(curve) <= slack).all()
        assert (np.diff(curve, 2) >= -slack).all()
    shift = (mu_x - mu_y) ** 2
    for curve in (gaussian.d_ncr, gaussian.d_cr):
        assert curve(*source, 0) == pytest.approx(shift + s_x**2 + s_y**2, abs=1e-12)
        assert curve(*source, np.inf) == pytest.approx(shift + (s_x - s_y) ** 2, abs=1e-12)
        assert curve(mu_y, s_y, mu_x, s_x, 1.3) == pytest.approx(curve(*source, 1.3), abs=1e-12)
        assert curve(3 * mu_x, 3 * s_x, 3 * mu_y, 3 * s_y, 1.3) == pytest.approx(9 * curve(*source, 1.3), abs=1e-9)


@given(mean, st.floats(0.3, 3), mean, st.floats(0.3, 3), st.floats(0, 5))
@settings(max_examples=100, deadline=None)
def test_rate_is_the_inverse_of_distortion(mu_x, s_x, mu_y, s_y, rate):
    """To 1e-9, or to what the rounding of D itself leaves: D - D_min vanishes as 2^(-2R)."""
    source = (mu_x, s_x, mu_y, s_y)
    rounding = np.finfo(float).eps * ((mu_x - mu_y) ** 2 + s_x**2 + s_y**2)
    tolerance = 1e-9 + 16 * rounding / (s_x * s_y * 4**-rate)
    assert gaussian.r_ncr(*source, gaussian.d_ncr(*source, rate)) == pytest.approx(rate, abs=tolerance)
    assert gaussian.r_cr(*source, gaussian.d_cr(*source, rate)) == pytest.approx(rate, abs=tolerance)


def test_rate_outside_the_range_of_distortions():
    for inverse in (gaussian.r_ncr, gaussian.r_cr):
        np.testing.assert_array_equal(inverse(0, 1, 1, 2, [1.0, 2.0, 6.0, 9.0]), [np.inf, np.inf, 0, 0])
        assert inverse(0, 0, 1, 2, 5.0) == 0  # a constant X: every rate gives D_max = D_min = 5
        assert inverse(0, 0, 1, 2, 4.9) == np.inf


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((0, -1, 0, 1, 1), "sigma_x"),
        ((0, 1, 0, float("inf"), 1), "sigma_y"),
        ((float("nan"), 1, 0, 1, 1), "mu_x"),
        ((0, 1, [0, 1], 1, 1), "mu_y"),
        ((0, 1, 0, 1, -1), "rate"),
    ],
)
def test_wrong_input_is_named(arguments, name):
    for curve in (gaussian.d_ncr, gaussian.d_ncr_lower, gaussian.d_cr):
        with pytest.raises(ValueError, match=f"^{name}:"):
            curve(*arguments)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("rate", "common"), [(0.1, 0.5), (0.7, 0.2), (2.0, 1.0)])
def test_limited_common_randomness_by_jointly_gaussian_plans(source, rate, common):
    """X - V - Y with V ~ N(0, 1), I(X;V) <= R and I(Y;V) <= R + R_c (Saldi, Linder, Yuksel)."""
    mu_x, s_x, mu_y, s_y = source
    independent = (mu_x - mu_y) ** 2 + s_x**2 + s_y**2
    plan = independent - 2 * best_covariance(s_x, 1, rate) * best_covariance(s_y, 1, rate + common)
    assert gaussian.d_limited(*source, rate, common) == pytest.approx(plan, abs=1e-9)


@given(mean, deviation, mean, deviation, st.floats(0, 5))
@settings(max_examples=80, deadline=None)
def test_limited_common_randomness_lies_between_58_and_61(mu_x, s_x, mu_y, s_y, rate):
    source = (mu_x, s_x, mu_y, s_y)
    found = gaussian.d_limited(*source, rate, [0, 0.1, 0.5, 1, 3, np.inf])
    assert found[0] == pytest.approx(gaussian.d_ncr(*source, rate), rel=1e-12, abs=1e-12)
    assert found[-1] == pytest.approx(gaussian.d_cr(*source, rate), rel=1e-12, abs=1e-12)
    assert (np.diff(found) <= 1e-12 * (1 + found[0])).all()


def test_shapes_and_errors_of_limited_common_randomness():
    assert gaussian.d_limited(0, 1, 0, 1, [1.0, 2.0], [[0.0], [1.0], [2.0]]).shape == (3, 2)
    assert isinstance(gaussian.d_limited(0, 1, 0, 1, 1, 1), float)
    # all digits of D - D_min at a high rate: both terms, 2^(-2R) each
    assert gaussian.d_limited(0, 1, 0, 1, 40, 0) == pytest.approx(2 * 2.0**-80, rel=1e-12)
    with pytest.raises(ValueError, match=r"^common_rate:"):
        gaussian.d_limited(0, 1, 0, 1, 1, -1)
    with pytest.raises(ValueError, match=r"^rate:"):
        gaussian.d_limited(0, 1, 0, 1, -1, 1)
