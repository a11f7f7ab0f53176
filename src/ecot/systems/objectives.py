"""The terms of the objective (15): squared error and a Wasserstein-1 distance by a penalised critic."""

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from ecot.networks.critic import Critic


def squared_error(a: Tensor, b: Tensor) -> Tensor:
    """E||a - b||^2 per pixel: the mean over images, channels and pixels; a scalar."""
    return mse_loss(a, b)


def wasserstein_1(critic: Critic, real: Tensor, generated: Tensor) -> Tensor:
    """mean h(Y) - mean h(Y_hat), the dual (69) at this critic, a scalar; images (n, c, h, w) each."""
    estimate: Tensor = critic(real).mean() - critic(generated).mean()
    return estimate


def gradient_penalty(critic: Critic, real: Tensor, generated: Tensor, position: Tensor) -> Tensor:
    """E(||grad h|| - 1)^2 on the segments from real to generated images (Gulrajani et al., 2017); a scalar.

    `position` in [0, 1], shape (n, 1, 1, 1), is where on its segment each point lies.
    """
    norm: Tensor = torch.linalg.vector_norm(critic.input_gradient(real.lerp(generated, position)), dim=(1, 2, 3))
    return (norm - 1).square().mean()
