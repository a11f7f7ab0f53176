"""The decoder g: d numbers to an image."""

from collections.abc import Sequence

from torch import Tensor, nn

from ecot.networks.squashing import squashed

SEED_SIDE = 4  # the first feature map is 4x4


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions and a skip connection (Table 15)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.LeakyReLU(inplace=True),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = x + self.layers(x)
        return y


class Decoder(nn.Module):
    """Two linear layers, then transposed convolutions, sigmoid (Tables 12-15).

    `hidden` and `seed_channels` size the linear layers, which fill a (seed_channels, 4, 4) map;
    `blocks` are (outputs, stride) of the 5x5 transposed convolutions; a 4x4 one makes the image.
    All but the last are batch-normalised or, if `residual`, the 5x5 ones are not and each but the
    first has a residual block before it (Table 15). Tables 12 and 14 print a BatchNorm before the
    sigmoid; Tables 13 and 15 do not, nor does this.
    Maps (n, latent_dim) to (n, image_channels, h, w) in [0, 1].
    """

    def __init__(
        self,
        latent_dim: int,
        hidden: int,
        seed_channels: int,
        blocks: Sequence[tuple[int, int]],
        image_channels: int,
        *,
        residual: bool = False,
    ) -> None:
        super().__init__()
        seed = seed_channels * SEED_SIDE**2
        layers: list[nn.Module] = [
            *(nn.Linear(latent_dim, hidden), nn.BatchNorm1d(hidden), nn.LeakyReLU(inplace=True)),
            *(nn.Linear(hidden, seed), nn.BatchNorm1d(seed), nn.LeakyReLU(inplace=True)),
            nn.Unflatten(1, (seed_channels, SEED_SIDE, SEED_SIDE)),
        ]
        inputs = seed_channels
        for outputs, stride in blocks:
            layers.append(nn.ConvTranspose2d(inputs, outputs, 5, stride=stride))
            layers += (
                [nn.LeakyReLU(inplace=True), ResidualBlock(outputs)]
                if residual
                else [nn.BatchNorm2d(outputs), nn.LeakyReLU(inplace=True)]
            )
            inputs = outputs
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(inputs, image_channels, 4), nn.Sigmoid())

    def forward(self, z: Tensor) -> Tensor:
        return squashed(self.layers, z)
