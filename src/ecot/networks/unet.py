"""The restoration network of the baseline (Section B.5)."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from ecot.networks.squashing import squashed


class UNet(nn.Module):
    """A U-Net (Ronneberger et al., 2015): the paper says "U-Nets with skip connections" and no more.

    Each level holds two batch-normalised 3x3 convolutions; a level halves the sides of the one
    above, so the image's side must be a multiple of 2^(levels - 1). Sigmoid at the end, as in the
    decoders. Maps (n, image_channels, h, w) to the same shape, in [0, 1].
    """

    def __init__(self, image_channels: int, channels: tuple[int, ...]) -> None:
        super().__init__()
        pairs = list(pairwise(channels))
        self.first = _convolutions(image_channels, channels[0])
        self.pool = nn.MaxPool2d(2)
        self.down = nn.ModuleList(_convolutions(upper, lower) for upper, lower in pairs)
        self.up = nn.ModuleList(nn.ConvTranspose2d(lower, upper, 2, stride=2) for upper, lower in reversed(pairs))
        self.merge = nn.ModuleList(_convolutions(2 * upper, upper) for upper, _ in reversed(pairs))
        self.last = nn.Sequential(nn.Conv2d(channels[0], image_channels, 1), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        levels = [self.first(x)]
        for down in self.down:
            levels.append(down(self.pool(levels[-1])))
        features = levels.pop()
        for up, merge in zip(self.up, self.merge, strict=True):
            features = merge(torch.cat([up(features), levels.pop()], dim=1))
        return squashed(self.last, features)


def _convolutions(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(
        *(nn.Conv2d(inputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.LeakyReLU(inplace=True)),
        *(nn.Conv2d(outputs, outputs, 3, padding=1), nn.BatchNorm2d(outputs), nn.LeakyReLU(inplace=True)),
    )
