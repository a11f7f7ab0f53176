"""The universal quantiser of Section B.2."""

import torch
from torch import Tensor


def centres(levels: int, like: Tensor) -> Tensor:
    """The codebook of one dimension: L points from -1 to 1, shape (L,)."""
    return torch.linspace(-1.0, 1.0, levels, dtype=like.dtype, device=like.device)


def nearest(z: Tensor, levels: int) -> Tensor:
    """Index in 0, ..., L-1 of the centre nearest to each entry of z, shape and type of z; NaN stays NaN."""
    return ((z + 1) * (0.5 * (levels - 1))).round().clamp(0, levels - 1)


def quantise(z: Tensor, levels: int) -> Tensor:
    """Q(z): each entry's nearest centre, with the gradient of a soft assignment.

    Backward, the hard choice is replaced by sum_c c softmax_c(-sigma |z - c|). The paper does not give sigma; 2 / L
    is that of the authors' released code.
    """
    hard = nearest(z.detach(), levels) * (2.0 / (levels - 1)) - 1
    if not torch.is_grad_enabled():
        return hard
    c = centres(levels, z)
    soft = torch.softmax(-(2.0 / levels) * (z.unsqueeze(-1) - c).abs(), dim=-1) @ c
    return soft + (hard - soft).detach()
