"""The universal quantiser of Section B.2: from numbers to the indices that are sent, and from indices to centres."""

from typing import NamedTuple

import torch
from torch import Tensor


class Code(NamedTuple):
    """Z, all that is sent: an index in 0, ..., L-1 for each number.

    Where gradients are wanted, `soft` is the soft assignment whose gradient stands in for that of the hard choice.
    """

    indices: Tensor
    soft: Tensor | None = None


def quantise(z: Tensor, levels: int) -> Code:
    """The index of the centre nearest to each entry of z, shape and type of z; NaN stays NaN.

    The soft assignment is sum_c c softmax_c(-sigma |z - c|). The paper does not give sigma; 2 / L is that of the
    authors' released code.
    """
    indices = ((z.detach() + 1) * (0.5 * (levels - 1))).round().clamp(0, levels - 1)
    if not torch.is_grad_enabled():
        return Code(indices)
    c = centres(levels, z)
    return Code(indices, torch.softmax(-(2.0 / levels) * (z.unsqueeze(-1) - c).abs(), dim=-1) @ c)


def dequantise(code: Code, levels: int) -> Tensor:
    """Q(z): the centre of each index, shape and type of the indices, with the gradient of the soft assignment."""
    hard = code.indices * (2.0 / (levels - 1)) - 1
    return hard if code.soft is None else code.soft + (hard - code.soft).detach()


def centres(levels: int, like: Tensor) -> Tensor:
    """The codebook of one dimension: L points from -1 to 1, shape (L,)."""
    return torch.linspace(-1.0, 1.0, levels, dtype=like.dtype, device=like.device)
