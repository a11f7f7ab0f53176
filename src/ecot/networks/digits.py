"""The networks for 28x28 grey digits: layers of Tables 12 and 13, sizes of the authors' released code."""

from ecot.networks.critic import Critic
from ecot.networks.decoder import Decoder
from ecot.networks.encoder import Encoder
from ecot.networks.sizes import scaled
from ecot.networks.unet import UNet

IMAGE = (1, 28, 28)


def encoder(latent_dim: int, width: float) -> Encoder:
    """f of Table 12."""
    return Encoder(IMAGE, scaled(width, 32, 64), scaled(width, 128, 128), latent_dim)


def decoder(latent_dim: int, width: float) -> Decoder:
    """g of Table 12; sides 4, 11, 25, 28."""
    hidden, seed, first, second = scaled(width, 128, 32, 64, 128)
    return Decoder(latent_dim, hidden, seed, [(first, 2), (second, 2)], IMAGE[0])


def restorer(width: float) -> UNet:
    """The baseline's U-Net; sides 28, 14, 7."""
    return UNet(IMAGE[0], scaled(width, 32, 64, 128))


def critic(width: float) -> Critic:
    """h of Table 12."""
    return Critic(IMAGE, scaled(width, 64, 128, 256))


# Table 13 prints the decoder of a branch as Table 12 prints the decoder, but for the doubtful BatchNorm.
branch_decoder = decoder
