"""The critic h of the Wasserstein-1 term."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Critic(nn.Module):
    """5x5 convolutions of stride 2 and a linear layer, no normalisation (Tables 12 and 14).

    Maps (n, c, h, w) to (n,).
    """

    def __init__(self, image_shape: tuple[int, int, int], channels: Sequence[int]) -> None:
        super().__init__()
        inputs, side = image_shape[0], image_shape[1]
        convolutions: list[nn.Conv2d] = []
        for outputs in channels:
            convolutions.append(nn.Conv2d(inputs, outputs, 5, stride=2, padding=2))
            inputs, side = outputs, (side + 1) // 2
        self.convolutions = nn.ModuleList(convolutions)
        self.activation = nn.LeakyReLU(inplace=True)
        self.linear = nn.Linear(inputs * side * side, 1)

    def forward(self, y: Tensor) -> Tensor:
        for convolution in self.convolutions:
            y = self.activation(convolution(y))
        score: Tensor = self.linear(y.flatten(1)).squeeze(1)
        return score.to(self.linear.weight.dtype)

    def input_gradient(self, y: Tensor) -> Tensor:
        """The gradient of h at y with respect to y, shape of y, differentiable in the parameters.

        h is piecewise linear, so the gradient is the chain of its transposed layers with the
        activations' slopes, which are constant almost everywhere: first-order autograd suffices.
        """
        slopes, sizes = [], []
        with torch.no_grad():
            for convolution in self.convolutions:
                sizes.append(y.shape[-2:])
                y = self.activation(convolution(y))  # has the signs that it had before
                slopes.append(torch.where(y > 0, 1.0, self.activation.negative_slope).to(y.dtype))
        gradient = self.linear.weight.view(1, *y.shape[1:]).to(y.dtype)
        weights = [convolution.get_parameter("weight") for convolution in self.convolutions]
        for weight, slope, (height, width) in zip(reversed(weights), reversed(slopes), reversed(sizes), strict=True):
            gradient = F.conv_transpose2d(
                gradient * slope,
                weight,
                stride=2,
                padding=2,
                # Sizes n and n + 1 shrink to the same number; this says which it was.
                output_padding=((height + 1) % 2, (width + 1) % 2),
            )
        return gradient.to(self.linear.weight.dtype)
