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
@pytest.mark.parametrize("bits", [0, 1, 3, np.inf])
@pytest.mark.parametrize("levels", [2, 5])
def test_letters_sent_have_the_law_the_rate_and_the_distortion(pair, bits, levels):
    source, target = PAIRS[pair]
    scheme = simulation.design(source, target, levels, bits)
    sent = simulation.transmit(scheme, N, np.random.default_rng(7))
    squares = (sent.x - sent.y) ** 2
    assert scheme.distortion == pytest.approx(squares.mean(), abs=4.5 * squares.std() / np.sqrt(N))
    assert stats.kstest(sent.y, target.cdf).pvalue > 1e-3
    # H(Z|V) from the empirical law of Z for each V; a common dither in narrow slices
    shared = 50 if scheme.common else 2**bits
    slices = np.digitize(sent.dither, np.linspace(-scheme.delta, scheme.delta, shared + 1)[1:-1])
    laws = np.stack([np.bincount(sent.index[slices == k], minlength=levels) for k in range(shared)])
    laws = laws / laws.sum(1, keepdims=True)
    empirical = -(laws * np.log2(np.where(laws > 0, laws, 1))).sum(1).mean()
    assert scheme.rate == pytest.approx(empirical, abs=0.01)


@pytest.mark.parametrize("levels", [4, 8])
def test_uniform_in_probability_has_the_known_rate(levels):
    """f(X) uniform on [-1, 1]: H(Q(f+U)|U) = log2(L-1) + 1/(2 ln 2 (L-1))."""
    scheme = simulation.Scheme(*PAIRS["uniform"], levels, np.inf, s=1.0, t=1.0)
    assert scheme.rate == pytest.approx(np.log2(levels - 1) + 1 / (2 * np.log(2) * (levels - 1)), abs=1e-4)


def test_the_design_beats_other_parameters():
    source, target = PAIRS["gaussian"]
    for bits in (0, 2, np.inf):
        best = simulation.design(source, target, 4, bits)
        for s in (0.5, 0.8, 1.0):
            for t in (0.5, 1.0, 2.0):
                assert best.distortion <= simulation.Scheme(source, target, 4, bits, s, t).distortion + 1e-6


def test_many_levels_approach_plain_transport():
    for pair, limit in (("uniform", uniform.wasserstein2(2, 5)), ("gaussian", gaussian.d_ncr(0, 1, 1, 2, np.inf))):
        for bits in (0, np.inf):
            scheme = simulation.design(*PAIRS[pair], 64, bits)
            assert limit < scheme.distortion < limit + 0.01


@pytest.mark.parametrize("pair", ["uniform", "gaussian"])
def test_shared_bits_help_and_tend_to_a_common_dither(pair):
    schemes = [simulation.design(*PAIRS[pair], 4, bits) for bits in (0, 1, 2, 3, 7, np.inf)]
    distortions = [scheme.distortion for scheme in schemes]
    assert (np.diff(distortions) < 0).all()
    assert distortions[-2] == pytest.approx(distortions[-1], abs=1e-4)
    assert distortions[0] > distortions[1] + 0.6 * (distortions[0] - distortions[-1])  # the first bit helps most
    same = simulation.Scheme(*PAIRS[pair], 4, 9, s=0.8, t=0.9), simulation.Scheme(*PAIRS[pair], 4, np.inf, 0.8, 0.9)
    assert same[0].rate == pytest.approx(same[1].rate, abs=1e-4)
    assert same[0].distortion == pytest.approx(same[1].distortion, abs=1e-4)


@pytest.mark.parametrize("bits", [0, 1, 2, 5])
def test_what_shared_bits_leave_of_the_error(bits):
    """Far from the ends W - f is the quantiser's error with P and P', all uniform: delta^2 (1 + 2 4^-k) / 3."""
    scheme = simulation.Scheme(*PAIRS["uniform"], 9, bits, s=1.0, t=1.0)
    rng = np.random.default_rng(0)
    x = 2 * rng.uniform(0.3, 0.7, N)
    shared, own = rng.choice(scheme.shared, N), scheme.delta * 2.0**-bits * (2 * rng.random((2, N)) - 1)
    w = scheme.points[scheme.encode(x, shared + own[0])] - shared - own[1]
    assert ((w - (x - 1)) ** 2).mean() == pytest.approx(scheme.delta**2 * (1 + 2 * 4.0**-bits) / 3, rel=0.02)


@pytest.mark.parametrize(
    ("levels", "bits", "name"),
    [(1, 0, "levels"), (2.5, 0, "levels"), (4, -1, "shared_bits"), (4, 0.5, "shared_bits"), (4, 10, "shared_bits")],
)
def test_wrong_input_is_named(levels, bits, name):
    with pytest.raises(ValueError, match=f"^{name}:"):
        simulation.design(*PAIRS["uniform"], levels, bits)
    with pytest.raises(ValueError, match=r"^n:"):
        simulation.transmit(simulation.Scheme(*PAIRS["uniform"], 4, 0, 1.0, 1.0), 0, np.random.default_rng(0))
