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

    def code(self, x: Tensor, u1: Tensor) -> Tensor:
        """Z, all that is sent: Q(f(x) + u1); x (n, c, h, w), u1 and the result (n, d)."""
        return quantise(self.encoder(x) + u1, self.levels)

    def forward(self, x: Tensor, u1: Tensor, u2: Tensor) -> Tensor:
        """The output image, shape of x, in [0, 1]."""
        output: Tensor = self.decoder(self.code(x, u1) - u2)
        return output
