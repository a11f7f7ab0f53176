"""So many bits of common randomness: between the paper's two limits, with plans that can be checked."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecot.theory import _linear, binary, finite

HAMMING = 1 - np.eye(2)
FAIR = [0.5, 0.5]
QUICK = {"time_limit": 0.3, "starts": 4}
TERNARY = [0.5, 0.3, 0.2], [0.2, 0.3, 0.5], finite.squared_error([0, 1, 2], [0, 1, 2])
seeds = st.integers(0, 10_000)


def problem(seed, n, m):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m)), rng.random((n, m))


def entropy(p):
    p = np.asarray(p)[np.asarray(p) > 0]
    return float(-(p * np.log2(p)).sum())


@given(seeds, st.integers(1, 4), st.integers(1, 4), st.floats(0, 1.5), st.integers(0, 4))
@settings(max_examples=12, deadline=None)
def test_the_mixture_is_one_of_equal_plans_and_attains_its_value(seed, n, m, rate, bits):
    p_x, p_y, cost = problem(seed, n, m)
    found = finite.solve_limited(p_x, p_y, cost, rate, bits, **QUICK)
    counts = found.weights * 2**bits
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-9)
    assert counts.min() > 0.5
    assert counts.sum() == pytest.approx(2**bits)
    np.testing.assert_allclose(found.p_xz.sum(2), np.tile(p_x, (len(counts), 1)), atol=1e-9)  # U tells nothing of X
    np.testing.assert_allclose(found.weights @ found.p_yz.sum(2), p_y, atol=1e-9)
    np.testing.assert_allclose(found.p_yz.sum(1), found.p_z, atol=1e-9)
    spent = sum(w * entropy(p) for w, p in zip(found.weights, found.p_z, strict=True))
    assert spent <= rate + 1e-8
    assert found.entropy == pytest.approx(spent, abs=1e-12)
    np.testing.assert_allclose(found.p_xy.sum(1), p_x, atol=1e-9)
    assert (found.p_xy * cost).sum() == pytest.approx(found.upper, abs=1e-9)
    assert found.lower <= found.upper


@given(seeds, st.floats(0.05, 1.3))
@settings(max_examples=3, deadline=None)
def test_between_the_two_limits(seed, rate):
    """`d_ncr` at 0 bits, falling with the bits, `d_cr` in the end: sooner than J / N of the cost's range, J <= m."""
    p_x, p_y, cost = problem(seed, 3, 3)
    bits = np.array([0, 1, 2, 8, np.inf])
    found = finite.d_limited(p_x, p_y, cost, rate, bits, **QUICK)
    without = finite.d_ncr(p_x, p_y, cost, rate, **QUICK)
    assert found.lower[0] <= without.upper + 1e-7
    assert without.lower <= found.upper[0] + 1e-7
    for side in (found.upper, found.lower):
        assert (np.diff(side) <= 1e-12).all()
    assert (found.lower <= found.upper).all()
    with_all = finite.d_cr(p_x, p_y, cost, rate)
    assert (found.upper >= with_all - 1e-8).all()
    assert found.upper[-1] == pytest.approx(with_all, abs=1e-8)
    assert found.lower[-1] == pytest.approx(with_all, abs=1e-7)
    excess = found.upper[:-1] - with_all
    assert (excess <= 3 / 2 ** bits[:-1] * np.ptp(cost) * 2 + 1e-8).all()  # twice: of the cost less rows' means
    blocks = finite.d_limited_asymptotic(p_x, p_y, cost, rate, bits)
    assert (blocks.lower <= found.upper + 1e-7).all()


@pytest.mark.parametrize(("q_x", "q_y", "rate"), [(0.5, 0.5, 0.4), (0.3, 0.6, 0.3)])
def test_one_bit_between_two_plans_of_binary_sources(q_x, q_y, rate):
    """By the closed form (22): the least mean of two plans over a grid of output laws and rates of the first one."""
    first = np.linspace(0, min(2 * q_y, 1), 201)
    first = first[2 * q_y - first <= 1]
    rates = np.linspace(0, 2 * rate, 201)
    values = [(binary.d_ncr(q_x, q, rates) + binary.d_ncr(q_x, 2 * q_y - q, 2 * rate - rates)) / 2 for q in first]
    best = np.min(values)
    found = finite.solve_limited([1 - q_x, q_x], [1 - q_y, q_y], HAMMING, rate, 1)
    assert found.lower <= best + 1e-9
    assert found.upper == pytest.approx(best, abs=2e-3)
    assert found.upper < binary.d_ncr(q_x, q_y, rate) - 1e-2  # one bit helps, and not as much as many
    assert found.upper > binary.d_cr(q_x, q_y, rate) + 1e-2
    assert found.upper <= best + 1e-6


def test_half_a_bit_of_fair_bits_needs_one_shared_bit():
    """A plan that sends X and one that sends nothing: 1/4, the value of `d_cr`; the bracket is closed."""
    found = finite.d_limited(FAIR, FAIR, HAMMING, 0.5, [[0, 1], [2, np.inf]])
    np.testing.assert_allclose(found.upper, [[binary.d_ncr(0.5, 0.5, 0.5), 0.25], [0.25, 0.25]], atol=1e-6)
    np.testing.assert_allclose(found.lower, found.upper, atol=1e-6)


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.8])
def test_long_blocks_of_fair_bits(rate):
    """Two binary symmetric channels in a row, of R and of R + R_c bits."""
    common = np.array([0.0, 0.1, 1 - rate, 3.0, np.inf])

    def kept(bits):
        return 1 - 2 * np.asarray(binary.inverse_entropy(np.maximum(1 - bits, 0)))

    expected = (1 - kept(rate) * kept(rate + common)) / 2
    found = finite.d_limited_asymptotic(FAIR, FAIR, HAMMING, rate, common)
    np.testing.assert_allclose(found.upper, expected, atol=2e-5)
    np.testing.assert_allclose(found.lower, expected, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_long_blocks_between_theorems_5_and_7(seed):
    p_x, p_y, cost = TERNARY if seed == 0 else problem(seed, 3, 4)
    rate = 0.5
    common = np.array([0, 0.2, 0.5, 0.8, 3])
    found = finite.d_limited_asymptotic(p_x, p_y, cost, rate, common)
    without = finite.d_ncr_asymptotic(p_x, p_y, cost, rate)
    assert (found.upper[0], found.lower[0]) == pytest.approx((without.upper, without.lower), abs=1e-9)
    with_all = finite.d_cr_asymptotic(p_x, p_y, cost, rate)
    assert (found.upper[-1], found.lower[-1]) == pytest.approx((with_all, with_all), abs=1e-7)
    for side in (found.upper, found.lower):
        assert (np.diff(side) <= 1e-12).all()
    assert (found.lower <= found.upper).all()
    assert (np.diff(found.upper[:4]) < -1e-4).all()  # each step helps


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("common", [0.1, 0.4, 2.0])
def test_plans_of_long_blocks_keep_their_rates(common, turned):
    """Whichever source stands first: it is Y that common randomness tells more of."""
    p_x, p_y, cost = problem(4, 3, 3)
    if turned:
        p_x, p_y, cost = p_y, p_x, cost.T
    plan = finite.solve_limited_asymptotic(p_x, p_y, cost, 0.4, common)
    np.testing.assert_allclose(plan.p_xz.sum(1), p_x, atol=1e-8)
    np.testing.assert_allclose(plan.p_yz.sum(1), p_y, atol=1e-8)
    np.testing.assert_allclose(plan.p_yz.sum(0), plan.p_z, atol=1e-8)
    of_x, of_y = plan.information
    assert of_x <= 0.4 + 1e-7
    assert of_y <= 0.4 + common + 1e-7
    assert of_y > of_x + 0.05
    assert (plan.p_xy * cost).sum() == pytest.approx(plan.upper, abs=1e-8)


def test_many_letters_in_long_blocks():
    p_x, p_y, cost = problem(1, 20, 20)
    plan = finite.solve_limited_asymptotic(p_x, p_y, cost, 0.5, 2.5)
    assert plan.note.startswith("upper: the source that common randomness helps, sent part of the time")
    assert plan.lower <= plan.upper < finite.solve_ncr_asymptotic(p_x, p_y, cost, 0.5).upper
    assert (plan.p_xy * cost).sum() == pytest.approx(plan.upper, abs=1e-8)
    assert plan.information[0] <= 0.5 + 1e-7
    assert plan.information[1] == pytest.approx(3.0, abs=1e-7)


def test_splitting_a_letter_and_moving_the_cost_change_nothing():
    p_x, p_y, cost = problem(5, 2, 3)
    wide = np.insert(cost, 1, cost[0] + 1.0, axis=0) + np.array([3.0, -2.0, 5.0])
    split = np.array([0.3 * p_x[0], 0.7 * p_x[0], p_x[1]])
    offset = split[1] + p_y @ [3.0, -2.0, 5.0]
    for bits in (1, np.inf):
        found = finite.solve_limited(split, p_y, wide, 0.4, bits)
        assert found.upper - offset == pytest.approx(finite.solve_limited(p_x, p_y, cost, 0.4, bits).upper, abs=1e-6)
        np.testing.assert_allclose(found.p_xz.sum(2), np.tile(split, (len(found.weights), 1)), atol=1e-9)


def test_progress_and_shapes():
    seen = []
    found = finite.d_limited(*TERNARY, 0, [[2, 0]], progress=lambda done, all_: seen.append((done, all_)), **QUICK)
    assert seen == [(1, 2), (2, 2)]
    np.testing.assert_allclose([found.upper, found.lower], np.full((2, 1, 2), 1.58), atol=1e-9)
    assert isinstance(finite.d_limited(*TERNARY, 3, 1).upper, float)
    assert finite.d_limited(*TERNARY, np.inf, 1).upper == pytest.approx(0.6, abs=1e-9)


def test_a_program_that_presolve_calls_infeasible_is_solved():
    """The first column alone is feasible; HiGHS 1.x with presolve says that nothing is."""
    A = [[0.0, 0.7859382621407873, 0.7261612860122142, 0.9972086807944947, 0.0]]
    A += [[0.0, 1.0, 1.7369655941662063, 2.321928094887362, 0.0]]
    E = [
        [0.5, 3.4116182791787138e-02, 9.4328420347003183e-01, 9.9978323781548606e-01, 0.5],
        [0.3, 5.6597052208201859e-01, 5.6571289741403519e-02, 2.1676018284709169e-04, 0.3],
        [0.2, 3.9991329512619428e-01, 1.4450678856472798e-04, 2.0016669443012265e-09, 0.2],
        [0.5, 1.0, 0.0, 0.0, 0.5],
        [0.3, 0.0, 1.0, 0.0, 0.3],
        [0.2, 0.0, 0.0, 1.0, 0.2],
    ]
    c = np.array([0.09, -0.3657971123344071, 0.0, -0.9997832358138191, 0.09])
    found = _linear.minimise(c, np.array(A), np.array([0.6, 1.1]), np.array(E), np.array([0.5, 0.3, 0.2] * 2))
    assert found.value <= 0.09


@pytest.mark.parametrize("bits", [-1, 0.5, 31, float("nan"), "1", True, None])
def test_wrong_bits_are_named(bits):
    for solve in (finite.d_limited, finite.solve_limited):
        with pytest.raises(ValueError, match=r"^bits:"):
            solve(FAIR, FAIR, HAMMING, 0.5, bits)


def test_wrong_rates_are_named():
    for solve in (finite.d_limited, finite.solve_limited):
        with pytest.raises(ValueError, match=r"^rate:"):
            solve(FAIR, FAIR, HAMMING, [0.5], 1)
        with pytest.raises(ValueError, match=r"^p_x: at most 32"):
            solve(np.full(33, 1 / 33), FAIR, np.arange(66.0).reshape(33, 2) ** 2, 0.5, 1)
    for solve in (finite.d_limited_asymptotic, finite.solve_limited_asymptotic):
        with pytest.raises(ValueError, match=r"^common_rate:"):
            solve(FAIR, FAIR, HAMMING, 0.5, -0.1)
