"""The designed quantisers: their computed rate and distortion are those of letters really sent through them."""

import numpy as np
import pytest
from scipy import stats

from ecot.theory import gaussian, simulation, uniform

N = 100_000
PAIRS = {
    "uniform": (stats.uniform(0, 2), stats.uniform(0, 5)),
    "gaussian": (stats.norm(0, 1), stats.norm(1, 2)),
    "mixed": (stats.norm(0, 1), stats.uniform(-1, 3)),
}


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("common", [True, False])
@pytest.mark.parametrize("levels", [2, 5])
def test_letters_sent_have_the_law_the_rate_and_the_distortion(pair, common, levels):
    source, target = PAIRS[pair]
    scheme = simulation.design(source, target, levels, common)
    sent = simulation.transmit(scheme, N, np.random.default_rng(7))
    squares = (sent.x - sent.y) ** 2
    assert scheme.distortion == pytest.approx(squares.mean(), abs=4.5 * squares.std() / np.sqrt(N))
    assert stats.kstest(sent.y, target.cdf).pvalue > 1e-3
    if common:  # H(Z|U) from the empirical law of Z in narrow slices of the dither
        slices = np.digitize(sent.dither, np.linspace(-scheme.delta, scheme.delta, 51)[1:-1])
        laws = np.stack([np.bincount(sent.index[slices == k], minlength=levels) for k in range(50)])
    else:
        laws = np.bincount(sent.index, minlength=levels)[None]
    laws = laws / laws.sum(1, keepdims=True)
    empirical = -(laws * np.log2(np.where(laws > 0, laws, 1))).sum(1).mean()
    assert scheme.rate == pytest.approx(empirical, abs=0.01)


@pytest.mark.parametrize("levels", [4, 8])
def test_uniform_in_probability_has_the_known_rate(levels):
    """f(X) uniform on [-1, 1]: H(Q(f+U)|U) = log2(L-1) + 1/(2 ln 2 (L-1))."""
    scheme = simulation.Scheme(*PAIRS["uniform"], levels, common=True, s=1.0, t=1.0)
    assert scheme.rate == pytest.approx(np.log2(levels - 1) + 1 / (2 * np.log(2) * (levels - 1)), abs=1e-4)


def test_the_design_beats_other_parameters():
    source, target = PAIRS["gaussian"]
    for common in (True, False):
        best = simulation.design(source, target, 4, common)
        for s in (0.5, 0.8, 1.0):
            for t in (0.5, 1.0, 2.0):
                assert best.distortion <= simulation.Scheme(source, target, 4, common, s, t).distortion + 1e-6


def test_many_levels_approach_plain_transport():
    for pair, limit in (("uniform", uniform.wasserstein2(2, 5)), ("gaussian", gaussian.d_ncr(0, 1, 1, 2, np.inf))):
        for common in (True, False):
            scheme = simulation.design(*PAIRS[pair], 64, common)
            assert limit < scheme.distortion < limit + 0.01


def test_wrong_input_is_named():
    with pytest.raises(ValueError, match=r"^levels:"):
        simulation.design(*PAIRS["uniform"], 1, common=True)
