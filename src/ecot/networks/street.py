"""The networks for 32x32 colour images: layers of Tables 14 and 15, sizes of the authors' released code."""

from ecot.networks.critic import Critic
from ecot.networks.decoder import Decoder
from ecot.networks.encoder import Encoder
from ecot.networks.sizes import scaled
from ecot.networks.unet import UNet

IMAGE = (3, 32, 32)


def encoder(latent_dim: int, width: float) -> Encoder:
    """f of Table 14."""
    return Encoder(IMAGE, scaled(width, 64, 128, 256), (), latent_dim)


def decoder(latent_dim: int, width: float, *, residual: bool = False) -> Decoder:
    """g of Table 14; sides 4, 11, 25, 29, 32."""
    hidden, seed, first, second, third = scaled(width, 128, 32, 64, 108, 128)
    return Decoder(latent_dim, hidden, seed, [(first, 2), (second, 2), (third, 1)], IMAGE[0], residual=residual)


def branch_decoder(latent_dim: int, width: float) -> Decoder:
    """g1 and g2 of Table 15."""
    return decoder(latent_dim, width, residual=True)


def restorer(width: float) -> UNet:
    """The baseline's U-Net; sides 32, 16, 8."""
    return UNet(IMAGE[0], scaled(width, 32, 64, 128))


def critic(width: float) -> Critic:
    """h of Table 14."""
    return Critic(IMAGE, scaled(width, 64, 128, 256))
