"""An encoder and a decoder around the universal quantiser: the system of Figure 4(a)."""

from torch import Tensor, nn

from ecot.coding.quantiser import quantise


class Compressor(nn.Module):
    """Y_hat = g(Q(f(X) + U1) - U2); with common randomness U1 = U2 (14), without they are independent (16)."""

    def __init__(self, encoder: nn.Module, decoder: nn.Module, levels: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.levels = levels

    def represent(self, x: Tensor, u1: Tensor, u2: Tensor) -> Tensor:
        """What the decoder is given, Q(f(x) + u1) - u2; x (n, c, h, w), u1 and u2 (n, d), result (n, d)."""
        return quantise(self.encoder(x) + u1, self.levels) - u2

    def forward(self, x: Tensor, u1: Tensor, u2: Tensor) -> Tensor:
        """The output image, shape of x, in [0, 1]."""
        output: Tensor = self.decoder(self.represent(x, u1, u2))
        return output
