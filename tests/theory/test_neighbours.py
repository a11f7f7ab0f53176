"""Inverse functions, sizes, progress, the neighbours of the paper's functions, and values published elsewhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from ecot.theory import binary, finite, gaussian, images

HAMMING = 1 - np.eye(2)
seeds = st.integers(0, 10_000)


def problem(seed, n, m):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m)), rng.random((n, m))


@given(seeds, st.integers(2, 5), st.integers(2, 4), st.floats(0.02, 0.98))
@settings(max_examples=15, deadline=None)
def test_r_cr_inverts_d_cr(seed, n, m, share):
    p_x, p_y, cost = problem(seed, n, m)
    most, least = float(p_x @ cost @ p_y), finite.transport(p_x, p_y, cost)
    D = least + share * (most - least)
    rate = finite.r_cr(p_x, p_y, cost, D)
    assert finite.d_cr(p_x, p_y, cost, rate) == pytest.approx(D, abs=1e-7)
    assert finite.d_cr(p_x, p_y, cost, max(rate - 1e-4, 0)) >= D - 1e-9  # no smaller rate has it
    assert finite.r_cr(p_x, p_y, cost, [most + 1e-9, least - 1e-6]).tolist() == [0, np.inf]


def test_r_cr_of_many_maps():
    p_x, p_y, cost = problem(4, 7, 6)  # 6^7 maps: columns are generated
    rates = np.array([0.3, 1.0])
    found = finite.r_cr(p_x, p_y, cost, finite.d_cr(p_x, p_y, cost, rates))
    np.testing.assert_allclose(found, rates, atol=1e-6)


@pytest.mark.parametrize(("q_x", "q_y"), [(0.3, 0.5), (0.2, 0.9)])
def test_r_ncr_of_binary_sources(q_x, q_y):
    laws = [1 - q_x, q_x], [1 - q_y, q_y], HAMMING
    D = binary.d_ncr(q_x, q_y, 0.4)
    found = finite.r_ncr(*laws, D, resolution=1e-2)
    assert found.lower - 1e-6 <= 0.4 <= found.upper + 1e-6
    assert found.upper - found.lower <= 2e-2
    edges = finite.r_ncr(*laws, [1.0, abs(q_x - q_y) - 1e-6])
    assert edges.upper.tolist() == edges.lower.tolist() == [0, np.inf]


@pytest.mark.parametrize(("n", "m"), [(14, 2), (2, 14), (2, 60), (40, 40)])
def test_sizes_beyond_the_exact_methods(n, m):
    p_x, p_y, cost = problem(1, n, m)
    rate = 0.6 * min(float(-(p * np.log2(p)).sum()) for p in (p_x, p_y))
    found = finite.solve_ncr(p_x, p_y, cost, rate, time_limit=0.2, starts=2)
    assert found.lower <= found.upper
    assert found.entropy <= rate + 1e-8
    np.testing.assert_allclose(found.p_xz.sum(1), p_x, atol=1e-9)
    np.testing.assert_allclose(found.p_yz.sum(1), p_y, atol=1e-9)
    assert found.upper <= p_x @ cost @ p_y + 1e-9
    assert found.lower >= finite.solve_cr_asymptotic(p_x, p_y, cost, rate).lower_bound - 1e-7
    assert ("descents" in found.note) == (max(n, m) <= 16)
    if max(n, m) > 16:
        blocks = finite.solve_ncr_asymptotic(p_x, p_y, cost, rate)
        assert blocks.lower <= blocks.upper
        assert blocks.note.startswith("upper: a one-shot plan")


def test_d_cr_beyond_the_recursion():
    """20 letters: an attained value above a bound that scales; and what the recursion proves, the alternation
    finds."""
    p_x, p_y, cost = problem(2, 20, 20)
    found = finite.solve_cr(p_x, p_y, cost, 1.5)
    assert found.lower_bound <= found.distortion
    assert found.note.startswith("best mixture of the maps found")
    laws = np.array([[p_x[f == y].sum() for y in range(20)] for f in found.maps])
    np.testing.assert_allclose(found.probabilities @ laws, p_y, atol=1e-8)
    from ecot.theory import _maps

    p_x, p_y, cost = problem(3, 8, 8)
    exact = finite.solve_cr(p_x, p_y, cost, 1.0)
    program = _maps.MapProgram(p_x, p_y, cost)
    program._sure = program._quick
    assert program.solve(1.0)[1] == pytest.approx(exact.distortion, abs=1e-6)


def test_thresholds_are_the_best_maps_to_two_letters():
    from ecot.theory import _maps

    p_x, _, cost = problem(5, 9, 2)
    for lam, mu in ((0.3, [0.1, -0.2]), (0.0, [0, 0]), (2.0, [0.5, 0])):
        by_threshold = _maps._Thresholds(p_x, cost).best_map(lam, np.array(mu))[1]
        assert by_threshold == pytest.approx(_maps._Subsets(p_x, cost).best_map(lam, np.array(mu))[1], abs=1e-12)


def test_progress_and_a_falling_bracket():
    p_x, p_y, cost = problem(6, 3, 3)
    seen = []
    rates = np.array([[0.9, 0.2], [0.5, 0.0]])
    found = finite.d_ncr(
        p_x, p_y, cost, rates, time_limit=0.2, starts=2, progress=lambda done, all_: seen.append((done, all_))
    )
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]
    order = np.argsort(rates, axis=None)
    for side in (found.upper, found.lower):
        assert side.shape == (2, 2)
        assert (np.diff(side.ravel()[order]) <= 1e-12).all()
    assert found.upper[1, 1] == pytest.approx(p_x @ cost @ p_y)


@given(seeds, st.floats(0.05, 1.5))
@settings(max_examples=2, deadline=None)
def test_the_order_of_the_neighbours(seed, rate):
    """Any output law <= long blocks with common randomness <= one letter with <= without; long blocks without
    between."""
    p_x, p_y, cost = problem(seed, 3, 3)
    free = finite.solve_distortion_rate(p_x, cost, rate)
    blocks, one = finite.d_cr_asymptotic(p_x, p_y, cost, rate), finite.d_cr(p_x, p_y, cost, rate)
    assert 0 <= free.distortion - free.lower_bound <= 1e-6
    assert free.distortion <= blocks + 1e-6
    assert blocks <= one + 1e-8
    without = finite.d_ncr(p_x, p_y, cost, rate, time_limit=0.1, starts=2)
    blocks_without = finite.d_ncr_asymptotic(p_x, p_y, cost, rate)
    assert one <= without.upper + 1e-8
    assert blocks <= blocks_without.upper + 1e-7
    assert blocks_without.lower <= without.upper + 1e-7
    assert finite.transport(p_x, p_y, cost) <= one + 1e-9


@pytest.mark.parametrize("seed", range(2))
def test_distortion_rate_by_a_general_optimiser(seed):
    p_x, _, cost = problem(seed, 3, 4)

    def information(w):
        joint = p_x[:, None] * w.reshape(3, 4)
        return float((joint * np.log2(np.maximum(w.reshape(3, 4), 1e-15) / np.maximum(joint.sum(0), 1e-15))).sum())

    rate = 0.3
    constraints = [
        {"type": "eq", "fun": lambda w: w.reshape(3, 4).sum(1) - 1},
        {"type": "ineq", "fun": lambda w: rate - information(w)},
    ]
    end = minimize(
        lambda w: float((p_x[:, None] * w.reshape(3, 4) * cost).sum()),
        np.full(12, 0.25),
        bounds=[(0, 1)] * 12,
        constraints=constraints,
        method="SLSQP",
        options={"maxiter": 500, "ftol": 1e-12},
    )
    assert finite.distortion_rate(p_x, cost, rate) == pytest.approx(end.fun, abs=1e-5)


def test_rate_distortion_of_bits():
    """R = Hb(q) - Hb(D) for B(q) under Hamming distortion; fair bits: R = 1 - Hb(D). Cover and Thomas, Theorem
    10.3.1."""
    for q in (0.5, 0.3):
        D = np.array([0.05, 0.11, 0.2])
        R = binary.entropy(q) - binary.entropy(D)
        np.testing.assert_allclose(finite.distortion_rate([1 - q, q], HAMMING, R), D, atol=1e-7)
    # with both laws fair the reproduction has the source's law: perfect perceptual quality costs nothing
    assert finite.d_cr_asymptotic([0.5, 0.5], [0.5, 0.5], HAMMING, 1 - binary.entropy(0.11)) == pytest.approx(0.11)


def test_scalar_gaussian_rate_distortion_perception():
    """R(D, P) of N(0, s^2) with W2^2 <= P: Y ~ N(0, (s - sqrt P)^2). Zhang, Qian, Chen, Khisti (2021), Theorem 1."""
    assert gaussian.r_cr(0, 1, 0, 1 - np.sqrt(0.04), 0.5) == pytest.approx(0.511131, abs=5e-7)


@pytest.mark.parametrize(
    ("bits", "published", "exact"),
    [(10.8782, 0.18690, 0.17524), (6.8371, 0.45491, 0.44978), (2.3308, 1.82019, 1.81864)],
)
def test_forty_gaussian_coordinates(bits, published, exact):
    """Variances 4 exp(-k): neural estimates of the rate-distortion function lie above half of D_ncr for equal laws.

    The pairs are estimates of R(D) by neural networks for this source; half of D_ncr(p, p) is D(R) itself (Theorem
    6).
    """
    variances = 4 * np.exp(-np.arange(40.0))
    M = images.Moments(40, 0.0, 2 * variances.sum(), variances)
    half = 40 * images.gaussian_d_ncr(M, bits) / 2
    assert half == pytest.approx(exact, abs=5e-5)  # the bits are rounded
    assert half < published


def test_the_bound_from_posteriors():
    """Fair bits exactly; never above what is attained; at least that of long blocks with common randomness there."""
    h = binary.inverse_entropy(0.5)
    assert binary.d_ncr_asymptotic_lower(0.5, 0.5, 0.5) == pytest.approx(2 * h * (1 - h), abs=1e-12)
    for q_x, q_y in ((0.3, 0.5), (0.2, 0.9)):
        R = np.array([0.05, 0.4])
        closed = binary.d_ncr_asymptotic_lower(q_x, q_y, R)
        found = finite.d_ncr_asymptotic([1 - q_x, q_x], [1 - q_y, q_y], HAMMING, R)
        assert (closed <= found.lower + 1e-6).all()  # the general bound is sharper: it keeps the mean
        assert (found.lower <= found.upper + 1e-12).all()
        assert (closed <= binary.d_ncr(q_x, q_y, R) + 1e-12).all()
    assert binary.d_ncr_asymptotic_lower(0.3, 0.6, 0) == pytest.approx(0.54)
    assert binary.d_ncr_asymptotic_lower(0.3, 0.6, 2) == pytest.approx(0.3)


def test_asymptotic_plans_attain_their_value():
    p_x, p_y, cost = problem(3, 3, 3)
    plan = finite.solve_ncr_asymptotic(p_x, p_y, cost, 0.4)
    np.testing.assert_allclose(plan.p_xz.sum(1), p_x, atol=1e-8)
    np.testing.assert_allclose(plan.p_yz.sum(1), p_y, atol=1e-8)
    np.testing.assert_allclose(plan.p_yz.sum(0), plan.p_z, atol=1e-8)
    assert max(plan.information) <= 0.4 + 1e-7
    assert (plan.p_xy * cost).sum() == pytest.approx(plan.upper, abs=1e-8)
    solved = finite.solve_transport(p_x, p_y, cost)
    assert (solved.p_xy * cost).sum() == pytest.approx(solved.distortion, abs=1e-12)
