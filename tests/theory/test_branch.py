"""Branch and bound for `finite.d_ncr`: never a wrong certificate, against fine grids, the closed form and a
solver."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import entr

from ecot.theory import _branch, binary, finite


def problem(seed, n, m):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m)), rng.random((n, m))


def entropy(theta):
    return entr(np.maximum(theta, 0)).sum(-1) / np.log(2)


def least_on_a_grid(p_x, p_y, cost, rate, steps):
    """All plans of binary sources with three letters of Z on a grid: laws of Z, posteriors of the first two."""
    t = np.arange(steps + 1) / steps
    best = np.inf
    for t1, t2 in product(t, t):
        theta = np.array([t1, t2, 1 - t1 - t2])
        if theta.min() < -1e-12 or entropy(theta) > rate:
            continue
        sides = []
        for p in (p_x, p_y):
            a, b = (v.ravel() for v in np.meshgrid(t, t))
            last = p[1] - t1 * a - t2 * b
            fits = (last >= -1e-12) & (last <= theta[2] + 1e-12)
            c = np.divide(last, theta[2], out=np.zeros_like(last), where=theta[2] > 0)
            sides.append(np.stack([a, b, np.clip(c, 0, 1)], axis=1)[fits])
        X, Y = sides
        if len(X) and len(Y):
            XY = (theta * X) @ Y.T
            q_x, q_y = p_x[1], p_y[1]
            D = (
                cost[0, 0] * (1 - q_x - q_y + XY)
                + cost[0, 1] * (q_y - XY)
                + cost[1, 0] * (q_x - XY)
                + cost[1, 1] * XY
            )
            best = min(best, D.min())
    return best


@pytest.mark.parametrize("seed", range(3))
def test_no_plan_on_a_fine_grid_lies_below_the_bound(seed):
    p_x, p_y, cost = problem(seed, 2, 2)
    p_x, p_y = np.round(p_x * 20) / 20, np.round(p_y * 20) / 20
    for rate in (0.3, 0.6):
        found = finite.solve_ncr(p_x, p_y, cost, rate)
        best = least_on_a_grid(p_x, p_y, cost, rate, 20)
        assert best >= found.lower - 1e-9
        assert found.upper <= best + 1e-9
        assert found.upper - found.lower <= 1e-6


@given(st.integers(0, 100_000), st.sampled_from([(2, 3), (3, 3), (3, 2)]), st.floats(0.1, 1.4))
@settings(max_examples=12, deadline=None)
def test_no_random_plan_lies_below_the_bound(seed, shape, rate):
    """Plans with as many letters as suffice, most of them coarse: what H(Z) they have, no bound at that rate
    exceeds."""
    p_x, p_y, cost = problem(seed, *shape)
    rng = np.random.default_rng(seed)
    k = _branch.enough_letters(*shape)
    joint = [p[:, None] * rng.dirichlet(np.full(k, 0.2), p.size) for p in (p_x, p_y)]
    theta = joint[0].sum(0)
    Q = finite.optimal_plan(p_y, theta, rng.random((p_y.size, k)))
    carried = theta > 1e-12
    D = float(((joint[0] / np.where(carried, theta, 1)) * (cost @ Q))[:, carried].sum())
    R = float(entropy(theta))
    found = finite.solve_ncr(p_x, p_y, cost, R, time_limit=0.2, starts=0)
    assert found.lower <= D + 1e-9


@given(st.floats(0.03, 0.97), st.floats(0.03, 0.97), st.floats(0.05, 0.95))
@settings(max_examples=10, deadline=None)
def test_the_full_search_has_the_closed_form_of_binary_sources(q_x, q_y, share):
    """Without the search for the first letter alone, which is (22) already."""
    rate = share * min(binary.entropy(q_x), binary.entropy(q_y))
    tree = _branch.BranchAndBound(np.array([1 - q_x, q_x]), np.array([1 - q_y, q_y]), 1 - np.eye(2), rate)
    exact = binary.d_ncr(q_x, q_y, rate)
    for _ in range(60):
        if not tree.step(exact, 1e-4):
            break
        assert tree.lower <= exact + 1e-9
    assert exact - 2e-3 <= tree.lower <= exact + 1e-9


@pytest.mark.parametrize("seed", range(4))
def test_brackets_of_three_letters_close(seed):
    p_x, p_y, cost = problem(seed, 3, 3)
    rate = 0.6 * min(entropy(p_x), entropy(p_y))
    found = finite.solve_ncr(p_x, p_y, cost, rate, tolerance=1e-4, time_limit=30)
    assert 0 <= found.upper - found.lower <= 1.01e-4 * np.ptp(cost)
    assert found.entropy <= rate + 1e-8
    assert "branch and bound" in found.note or "d_cr" in found.note


@given(st.integers(0, 100_000), st.sampled_from([(2, 2), (3, 3), (3, 4)]), st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_box_around_a_plan_never_excludes_it(seed, shape, first_only):
    """Narrowing keeps the plan, and the relaxation's bound lies below its distortion; plans with many zeros."""
    rng = np.random.default_rng(seed)
    n, m = shape
    letters = _branch.enough_letters(n, m)
    k = int(rng.integers(1, letters + 1))
    theta = np.sort(rng.dirichlet(np.ones(k)))[::-1]
    alpha, beta = (
        np.where(
            rng.random(k) < 0.5, np.eye(size)[:, rng.integers(0, size, k)], rng.dirichlet(np.full(size, 0.5), k).T
        )
        for size in shape
    )
    alpha[:, 0], beta[:, 0] = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m))  # every letter has a probability
    p_x, p_y, cost = alpha @ theta, beta @ theta, rng.standard_normal(shape)
    rate = float(entropy(theta)) + 1e-12
    tree = _branch.BranchAndBound(p_x, p_y, cost, rate, first_only)
    distortion = float((theta * (alpha * (cost @ beta)).sum(0)).sum())
    assert tree.lower <= distortion + 1e-9
    if first_only:
        return
    explicit = int(rng.integers(1, k + 1))  # the others are the rest

    def around(values):
        low, high = (values - rng.random(values.shape) * 0.3, values + rng.random(values.shape) * 0.3)
        tight = rng.random(values.shape) < 0.3
        return [np.clip(np.where(tight, values, side), 0, 1) for side in (low, high)]

    box = _branch.Box(*(around(v[..., :explicit]) for v in (theta, alpha, beta)))
    assert tree._narrow(box)
    for (low, high), values in zip((box.theta, box.alpha, box.beta), (theta, alpha, beta), strict=True):
        assert (low <= values[..., :explicit] + 1e-9).all()
        assert (values[..., :explicit] <= high + 1e-9).all()
    assert tree._solve([tree._program(box)])[0].lower <= distortion + 1e-8


def test_a_relaxation_that_is_not_solved_keeps_its_parents_bound(monkeypatch):
    p_x, p_y, cost = problem(1, 3, 3)
    tree = _branch.BranchAndBound(p_x, p_y, cost, 0.5)
    before, linprog = tree.lower, _branch.linprog

    def undecided(*arguments, **options):
        solved = linprog(*arguments, **options)
        solved.status = 4
        return solved

    monkeypatch.setattr(_branch, "linprog", undecided)
    while tree.step(np.inf, 0):
        pass
    assert tree.lower == before


def test_letters_that_suffice():
    assert [_branch.enough_letters(*shape) for shape in ((2, 2), (3, 3), (3, 4), (4, 4), (2, 5))] == [3, 4, 5, 6, 4]


@pytest.mark.parametrize("seed", range(2))
def test_more_letters_than_suffice_gain_nothing(seed):
    """Descents with n + m letters of Z end no lower than the bound for the fewer letters that suffice."""
    from ecot.theory._bottleneck import Coupling, Search

    p_x, p_y, cost = problem(seed + 20, 3, 3)
    rate = 0.7 * min(entropy(p_x), entropy(p_y))
    found = finite.solve_ncr(p_x, p_y, cost, rate, tolerance=1e-4, time_limit=20)
    search, rng = Search(p_x, p_y, cost, rate), np.random.default_rng(seed)
    for _ in range(10):
        theta = rng.dirichlet(np.ones(6))
        P = finite.optimal_plan(p_x, theta, rng.random((3, 6)))
        search.improve(Coupling(P, finite.optimal_plan(p_y, theta, rng.random((3, 6)))))
    assert search.value >= found.lower - 1e-9


def test_a_general_solver_finds_nothing_below_the_bound():
    """SCIP, a global solver for mixed-integer nonlinear programs, on the problem as it is written."""
    import pyscipopt as scip

    p_x, p_y, cost = np.array([0.6, 0.4]), np.array([0.3, 0.7]), np.array([[0.1, 0.9], [0.7, 0.4]])
    rate, k = 0.5, 3
    model = scip.Model()
    model.hideOutput()
    theta = [model.addVar(lb=0, ub=1) for _ in range(k)]
    a = [[model.addVar(lb=0, ub=1) for _ in range(k)] for _ in range(2)]
    b = [[model.addVar(lb=0, ub=1) for _ in range(k)] for _ in range(2)]
    for z in range(k):
        model.addCons(a[0][z] + a[1][z] == 1)
        model.addCons(b[0][z] + b[1][z] == 1)
    for i in range(2):
        model.addCons(scip.quicksum(theta[z] * a[i][z] for z in range(k)) == p_x[i])
        model.addCons(scip.quicksum(theta[z] * b[i][z] for z in range(k)) == p_y[i])
    model.addCons(scip.quicksum(-t * scip.log(t + 1e-9) for t in theta) <= rate * np.log(2))
    value = model.addVar(lb=-10)
    terms = [cost[i, j] * theta[z] * a[i][z] * b[j][z] for z in range(k) for i in range(2) for j in range(2)]
    model.addCons(value >= scip.quicksum(terms))
    model.setObjective(value)
    model.setParam("limits/time", 10)
    model.setParam("limits/gap", 1e-3)
    model.optimize()
    found = finite.solve_ncr(p_x, p_y, cost, rate)
    assert found.upper - found.lower < 1e-6
    assert model.getDualbound() <= found.upper + 1e-5
    assert model.getPrimalbound() >= found.lower - 1e-5
