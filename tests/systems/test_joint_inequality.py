"""The least value of the decomposed loss (18) with a shared Z, on finite laws: `ecot.systems.joint`'s docstring."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecot.systems.decomposition import decomposition, total
from ecot.systems.objectives import squared_error


def least_decomposed_loss(z, x, y_tilde):
    """min over functions y_1(Z) and y_2(Z), by Newton's method: the loss is a quadratic function of their values."""
    cells = int(z.max()) + 1
    values = torch.zeros(2 * cells * x.shape[1], dtype=torch.float64)

    def loss(values):
        y1, y2 = values.reshape(2, cells, -1)
        return total(decomposition(x, y1[z], y_tilde, y2[z]))

    gradient, hessian = torch.func.grad(loss)(values), torch.func.hessian(loss)(values)
    best = values - torch.linalg.solve(hessian, gradient)
    assert torch.func.grad(loss)(best).abs().max() < 1e-9
    return float(loss(best))


def terms(z, x, y_tilde):
    """V_x, V_y and delta^2, for each value of an image, from their definitions."""
    means = [torch.stack([v[z == k].mean(0) for k in range(int(z.max()) + 1)])[z] for v in (x, y_tilde)]
    return [float(squared_error(*pair)) for pair in ((x, means[0]), (y_tilde, means[1]), means)]


def law(seed, cells, size, dimension):
    """A random law of (Z, X, Y~), X and Y~ independent given Z: every triple as often as its probability says."""
    rng = np.random.default_rng(seed)
    rows = []
    for z in range(cells):
        x, y = rng.standard_normal((2, size, dimension)) + rng.standard_normal((2, 1, dimension))
        times_x, times_y = rng.integers(1, 4, (2, size))
        x, y = np.repeat(x, times_x, axis=0), np.repeat(y, times_y, axis=0)
        times = rng.integers(1, 4)  # P(Z = z)
        rows += [(z, a, b) for a in x for b in y] * times
    z, x, y = (np.array(column) for column in zip(*rows, strict=True))
    return torch.from_numpy(z), torch.from_numpy(x), torch.from_numpy(y)


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 4), st.integers(1, 3))
@settings(max_examples=30, deadline=None)
def test_shared_branches_reach_a_third_of_the_transport(seed, cells, size, dimension):
    z, x, y_tilde = law(seed, cells, size, dimension)
    V_x, V_y, delta2 = terms(z, x, y_tilde)
    assert float(squared_error(x, y_tilde)) == pytest.approx(V_x + V_y + delta2, rel=1e-9, abs=1e-12)
    least = least_decomposed_loss(z, x, y_tilde)
    assert least == pytest.approx(V_x + V_y + delta2 / 3, rel=1e-9, abs=1e-12)
    assert least <= float(squared_error(x, y_tilde)) + 1e-12


def test_the_decoders_output_must_not_depend_on_x_beyond_z():
    """With Y~ = X and Z constant the end-to-end loss is 0 and the decomposed loss is not."""
    x = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
    z = torch.zeros(2, dtype=torch.long)
    assert least_decomposed_loss(z, x, x) == pytest.approx(0.5)
    assert float(squared_error(x, x)) == 0


def test_a_fresh_code_may_do_worse():
    """Branches that see another code than the one behind Y~: the other reading has no such bound."""
    z, fresh = (torch.tensor(code) for code in ([0, 0, 1, 1], [0, 1, 0, 1]))
    x = torch.zeros(4, 1, dtype=torch.float64)
    y_tilde = torch.tensor([[-1.0], [-1.0], [1.0], [1.0]], dtype=torch.float64)
    assert least_decomposed_loss(z, x, y_tilde) == pytest.approx(1 / 3)
    assert least_decomposed_loss(fresh, x, y_tilde) == pytest.approx(1.0)
    # X that leans to Y~: what Z says of it, a fresh code has lost
    x = 0.5 * y_tilde
    assert least_decomposed_loss(fresh, x, y_tilde) > float(squared_error(x, y_tilde)) + 0.9
