"""The encoder f: an image to d numbers in (-1, 1)."""

from collections.abc import Sequence

from torch import Tensor, nn

from ecot.networks.squashing import squashed


class Encoder(nn.Module):
    """5x5 convolutions of stride 2, linear layers, tanh (Tables 12 and 14).

    `channels` are the convolutions' outputs, `hidden` those of the linear layers before the last.
    Maps (n, c, h, w) to (n, latent_dim).
    """

    def __init__(
        self,
        image_shape: tuple[int, int, int],
        channels: Sequence[int],
        hidden: Sequence[int],
        latent_dim: int,
    ) -> None:
        super().__init__()
        inputs, side = image_shape[0], image_shape[1]
        layers: list[nn.Module] = []
        for outputs in channels:
            layers += [nn.Conv2d(inputs, outputs, 5, stride=2, padding=2), nn.LeakyReLU(inplace=True)]
            inputs, side = outputs, (side + 1) // 2
        layers.append(nn.Flatten())
        inputs *= side * side
        for outputs in hidden:
            layers += [nn.Linear(inputs, outputs), nn.LeakyReLU(inplace=True)]
            inputs = outputs
        self.layers = nn.Sequential(*layers, nn.Linear(inputs, latent_dim), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        return squashed(self.layers, x)
