"""The universal quantiser (Section B.2) and the two settings of randomness (14), (16)."""

import pytest
import torch
from scipy import stats
from torch import nn

from ecot.coding.quantiser import centres, dequantise
from ecot.coding.quantiser import quantise as indices_of
from ecot.coding.randomness import dither
from ecot.systems.compressor import Compressor


def quantise(z, levels):
    """Q(z), by way of the indices."""
    return dequantise(indices_of(z, levels), levels)


@pytest.mark.parametrize("levels", [2, 4, 8])
def test_hard_forward(levels):
    z = torch.linspace(-1.6, 1.6, 401)
    c = centres(levels, z)
    brute = c[(z.unsqueeze(-1) - c).abs().argmin(-1)]
    ties = ((z.unsqueeze(-1) - c).abs().topk(2, largest=False).values.diff().abs() < 1e-6).squeeze()
    torch.testing.assert_close(quantise(z, levels)[~ties], brute[~ties])
    assert set(indices_of(z, levels).indices.tolist()) == set(range(levels))


@pytest.mark.parametrize("levels", [4, 8])
def test_soft_gradient(levels):
    """The gradient is that of sum_c c softmax_c(-sigma |z - c|) with sigma = 2 / L."""
    z = torch.tensor([-0.83, -0.2, 0.11, 0.94], dtype=torch.float64, requires_grad=True)
    quantise(z, levels).sum().backward()

    def soft(x):
        c = centres(levels, x)
        return (torch.softmax(-(2 / levels) * (x - c).abs(), -1) * c).sum()

    for value, gradient in zip(z.detach(), z.grad, strict=True):
        step = 1e-6
        assert gradient == pytest.approx(float(soft(value + step) - soft(value - step)) / (2 * step), rel=1e-6)


@pytest.mark.parametrize("levels", [4, 8])
@pytest.mark.parametrize("f", [-0.99, -0.37, 0.0, 0.5, 0.99])
def test_dither_error_is_uniform_and_independent_of_the_input(levels, f):
    """Q(f + U) - U - f ~ U[-1/(L-1), 1/(L-1)] at every f in (-1, 1): no overload, no dependence."""
    u = torch.from_numpy(dither(11, 20_000, 1, levels))
    error = (quantise(f + u, levels) - u - f).numpy().ravel() * (levels - 1)
    assert stats.kstest(error, "uniform", args=(-1, 2)).pvalue > 1e-3
    shared = stats.kstest(error, "uniform", args=(-0.98, 2)).pvalue
    assert shared < 1e-3, "the test would notice a shift of 1 %"


def test_error_does_not_follow_the_input():
    f = torch.rand(20_000, 1, generator=torch.Generator().manual_seed(0)) * 2 - 1
    u = torch.from_numpy(dither(12, 20_000, 1, 4))
    error = quantise(f + u, 4) - u - f
    assert abs(stats.spearmanr(f.ravel(), error.ravel()).statistic) < 0.03
    assert abs(stats.spearmanr(f.ravel().abs(), error.ravel().abs()).statistic) < 0.03
    undithered = quantise(f, 4) - f
    assert abs(stats.spearmanr(f.ravel(), undithered.ravel()).statistic) > 0.1


def test_common_and_independent_randomness_differ():
    """With a shared dither the representation errs by 1/3 (L-1)^-2; without, by twice that."""
    compressor = Compressor(nn.Identity(), nn.Identity(), 4)
    f = torch.rand(20_000, 4, generator=torch.Generator().manual_seed(0)) * 1.9 - 0.95
    u1, u2 = (torch.from_numpy(dither(key, 20_000, 4, 4)) for key in (1, 2))
    common, independent = compressor(f, u1, u1), compressor(f, u1, u2)
    assert not torch.equal(common, independent)
    assert float((common - f).square().mean()) == pytest.approx(1 / 27, rel=0.02)
    assert float((independent - f).square().mean()) == pytest.approx(2.5 / 27, rel=0.3)
    assert float((independent - f).square().mean()) > 1.8 / 27
