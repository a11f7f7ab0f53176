"""Statements about samples of images: against optimisation over Gaussian plans, transport solvers and definitions."""

import numpy as np
import ot
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm
from scipy.optimize import minimize

from ecot.theory import finite, gaussian, images


def samples(seed, n=400, d=3, commuting=False):
    """Correlated samples; commuting covariances if asked, exactly so."""
    rng = np.random.default_rng(seed)
    white = rng.standard_normal((n, d))
    white -= white.mean(0)
    white = white @ np.linalg.inv(np.linalg.cholesky(white.T @ white / n)).T  # sample covariance exactly 1
    mix_x, mix_y = rng.standard_normal((2, d, d))
    if commuting:
        basis = np.linalg.qr(mix_x)[0]
        mix_x, mix_y = (basis * rng.random(d) @ basis.T for _ in range(2))
    return white @ mix_x.T + rng.random(d), white @ mix_y.T


def moments_of(X, Y):
    return X.mean(0), np.cov(X.T, bias=True), Y.mean(0), np.cov(Y.T, bias=True)


@given(st.integers(0, 1000), st.integers(2, 5))
@settings(max_examples=10, deadline=None)
def test_gelbrich_floor_lies_below_every_plan(seed, d):
    X, Y = samples(seed, 60, d)
    X = X**3  # far from Gaussian
    M = images.moments(X, Y)
    m_x, S_x, m_y, S_y = moments_of(X, Y)
    root = sqrtm(S_x).real
    expected = ((m_x - m_y) ** 2).sum() + np.trace(S_x + S_y - 2 * sqrtm(root @ S_y @ root).real)
    floor = images.gelbrich_floor(M)
    assert floor == pytest.approx(expected / d, rel=1e-6)
    cost = ((X[:, None] - Y[None]) ** 2).mean(2)
    w2 = ot.emd2(np.full(60, 1 / 60), np.full(60, 1 / 60), cost)
    assert floor <= w2 + 1e-9
    assert w2 <= images.paired_upper_bound(X, Y) + 1e-9
    assert images.rate_zero(M) == pytest.approx(cost.mean())


def test_the_sliced_distance_is_that_of_sorted_projections():
    X, Y = samples(5, 200)
    directions = np.random.default_rng(0).standard_normal((3, 7)) * 10.0
    projected = [np.sort(Z @ (directions / np.linalg.norm(directions, axis=0)), axis=0) for Z in (X, Y)]
    expected = ((projected[0] - projected[1]) ** 2).mean()
    assert images.sliced_wasserstein(X, Y, directions) == pytest.approx(expected)
    with pytest.raises(
        ValueError, match=r"directions: shape \(d, k\) expected for images of 3 and 3 values, got \(2, 7\)"
    ):
        images.sliced_wasserstein(X, Y, directions[:2])


@pytest.mark.parametrize("rate", [0.3, 1.5, 6.0])
def test_allocations_of_commuting_covariances(rate):
    """The rate split over the eigenvalues by a general optimiser, each part a scalar Gaussian problem."""
    X, Y = samples(3, d=4, commuting=True)
    M = images.moments(X, Y)
    m_x, S_x, m_y, S_y = moments_of(X, Y)
    basis = np.linalg.eigh(S_x)[1]
    s, t = (np.sqrt(np.diag(basis.T @ S @ basis)) for S in (S_x, S_y))
    for curve, function in ((images.gaussian_d_ncr, gaussian.d_ncr), (images.gaussian_d_cr, gaussian.d_cr)):

        def total(R, function=function):
            return sum(function(0, s[i], 0, t[i], max(R[i], 0)) for i in range(4))

        best = min(
            minimize(
                total,
                np.random.default_rng(k).dirichlet(np.ones(4)) * rate,
                bounds=[(1e-9, rate)] * 4,
                constraints={"type": "eq", "fun": lambda R: R.sum() - rate},
                method="SLSQP",
                options={"ftol": 1e-12, "maxiter": 500},
            ).fun
            for k in range(4)
        )
        expected = (best + ((m_x - m_y) ** 2).sum()) / 4
        assert curve(M, rate) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("rate", [0.4, 2.0])
def test_no_gaussian_plan_beats_the_curves_where_nothing_commutes(rate):
    """Theorems 6 and 7 for Gaussian vectors in two dimensions, over all matrices, by a general optimiser."""
    X, Y = samples(5, d=2)
    M = images.moments(X, Y)
    m_x, S_x, m_y, S_y = moments_of(X, Y)
    root_x, root_y = sqrtm(S_x).real, sqrtm(S_y).real
    independent = ((m_x - m_y) ** 2).sum() + np.trace(S_x) + np.trace(S_y)
    rng = np.random.default_rng(0)

    def contraction(v):
        """The matrix with the singular vectors of v and its values scaled to spend the rate exactly."""
        U, s, V = np.linalg.svd(v.reshape(2, 2))
        low, high = 0.0, 1e3
        for _ in range(80):
            scale = (low + high) / 2
            spent = -np.log2(1 - np.tanh(scale * s) ** 2 + 1e-300).sum() / 2
            low, high = (scale, high) if spent < rate else (low, scale)
        return U * np.tanh(low * s) @ V

    def cr(v):
        return independent - 2 * np.trace(root_x @ contraction(v) @ root_y)

    def ncr(v):  # X_hat = S_x^(1/2) K G, Y_hat = S_y^(1/2) L G, and the best rotation between them
        K, L = contraction(v[:4]), contraction(v[4:])
        return independent - 2 * np.linalg.svd(K.T @ root_x @ root_y @ L, compute_uv=False).sum()

    for curve, objective, size in ((images.gaussian_d_cr, cr, 4), (images.gaussian_d_ncr, ncr, 8)):
        starts = rng.standard_normal((4, size))
        best = min(minimize(objective, v, method="Nelder-Mead", options={"maxiter": 1500}).fun for v in starts)
        assert curve(M, rate) <= best / 2 + 1e-9
        assert curve(M, rate) == pytest.approx(best / 2, abs=1e-4)


@given(st.integers(0, 1000), st.integers(1, 6), st.booleans())
@settings(max_examples=15, deadline=None)
def test_gaussian_curves(seed, d, constant):
    X, Y = samples(seed, 50, d)
    if constant:
        X[:, 0] = 0.5  # a pixel that never changes
    M = images.moments(X, Y)
    R = np.linspace(0, 20, 41)
    ncr, cr = images.gaussian_d_ncr(M, R), images.gaussian_d_cr(M, R)
    floor = images.gelbrich_floor(M)
    assert (floor - 1e-9 <= cr).all()
    assert (cr <= ncr + 1e-9).all()
    for curve, function in ((ncr, images.gaussian_d_ncr), (cr, images.gaussian_d_cr)):
        assert (np.diff(curve) <= 1e-9).all()
        assert (np.diff(curve, 2) >= -1e-9).all()
        assert curve[0] == pytest.approx(images.rate_zero(M), abs=1e-12)
        assert function(M, np.inf) == pytest.approx(floor, abs=1e-9)
        assert function(M, 1e4) == pytest.approx(floor, abs=1e-7)


def test_one_pixel_is_theorem_8():
    X, Y = samples(2, d=1)
    M = images.moments(X, Y)
    source = (X.mean(), X.std(), Y.mean(), Y.std())
    R = np.array([0, 0.3, 1.0, 4.0])
    np.testing.assert_allclose(images.gaussian_d_ncr(M, R), gaussian.d_ncr(*source, R), atol=1e-12)
    np.testing.assert_allclose(images.gaussian_d_cr(M, R), gaussian.d_cr(*source, R), atol=1e-12)


def test_entropic_estimate_is_theorem_7_on_the_samples():
    X, Y = samples(1, 40, 2)
    cost = ((X[:, None] - Y[None]) ** 2).mean(2)
    law = np.full(40, 1 / 40)
    R = np.array([0.0, 0.5, 2.0])
    np.testing.assert_allclose(
        images.entropic_estimate(X, Y, R), finite.d_cr_asymptotic(law, law, cost, R), atol=1e-9
    )


def test_entropic_estimate_of_gaussian_samples():
    """At one bit the plug-in value of 200 samples comes near the curve that it estimates."""
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((2, 200, 1))
    assert images.entropic_estimate(X, Y, 1.0) == pytest.approx(gaussian.d_cr(0, 1, 0, 1, 1.0), abs=0.1)


def test_table_of_bounds():
    X, Y = samples(4, 100, 3)
    table = images.bounds(X, Y, [0, 1, 8])
    assert list(table.columns) == ["bound", "kind", "rate_bits", "distortion"]
    assert table.distortion.notna().all()
    assert set(table.kind) == {"bound", "reference", "estimate"}
    estimates = table[table.kind == "estimate"]
    assert list(estimates.rate_bits) == [0, 1]  # 100 samples do not support 8 bits
    assert estimates.distortion.iloc[0] == pytest.approx(images.rate_zero(images.moments(X, Y)))


def test_wrong_input_is_named():
    X, Y = samples(4, 20, 3)
    with pytest.raises(ValueError, match=r"^X:"):
        images.moments(X[0], Y)
    with pytest.raises(ValueError, match=r"^Y:"):
        images.moments(X, Y[:, :2])
    with pytest.raises(ValueError, match=r"^Y:"):
        images.paired_upper_bound(X, Y[:-1])
    with pytest.raises(ValueError, match=r"^X:"):
        images.bounds(np.where(X > 0, np.nan, X), Y, [1])
    with pytest.raises(ValueError, match=r"^rate:"):
        images.gaussian_d_cr(images.moments(X, Y), -1)
    with pytest.raises(ValueError, match=r"^rate:"):
        images.entropic_estimate(X, Y, 3)
