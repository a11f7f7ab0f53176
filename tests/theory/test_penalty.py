"""The law of lambda: the Huber plan against the penalised problem itself, solved as a linear program on a grid."""

import doctest

import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog, minimize_scalar
from scipy.stats import wasserstein_distance

from ecot.theory import penalty


def laws(seed, k=4, m=5, n=1, scale=2.0):
    """Points on whole numbers from 0 to 8 times `scale`, and their probabilities."""
    rng = np.random.default_rng(seed)
    x, y = rng.integers(0, 9, (k, n)) * scale, rng.integers(0, 9, (m, n)) * scale
    return x, y, rng.dirichlet(np.ones(k)), rng.dirichlet(np.ones(m))


def on_a_grid(x, y, p, q, weight, grid):
    """The penalised problem over outputs on `grid`: plans of (x, output) and (output, y) with one law of outputs.

    x, y, grid are points on the line, so n = 1. Returns value and first term.
    """
    k, m, g = len(x), len(y), len(grid)
    first, second = (x[:, None] - grid) ** 2, weight * np.abs(grid[:, None] - y)
    rows, right = [], []
    for i in range(k):  # law of x
        rows.append(np.concatenate([np.kron(np.eye(k)[i], np.ones(g)), np.zeros(g * m)]))
        right.append(p[i])
    for j in range(m):  # law of y
        rows.append(np.concatenate([np.zeros(k * g), np.kron(np.ones(g), np.eye(m)[j])]))
        right.append(q[j])
    for a in range(g):  # the outputs have one law
        rows.append(np.concatenate([np.kron(np.ones(k), np.eye(g)[a]), -np.kron(np.eye(g)[a], np.ones(m))]))
        right.append(0)
    found = linprog(np.concatenate([first.ravel(), second.ravel()]), A_eq=np.array(rows), b_eq=right)
    assert found.success
    return found.fun, float(found.x[: k * g] @ first.ravel())


@given(st.integers(0, 10_000), st.sampled_from([0.0, 1.0, 2.0, 4.0, 8.0]))
@settings(max_examples=30, deadline=None)
def test_the_huber_plan_solves_the_penalised_problem(seed, move):
    """Every end of a move of `move` (= lambda / 2, n = 1) lies on the grid, so the two programs agree exactly."""
    x, y, p, q = laws(seed)
    weight = 2 * move or 1e-9
    grid = np.arange(0, 16.5, 1.0)
    value, first = on_a_grid(x[:, 0], y[:, 0], p, q, weight, grid)
    found = penalty.penalised_transport(x, y, p, q, weight)
    assert found.value == pytest.approx(value, abs=1e-7)
    assert found.value == pytest.approx(found.mse + weight * found.remaining, abs=1e-9)
    assert found.mse <= penalty.largest_move(1, weight) ** 2 + 1e-12
    if move == 0.0:
        assert first == pytest.approx(0, abs=1e-7)


@given(st.integers(0, 10_000), st.floats(0.05, 6.0))
@settings(max_examples=30, deadline=None)
def test_no_output_on_a_fine_grid_does_better(seed, weight):
    """For any weight: the grid's optimum lies above the law, by no more than the grid's spacing allows."""
    x, y, p, q = laws(seed, 3, 3, scale=0.5)
    spacing = 0.05
    value, _ = on_a_grid(x[:, 0], y[:, 0], p, q, weight, np.arange(0, 4 + spacing / 2, spacing))
    found = penalty.penalised_transport(x, y, p, q, weight)
    assert found.value - 1e-7 <= value <= found.value + (spacing / 2) ** 2 + 1e-7


@given(st.integers(0, 10_000), st.floats(0.05, 6.0))
@settings(max_examples=30, deadline=None)
def test_the_outputs_attain_the_value(seed, weight):
    """Outputs built from the plan, in two dimensions: their distortion, and their W1 to p_Y by another solver."""
    x, y, p, q = laws(seed, n=2)
    found = penalty.penalised_transport(x, y, p, q, weight)
    np.testing.assert_allclose(found.plan.sum(1), p, atol=1e-12)
    np.testing.assert_allclose(found.plan.sum(0), q, atol=1e-12)
    outputs = x[:, None] + found.shares[..., None] * (y - x[:, None])
    moved = ((outputs - x[:, None]) ** 2).sum(-1)
    assert (found.plan * moved).sum() / 2 == pytest.approx(found.mse, abs=1e-12)
    assert np.sqrt(moved.max()) <= penalty.largest_move(2, weight) * (1 + 1e-12)
    points = outputs.reshape(-1, 2)
    distance = np.sqrt(((points[:, None] - y) ** 2).sum(-1))
    assert ot.emd2(found.plan.ravel() / found.plan.sum(), q, distance) == pytest.approx(found.remaining, abs=1e-8)


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_the_critical_weight(seed):
    """Below it something remains between the laws; where no move is longer than n lambda / 2 nothing does."""
    x, y, p, q = laws(seed, n=3)
    far = penalty.penalised_transport(x, y, p, q, 1e6)  # plain squared cost
    star = penalty.critical_weight(far.mse, 3)
    assert penalty.penalised_transport(x, y, p, q, 0.99 * star).remaining > 0
    longest = np.sqrt(((x[:, None] - y) ** 2).sum(-1)).max()
    enough = penalty.penalised_transport(x, y, p, q, 2 * longest / 3 * 1.001)
    assert enough.remaining == pytest.approx(0, abs=1e-12)
    assert enough.mse == pytest.approx(far.mse)


@given(st.floats(0, 20), st.integers(1, 50), st.floats(0, 3))
@settings(max_examples=50, deadline=None)
def test_the_huber_cost_is_the_best_split_of_a_way(distance, n, weight):
    split = minimize_scalar(
        lambda t: t**2 / n + weight * (distance - t), bounds=(0, max(distance, 1e-9)), method="bounded"
    )
    assert penalty.huber_cost(distance, n, weight) == pytest.approx(split.fun, abs=1e-4)


def test_a_trained_encoder_may_choose_a_larger_plain_distortion():
    """One bit for three points: the partition of least V is not that of least loss where p_Y asks for the other."""
    x, p = np.array([0.0, 1.0, 2.1]), np.ones(3) / 3
    y, q = np.array([[0.0], [2.1]]), np.array([1 / 3, 2 / 3])
    plain, loss = [], []
    for code in ([0, 0, 1], [0, 1, 1]):
        mass = np.bincount(code, p)
        means = np.bincount(code, p * x) / mass
        plain.append(float(p @ (x - means[code]) ** 2))
        loss.append(plain[-1] + penalty.penalised_transport(means[:, None], y, mass, q, 3.0).value)
    assert plain[0] < plain[1]
    assert loss[1] < loss[0]


def test_one_dimension_agrees_with_scipy():
    x, y, p, q = laws(3)
    found = penalty.penalised_transport(x, y, p, q, 1.0)
    outputs = (x[:, None] + found.shares[..., None] * (y - x[:, None])).ravel()
    assert wasserstein_distance(outputs, y[:, 0], found.plan.ravel(), q) == pytest.approx(found.remaining)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"X": [1.0]}, r"X: points as rows expected, one for each entry of p_x, got shape \(1,\)"),
        ({"Y": [[1.0, 2.0]]}, "Y: points of 1 values expected, as in X, got 2"),
        ({"weight": 0.0}, "weight: must be positive, got 0"),
        ({"Y": [[np.inf]]}, "Y: values must be finite"),
        ({"p_y": [0.5]}, "p_y: probabilities must sum to 1"),
    ],
)
def test_wrong_arguments_are_named(change, message):
    arguments = {"X": [[0.0]], "Y": [[1.0]], "p_x": [1.0], "p_y": [1.0], "weight": 1.0}
    with pytest.raises(ValueError, match=message):
        penalty.penalised_transport(**arguments | change)


def test_examples():
    results = doctest.testmod(penalty)
    assert (results.failed, results.attempted > 5) == (0, True)
