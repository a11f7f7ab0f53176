"""The solvers for finite alphabets against enumeration, closed forms, and properties that every solution has."""

import time
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize

from ecot.theory import _branch, _maps, _transport, binary, finite

HAMMING = 1 - np.eye(2)


def problem(seed, n, m, squares=False):
    rng = np.random.default_rng(seed)
    p_x, p_y = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))
    cost = (np.arange(n)[:, None] - np.arange(m)) ** 2.0 if squares else rng.random((n, m))
    return p_x, p_y, cost


def entropy(p):
    p = np.asarray(p)[np.asarray(p) > 0]
    return float(-(p * np.log2(p)).sum())


def transport(p_x, p_y, cost):
    n, m = cost.shape
    equal = np.vstack([np.kron(np.eye(n), np.ones(m)), np.kron(np.ones(n), np.eye(m))])
    return linprog(cost.ravel(), A_eq=equal, b_eq=np.concatenate([p_x, p_y])).fun


def over_all_maps(p_x, p_y, cost, rate):
    """A.3 as it stands: one variable for each of the m^n maps."""
    n, m = cost.shape
    maps = list(product(range(m), repeat=n))
    laws = np.array([[p_x[np.array(f) == y].sum() for y in range(m)] for f in maps])
    distortions = [sum(p_x[x] * cost[x, y] for x, y in enumerate(f)) for f in maps]
    program = linprog(
        distortions,
        A_ub=[[entropy(law) for law in laws]],
        b_ub=[rate],
        A_eq=laws.T,
        b_eq=p_y,
    )
    return program.fun


@pytest.mark.parametrize(("n", "m"), [(2, 2), (3, 3), (4, 3), (3, 5), (5, 4)])
@pytest.mark.parametrize("rate", [0.0, 0.3, 0.9, 1.5])
def test_d_cr_is_the_program_over_all_maps(n, m, rate):
    p_x, p_y, cost = problem(n * 10 + m, n, m)
    assert finite.d_cr(p_x, p_y, cost, rate) == pytest.approx(over_all_maps(p_x, p_y, cost, rate), abs=1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_column_generation_finds_what_the_list_holds(seed, monkeypatch):
    p_x, p_y, cost = problem(seed, 5, 4, squares=seed % 2 == 0)
    rates = np.linspace(0, 2, 9)
    listed = finite.d_cr(p_x, p_y, cost, rates)
    monkeypatch.setattr(_maps, "LISTED_MAPS", 0)
    np.testing.assert_allclose(finite.d_cr(p_x, p_y, cost, rates), listed, atol=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_eight_letters_with_certificate(seed):
    p_x, p_y, cost = problem(seed, 8, 8, squares=seed == 0)
    begin = time.perf_counter()
    for rate in (0.0, 0.4, 1.3, 2.5):
        solution = finite.solve_cr(p_x, p_y, cost, rate)
        assert 0 <= solution.distortion - solution.lower_bound <= 1e-8 * cost.max()
    assert time.perf_counter() - begin < 10  # takes a tenth of a second


@given(st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 5), st.floats(0, 2.5))
@settings(max_examples=25, deadline=None)
def test_the_mixture_is_feasible_and_attains_the_value(seed, n, m, rate):
    p_x, p_y, cost = problem(seed, n, m)
    solution = finite.solve_cr(p_x, p_y, cost, rate)
    laws = np.array([[p_x[f == y].sum() for y in range(m)] for f in solution.maps])
    assert solution.probabilities.min() > 0
    assert solution.probabilities.sum() == pytest.approx(1)
    np.testing.assert_allclose(solution.probabilities @ laws, p_y, atol=1e-9)
    assert solution.probabilities @ [entropy(law) for law in laws] <= rate + 1e-9
    attained = solution.probabilities @ [p_x @ cost[np.arange(n), f] for f in solution.maps]
    assert attained == pytest.approx(solution.distortion, abs=1e-9)
    assert len(solution.maps) <= m + 1
    assert transport(p_x, p_y, cost) - 1e-9 <= solution.lower_bound <= solution.distortion


def test_mixing_two_maps_is_not_enough():
    """The optimum may need m + 1 maps, and the best pair of maps is then worse."""
    p_x, p_y, cost = problem(0, 3, 3, squares=True)
    rate = 0.3
    solution = finite.solve_cr(p_x, p_y, cost, rate)
    assert len(solution.maps) == 4
    maps = [np.array(f) for f in product(range(3), repeat=3)]
    laws = np.array([[p_x[f == y].sum() for y in range(3)] for f in maps])
    best = np.inf
    for three in combinations(range(len(maps)), 3):  # even three of them: the output law determines their weights
        square = laws[list(three)].T
        if abs(np.linalg.det(square)) > 1e-9:
            weights = np.linalg.solve(square, p_y)
            if weights.min() >= 0 and weights @ [entropy(laws[t]) for t in three] <= rate:
                best = min(best, weights @ [p_x @ cost[np.arange(3), maps[t]] for t in three])
    assert best > solution.distortion + 1e-3


@given(st.floats(0.02, 0.98), st.floats(0.02, 0.98))
@settings(max_examples=8, deadline=None)
def test_binary_sources_have_the_closed_forms(q_x, q_y):
    rates = np.array([0.0, 0.2, 0.6, 1.0])
    laws = [1 - q_x, q_x], [1 - q_y, q_y]
    np.testing.assert_allclose(finite.d_cr(*laws, HAMMING, rates), binary.d_cr(q_x, q_y, rates), atol=1e-9)
    bracket = finite.d_ncr(*laws, HAMMING, rates)
    np.testing.assert_allclose(bracket.upper, binary.d_ncr(q_x, q_y, rates), atol=1e-7)
    np.testing.assert_allclose(bracket.lower, binary.d_ncr(q_x, q_y, rates), atol=1e-7)


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 4), st.floats(0, 2.2))
@settings(max_examples=12, deadline=None)
def test_the_plan_is_feasible_and_the_bracket_ordered(seed, n, m, rate):
    p_x, p_y, cost = problem(seed, n, m)
    solution = finite.solve_ncr(p_x, p_y, cost, rate)
    np.testing.assert_allclose(solution.p_xz.sum(1), p_x, atol=1e-9)
    np.testing.assert_allclose(solution.p_yz.sum(1), p_y, atol=1e-9)
    np.testing.assert_allclose(solution.p_yz.sum(0), solution.p_z, atol=1e-9)
    assert entropy(solution.p_z) <= rate + 1e-8
    attained = np.einsum("xz,yz,xy->", solution.p_xz / solution.p_z, solution.p_yz, cost)
    assert attained == pytest.approx(solution.upper, abs=1e-9)
    assert solution.lower <= solution.upper
    assert finite.d_cr(p_x, p_y, cost, rate) <= solution.upper + 1e-9
    assert solution.lower >= finite.solve_cr(p_x, p_y, cost, rate).lower_bound - 1e-9


@pytest.mark.parametrize("seed", [3, 4])
def test_no_random_plan_lies_below_the_lower_bound(seed):
    """A general-purpose optimiser over all plans with three letters of Z, from many starts."""
    n = 3
    p_x, p_y, cost = problem(seed, n, n, squares=True)
    rate, rng = 0.5, np.random.default_rng(seed)
    bracket = finite.d_ncr(p_x, p_y, cost, rate)

    def split(v):
        return v[: n * n].reshape(n, n), v[n * n :].reshape(n, n)

    def distortion(v):
        P, Q = split(v)
        return float(((P.T @ cost) * Q.T).sum(1) @ (1 / np.maximum(P.sum(0), 1e-12)))

    constraints = [
        {"type": "eq", "fun": lambda v: split(v)[0].sum(1) - p_x},
        {"type": "eq", "fun": lambda v: split(v)[1].sum(1) - p_y},
        {"type": "eq", "fun": lambda v: (split(v)[0].sum(0) - split(v)[1].sum(0))[:-1]},
        {"type": "ineq", "fun": lambda v: rate - entropy(np.maximum(split(v)[0].sum(0), 1e-12))},
    ]
    best = np.inf
    for _ in range(25):
        theta = rng.dirichlet(np.full(n, 0.4))
        start = np.concatenate([np.outer(p_x, theta).ravel(), np.outer(p_y, theta).ravel()])
        start = np.maximum(start + 0.05 * rng.standard_normal(start.size), 1e-3)
        end = minimize(distortion, start, bounds=[(0, 1)] * start.size, constraints=constraints, method="SLSQP")
        feasible = all(
            np.abs(c["fun"](end.x)).max() < 1e-7 if c["type"] == "eq" else c["fun"](end.x) > -1e-7
            for c in constraints
        )
        best = min(best, end.fun) if feasible else best
    assert best >= bracket.lower - 1e-6
    assert bracket.upper <= best + 1e-5


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0, 1.2, np.log2(3), 2.4])
def test_least_largest_atom(rate):
    """No random law with that entropy has a smaller largest atom, and one law attains it."""
    m = _branch.least_largest_atom(rate)
    full = int(np.floor(1 / m + 1e-9))
    extreme = np.append(np.full(full, m), 1 - full * m)
    assert entropy(np.maximum(extreme, 0)) == pytest.approx(rate, abs=1e-6)
    for law in np.random.default_rng(0).dirichlet(np.full(6, 0.3), 2000):
        if entropy(law) <= rate:
            assert law.max() >= m - 1e-12


@given(st.integers(0, 10_000), st.integers(2, 5), st.integers(2, 5))
@settings(max_examples=10, deadline=None)
def test_curves_with_common_randomness(seed, n, m):
    """Monotone, convex, between the limits; long blocks never do worse than single letters; costs scale."""
    p_x, p_y, cost = problem(seed, n, m)
    rates = np.linspace(0, 2.4, 9)
    one_shot = finite.d_cr(p_x, p_y, cost, rates)
    asymptotic = finite.d_cr_asymptotic(p_x, p_y, cost, rates)
    for curve in (one_shot, asymptotic):
        assert (np.diff(curve) <= 1e-8).all()
        assert (np.diff(curve, 2) >= -1e-8).all()
        assert curve[0] == pytest.approx(p_x @ cost @ p_y, abs=1e-9)
        assert curve[-1] == pytest.approx(transport(p_x, p_y, cost), abs=1e-8)
    assert (asymptotic <= one_shot + 1e-8).all()
    np.testing.assert_allclose(finite.d_cr(p_x, p_y, 7 * cost, rates), 7 * one_shot, atol=1e-8)
    np.testing.assert_allclose(finite.d_cr(p_x, p_y, cost + 2, rates), one_shot + 2, atol=1e-8)


@pytest.mark.parametrize("seed", range(3))
def test_asymptotic_solution_is_optimal(seed):
    """Feasible, and no more than 1e-8 above a lower bound; the bound itself from the entropic dual, recomputed."""
    p_x, p_y, cost = problem(seed, 5, 4)
    for rate in (0.05, 0.3, 0.6):
        solution = finite.solve_cr_asymptotic(p_x, p_y, cost, rate)
        np.testing.assert_allclose(solution.p_xy.sum(1), p_x, atol=1e-9)
        np.testing.assert_allclose(solution.p_xy.sum(0), p_y, atol=1e-9)
        information = entropy(p_x) + entropy(p_y) - entropy(solution.p_xy.ravel())
        assert information == pytest.approx(rate, abs=1e-7)
        assert 0 <= solution.distortion - solution.lower_bound <= 1e-8
        # stationarity: d + epsilon log(p_xy / (p_x p_y)) is a sum of a function of x and one of y
        potential = np.log(solution.p_xy / np.outer(p_x, p_y))
        both = [(t - t.mean(0) - t.mean(1, keepdims=True) + t.mean()).ravel() for t in (potential, cost)]
        epsilon = -(both[0] @ both[1]) / (both[0] @ both[0])
        np.testing.assert_allclose(both[1] + epsilon * both[0], 0, atol=1e-6)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_asymptotic_values_of_fair_bits(rate):
    """X, Y ~ B(1/2): I(X;Y) = 1 - Hb(P(X != Y)), and without common randomness two such channels in a row."""
    delta = binary.inverse_entropy(1 - rate)
    fair = [0.5, 0.5]
    assert finite.d_cr_asymptotic(fair, fair, HAMMING, rate) == pytest.approx(delta, abs=1e-8)
    bracket = finite.d_ncr_asymptotic(fair, fair, HAMMING, rate)
    assert bracket.upper == pytest.approx(2 * delta * (1 - delta), abs=2e-5)
    assert bracket.lower == pytest.approx(2 * delta * (1 - delta), abs=1e-6)
    assert bracket.lower >= binary.d_ncr_asymptotic_lower(0.5, 0.5, rate) - 1e-6


@pytest.mark.parametrize("seed", range(2))
def test_asymptotic_without_common_randomness_lies_between(seed):
    p_x, p_y, cost = problem(seed, 3, 3, squares=True)
    for rate in (0.0, 0.4, 0.9, 3.0):
        bracket = finite.d_ncr_asymptotic(p_x, p_y, cost, rate)
        assert bracket.lower >= finite.solve_cr_asymptotic(p_x, p_y, cost, rate).lower_bound - 1e-9
        assert bracket.lower <= bracket.upper
        assert bracket.upper <= finite.d_ncr(p_x, p_y, cost, rate).upper + 1e-7


def test_letters_without_probability_change_nothing():
    p_x, p_y, cost = problem(1, 3, 3)
    wide = np.full((5, 4), 9.0)
    wide[np.ix_([0, 2, 4], [0, 1, 3])] = cost
    wide_x, wide_y = np.insert(p_x, [1, 2], 0), np.insert(p_y, 2, 0)
    for rate in (0.2, 0.9):
        assert finite.d_cr(wide_x, wide_y, wide, rate) == pytest.approx(finite.d_cr(p_x, p_y, cost, rate))
        assert finite.d_cr_asymptotic(wide_x, wide_y, wide, rate) == pytest.approx(
            finite.d_cr_asymptotic(p_x, p_y, cost, rate)
        )
        solution = finite.solve_ncr(wide_x, wide_y, wide, rate)
        assert solution.upper == pytest.approx(finite.solve_ncr(p_x, p_y, cost, rate).upper)
        np.testing.assert_allclose(solution.p_xz.sum(1), wide_x, atol=1e-12)
        maps = finite.solve_cr(wide_x, wide_y, wide, rate).maps
        assert (maps[:, wide_x > 0] != 2).all()


@pytest.mark.parametrize(
    ("p_x", "p_y", "cost", "rate"),
    [
        ([1 - 7.9e-11, 7.9e-11], [1 - 1.1e-11, 1.1e-11], [[3.5e-05, 66.6], [-0.02, 27.3]], 2.8e-11),  # I rounds to 0
        ([0.49, 0.51 - 3e-10, 1e-10, 2e-10], [1 - 1e-13, 1e-13], [[0, 1], [1, 0], [2, 5], [3, 1]], 1e-9),
        ([1 - 0.00339578, 0.00339578], [1 - 7.3e-11, 7.3e-11], [[0.42, 0.65], [0.416, 0.855]], 2.2e-14),
    ],
)
def test_letters_of_tiny_probability(p_x, p_y, cost, rate):
    found = finite.solve_cr_asymptotic(p_x, p_y, cost, rate)
    assert found.p_xy.sum(1) == pytest.approx(p_x, abs=1e-9)
    assert found.p_xy.sum(0) == pytest.approx(p_y, abs=1e-9)
    assert found.lower_bound <= found.distortion <= found.lower_bound + 1e-6


def test_a_singular_newton_step_is_the_shortest():
    step = _transport._solve(np.ones((2, 2)), np.array([2.0, 2.0]))
    assert step == pytest.approx([1.0, 1.0])


def test_shapes_and_edges():
    p_x, p_y, cost = problem(1, 3, 2)
    assert isinstance(finite.d_cr(p_x, p_y, cost, 0.4), float)
    assert finite.d_cr(p_x, p_y, cost, np.full((2, 3), 0.4)).shape == (2, 3)
    assert finite.d_ncr(p_x, p_y, cost, [0.4]).upper.shape == (1,)
    assert finite.d_cr([1.0], [1.0], [[0.5]], 1.0) == 0.5
    assert finite.d_cr([0.5, 0.5], [0.5, 0.5], np.zeros((2, 2)), 0.3) == 0
    assert finite.d_cr_asymptotic([0.5, 0.5], [0.5, 0.5], np.zeros((2, 2)), 0.3) == 0
    assert finite.d_cr(p_x, p_y, cost, np.inf) == pytest.approx(transport(p_x, p_y, cost))
    assert finite.d_ncr(p_x, p_y, cost, np.inf).upper == pytest.approx(transport(p_x, p_y, cost))


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"p_x": [0.5, 0.6]}, "p_x"),
        ({"p_x": [[0.5, 0.5]]}, "p_x"),
        ({"p_x": []}, "p_x"),
        ({"p_x": np.full(33, 1 / 33), "cost": np.zeros((33, 2))}, "p_x"),
        ({"p_y": [1.5, -0.5]}, "p_y"),
        ({"p_y": [0.5, float("nan")]}, "p_y"),
        ({"cost": np.zeros((2, 3))}, "cost"),
        ({"cost": [[0, np.inf], [1, 0]]}, "cost"),
        ({"rate": -0.1}, "rate"),
        ({"rate": [0.1, float("nan")]}, "rate"),
    ],
)
def test_wrong_input_is_named(change, name):
    arguments = {"p_x": [0.5, 0.5], "p_y": [0.5, 0.5], "cost": HAMMING, "rate": 0.4} | change
    with pytest.raises(ValueError, match=f"^{name}:"):
        finite.d_cr(**arguments)
