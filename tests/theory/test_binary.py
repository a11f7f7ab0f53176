"""Closed forms of Theorem 4 against the optimisation problems that define them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize, minimize_scalar

from ecot.theory import binary

SOURCES = [(0.3, 0.3), (0.3, 0.5), (0.3, 0.6), (0.6, 0.3), (0.7, 0.8), (0.5, 0.5), (0.05, 0.9), (0.9, 0.45)]
q = st.floats(0, 1)
inner = st.floats(0.02, 0.98)
rates = st.floats(0, 1.2)


def bits(*masses):
    masses = np.maximum(np.array(masses, dtype=float), 0)
    return -sum(np.where(m > 0, m * np.log2(np.where(m > 0, m, 1)), 0) for m in masses)


def brute_p_prime(q_x, q_y, rate):
    """(P'): Z has atoms (0, 0), (x, y), (1, 1); for every x the smallest theta whose entropy is within the rate."""

    def best(x):
        low = max(0.0, (q_y - q_x) / (1 - x) if x < 1 else 0.0, (q_x - q_y) / x if x > 0 else 0.0)
        high = min(1.0, (1 - q_x) / (1 - x) if x < 1 else 1.0, q_x / x if x > 0 else 1.0)
        if low > high + 1e-12:
            return np.inf

        def entropy(theta):
            return float(bits(1 - q_x - (1 - x) * theta, theta, q_x - x * theta))

        def value(theta):
            return 2 * x * (1 - x) * theta + (1 - 2 * x) * (q_y - q_x)

        if entropy(low) <= rate:
            return value(low)
        if entropy(high) > rate + 1e-12:
            return np.inf
        top = minimize_scalar(lambda t: -entropy(t), bounds=(low, high), method="bounded").x
        below, above = top, high  # entropy is concave in theta: above its peak it falls to the rate once
        for _ in range(60):
            middle = (below + above) / 2
            below, above = (middle, above) if entropy(middle) > rate else (below, middle)
        return value(above)

    grid = np.linspace(0, 1, 201)
    values = np.array([best(x) for x in grid])
    i = int(values.argmin())
    left, right = grid[max(i - 1, 0)], grid[min(i + 1, 200)]
    for _ in range(12):  # the objective may jump to infinity on one side, so nested grids rather than Brent
        inside = np.linspace(left, right, 11)
        j = int(np.argmin([best(x) for x in inside]))
        left, right = inside[max(j - 1, 0)], inside[min(j + 1, 10)]
    return min(values.min(), best(inside[j]))


@pytest.mark.parametrize(("q_x", "q_y"), [(0.3, 0.3), (0.3, 0.5), (0.3, 0.6), (0.05, 0.9)])
@pytest.mark.parametrize("share", [0.3, 0.8])
def test_d_ncr_solves_p_prime(q_x, q_y, share):
    rate = share * min(binary.entropy(q_x), binary.entropy(q_y))
    assert binary.d_ncr(q_x, q_y, rate) == pytest.approx(brute_p_prime(q_x, q_y, rate), abs=1e-8)


@pytest.mark.parametrize(("q_x", "q_y"), [(0.3, 0.6), (0.8, 0.7)])
def test_d_ncr_is_not_beaten_by_four_atoms(q_x, q_y):
    """(P) with N = 4 from many starting points: no local minimum lies below (22), and the best one attains it."""
    rate, n, rng = 0.5, 4, np.random.default_rng(0)
    constraints = [
        {"type": "eq", "fun": lambda v: v[:n].sum() - 1},
        {"type": "eq", "fun": lambda v: v[:n] @ v[n : 2 * n] - q_x},
        {"type": "eq", "fun": lambda v: v[:n] @ v[2 * n :] - q_y},
        {"type": "ineq", "fun": lambda v: rate - float(bits(*v[:n]))},
    ]

    def objective(v):
        theta, x, y = v[:n], v[n : 2 * n], v[2 * n :]
        return float(theta @ (x + y - 2 * x * y))

    found = []
    for _ in range(40):
        start = np.concatenate([rng.dirichlet(np.ones(n) * 0.4), rng.random(2 * n)])
        end = minimize(objective, start, bounds=[(1e-12, 1)] * (3 * n), constraints=constraints, method="SLSQP")
        violation = max(abs(c["fun"](end.x)) if c["type"] == "eq" else -c["fun"](end.x) for c in constraints)
        if violation < 1e-7:
            found.append(end.fun)
    assert min(found) == pytest.approx(binary.d_ncr(q_x, q_y, rate), abs=2e-6)


@pytest.mark.parametrize(("q_x", "q_y"), SOURCES)
def test_d_cr_solves_the_linear_program(q_x, q_y):
    """(26)-(29) over the four maps."""
    hb = binary.entropy(q_x)
    for rate in (0.0, 0.2 * hb, 0.7 * hb, hb, 1.0):
        program = linprog(
            [0, 1, q_x, 1 - q_x],
            A_ub=[[hb, hb, 0, 0]],
            b_ub=[rate],
            A_eq=[[q_x, 1 - q_x, 0, 1], [1, 1, 1, 1]],
            b_eq=[q_y, 1],
        )
        assert binary.d_cr(q_x, q_y, rate) == pytest.approx(program.fun, abs=1e-9)


@pytest.mark.parametrize("q", [0.0, 0.1, 0.3, 0.5, 0.8])
def test_d_mse_is_the_best_quantiser(q):
    """Two or three atoms with conditional means in [0, 1], masses searched on a grid."""
    rate = 0.6 * binary.entropy(q)
    best = 1.0
    theta = np.linspace(0, 1, 2001)[1:-1]
    for x1 in (0.0, 1.0):  # minimising a concave function of x at given masses leaves one atom inside [0, 1]
        inside = (q - theta * x1) / (1 - theta)
        allowed = (inside >= 0) & (inside <= 1) & (bits(theta, 1 - theta) <= rate + 1e-12)
        if allowed.any():
            best = min(best, ((1 - theta) * inside * (1 - inside))[allowed].min())
    expected = 0.0 if q == 0 else best
    assert binary.d_mse(q, rate) == pytest.approx(expected, abs=1e-3)
    assert binary.d_mse(q, rate) <= expected + 1e-12


@pytest.mark.parametrize(("q_x", "q_y"), SOURCES)
def test_upper_bound_is_written_out_in_23(q_x, q_y):
    R = np.linspace(0, min(binary.entropy(q_x), binary.entropy(q_y)), 30)
    h = binary.inverse_entropy(R)
    if (q_x - 0.5) * (q_y - 0.5) >= 0:
        expected = binary.d_ncr(q_x, q_y, R)
    else:
        u, v = min(q_x, q_y), max(q_x, q_y)
        expected = -((1 - u) ** 2 + v**2 - (v - u + h) ** 2) / (1 - h) + 1 - u + v + h
        expected -= 2 * v * (1 - u) * h / (1 - h) ** 2
    np.testing.assert_allclose(binary.d_ncr_upper(q_x, q_y, R), expected, atol=1e-12)


@pytest.mark.parametrize(("q_x", "q_y"), SOURCES)
def test_upper_bound_transports_between_the_optimal_quantisers(q_x, q_y):
    """(5) from the plans of the two symmetric problems, with the transport solved as a linear program."""
    for rate in (0.1, 0.5, 0.95):
        candidates = []
        # at q = 1/2 the mirrored quantiser is as good
        for x in [q_x] if q_x != 0.5 else [0.5 - 1e-13, 0.5 + 1e-13]:
            for y in [q_y] if q_y != 0.5 else [0.5 - 1e-13, 0.5 + 1e-13]:
                X, Y = binary.ncr_plan(x, x, rate), binary.ncr_plan(y, y, rate)
                cost = (X.x_hat[:, None] - Y.x_hat[None, :]) ** 2
                equal = np.vstack([np.kron(np.eye(2), np.ones(2)), np.kron(np.ones(2), np.eye(2))])
                w2 = linprog(cost.ravel(), A_eq=equal, b_eq=np.concatenate([X.mass, Y.mass])).fun
                candidates.append(binary.d_mse(q_x, rate) + binary.d_mse(q_y, rate) + w2)
        assert binary.d_ncr_upper(q_x, q_y, rate) == pytest.approx(min(candidates), abs=1e-9)


@given(inner, inner, st.floats(0, 1.1))
@settings(max_examples=60, deadline=None)
def test_plans_have_the_marginals_the_rate_and_the_distortion(q_x, q_y, rate):
    plan = binary.ncr_plan(q_x, q_y, rate)
    assert plan.mass.sum() == pytest.approx(1)
    assert plan.mass @ plan.x_hat == pytest.approx(q_x)
    assert plan.mass @ plan.y_hat == pytest.approx(q_y)
    assert bits(*plan.mass) <= rate + 1e-9
    assert plan.distortion == pytest.approx(binary.d_ncr(q_x, q_y, rate), abs=1e-12)
    maps = binary.cr_plan(q_x, q_y, rate)
    p = np.array([maps.identity, maps.negation, maps.zero, maps.one])
    assert p.min() >= 0
    assert p.sum() == pytest.approx(1)
    assert p @ [q_x, 1 - q_x, 0, 1] == pytest.approx(q_y)
    assert p @ [0, 1, q_x, 1 - q_x] == pytest.approx(binary.d_cr(q_x, q_y, rate), abs=1e-12)
    assert p[:2].sum() * binary.entropy(q_x) <= rate + 1e-12


@given(q, q, rates)
@settings(max_examples=100, deadline=None)
def test_order_of_the_curves(q_x, q_y, rate):
    lower, ncr, upper, cr = (
        f(q_x, q_y, rate) for f in (binary.d_ncr_lower, binary.d_ncr, binary.d_ncr_upper, binary.d_cr)
    )
    assert lower <= ncr + 1e-12
    assert ncr <= upper + 1e-12
    assert abs(q_x - q_y) - 1e-15 <= cr <= ncr + 1e-12
    assert ncr <= q_x + q_y - 2 * q_x * q_y + 1e-12
    assert ncr == pytest.approx(binary.d_ncr(q_y, q_x, rate), abs=1e-12)
    assert ncr == pytest.approx(binary.d_ncr(1 - q_x, 1 - q_y, rate), abs=1e-12)


@given(q, q)
@settings(max_examples=60, deadline=None)
def test_curves_fall_with_the_rate_and_d_cr_is_convex(q_x, q_y):
    R = np.linspace(0, 1.1, 111)
    for curve in (binary.d_ncr_lower, binary.d_ncr, binary.d_ncr_upper, binary.d_cr):
        assert (np.diff(curve(q_x, q_y, R)) <= 1e-12).all()
    assert (np.diff(binary.d_cr(q_x, q_y, R), 2) >= -1e-12).all()


def test_d_cr_is_not_symmetric():
    assert binary.d_cr(0.3, 0.6, 0.2) != pytest.approx(binary.d_cr(0.6, 0.3, 0.2), abs=1e-3)


@pytest.mark.parametrize("q_x", [0, 0.2, 0.5, 0.8, 1])
@pytest.mark.parametrize("q_y", [0, 0.3, 0.5, 1])
def test_edges(q_x, q_y):
    d_min, d_max = abs(q_x - q_y), q_x + q_y - 2 * q_x * q_y
    for curve in (binary.d_ncr, binary.d_ncr_upper, binary.d_cr):
        assert curve(q_x, q_y, 0) == pytest.approx(d_max, abs=1e-15)
        assert curve(q_x, q_y, 1) == pytest.approx(d_min, abs=1e-15)
        assert curve(q_x, q_y, np.inf) == pytest.approx(d_min, abs=1e-15)
    assert binary.d_ncr_lower(q_x, q_y, 1) == pytest.approx(0, abs=1e-15)


def test_saturation_is_where_the_paper_puts_it():
    q_x, q_y = 0.3, 0.6
    R = min(binary.entropy(q_x), binary.entropy(q_y))
    assert binary.d_ncr(q_x, q_y, R) == pytest.approx(0.3, abs=1e-14)
    assert binary.d_ncr(q_x, q_y, R - 1e-3) > 0.3 + 1e-4
    rho = min(0.6 / 0.3, 0.4 / 0.7)
    assert binary.d_cr(q_x, q_y, rho * binary.entropy(q_x)) == pytest.approx(0.3, abs=1e-14)
    assert binary.d_cr(q_x, q_y, rho * binary.entropy(q_x) - 1e-3) > 0.3 + 1e-4


@given(st.floats(0, 0.5))
@settings(max_examples=200, deadline=None)
def test_inverse_entropy_from_probabilities(p):
    """Near 1/2 the entropy itself, rounded to a double, no longer tells two p apart: hence the slope."""
    slope = abs(np.log2((1 - p) / p)) if 0 < p < 0.5 else 0
    tolerance = 1e-15 + (4e-16 / slope if slope > 1e-7 else 1e-8)
    assert binary.inverse_entropy(binary.entropy(p)) == pytest.approx(p, abs=tolerance)


@given(st.floats(0, 1))
@settings(max_examples=200, deadline=None)
def test_inverse_entropy_from_rates(rate):
    assert binary.entropy(binary.inverse_entropy(rate)) == pytest.approx(rate, rel=1e-13, abs=1e-300)


def test_inverse_entropy_is_exact_at_the_edges():
    assert binary.inverse_entropy(0) == 0
    assert binary.inverse_entropy(1) == 0.5
    assert binary.inverse_entropy(2) == 0.5
    # 1 - Hb(1/2 - s) = 2 s^2 / ln 2 + O(s^4)
    assert 0.5 - binary.inverse_entropy(1 - 2.0**-50) == pytest.approx(np.sqrt(2.0**-50 * np.log(2) / 2), rel=1e-6)


@given(inner, inner, st.floats(0, 1))
@settings(max_examples=100, deadline=None)
def test_rate_is_the_inverse_of_distortion(q_x, q_y, share):
    rate = share * min(binary.entropy(q_x), binary.entropy(q_y))
    assert binary.r_ncr(q_x, q_y, binary.d_ncr(q_x, q_y, rate)) == pytest.approx(rate, abs=1e-9)
    rho = min(q_y / q_x, (1 - q_y) / (1 - q_x))
    rate = share * rho * binary.entropy(q_x)
    assert binary.r_cr(q_x, q_y, binary.d_cr(q_x, q_y, rate)) == pytest.approx(rate, abs=1e-9)


def test_rate_outside_the_range_of_distortions():
    for inverse in (binary.r_ncr, binary.r_cr):
        np.testing.assert_array_equal(inverse(0.3, 0.6, [0.29, 0.54, 0.9]), [np.inf, 0, 0])
        assert inverse(0, 1, 1) == 0
        assert inverse(1, 1, 0) == 0


@pytest.mark.parametrize("q_x", [0, 0.2, 0.5, 0.9])
def test_minimum_over_the_output_law(q_x):
    R = np.linspace(0, 1, 21)
    grid = np.linspace(0, 1, 2001)
    ncr = np.min([binary.d_ncr(q_x, q_y, R) for q_y in grid], axis=0)
    cr = np.min([binary.d_cr(q_x, q_y, R) for q_y in grid], axis=0)
    assert np.abs(ncr - binary.d_ncr_free(q_x, R)).max() < 1e-3
    assert np.abs(cr - binary.d_cr_free(q_x, R)).max() < 1e-3
    assert (ncr >= binary.d_ncr_free(q_x, R) - 1e-12).all()
    assert (cr >= binary.d_cr_free(q_x, R) - 1e-12).all()


def test_shape_follows_the_rate():
    for curve in (binary.d_ncr, binary.d_ncr_upper, binary.d_ncr_lower, binary.d_cr):
        assert isinstance(curve(0.3, 0.5, 0.4), float)
        assert curve(0.3, 0.5, np.full((2, 3), 0.4)).shape == (2, 3)
        assert curve(0.3, 0.5, [0.4])[0] == curve(0.3, 0.5, 0.4)


@pytest.mark.parametrize(
    ("arguments", "name"),
    [
        ((1.2, 0.5, 0.4), "q_x"),
        ((float("nan"), 0.5, 0.4), "q_x"),
        ((0.3, -0.1, 0.4), "q_y"),
        ((0.3, [0.1, 0.2], 0.4), "q_y"),
        ((0.3, 0.5, -0.4), "rate"),
        ((0.3, 0.5, [0.1, float("nan")]), "rate"),
        ((0.3, 0.5, "much"), "rate"),
    ],
)
def test_wrong_input_is_named(arguments, name):
    for curve in (binary.d_ncr, binary.d_ncr_upper, binary.d_ncr_lower, binary.d_cr):
        with pytest.raises(ValueError, match=f"^{name}:"):
            curve(*arguments)
