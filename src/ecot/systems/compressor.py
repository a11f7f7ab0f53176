"""An encoder and a decoder around the universal quantiser: the system of Figure 4(a)."""

from torch import Tensor, nn

from ecot.coding.quantiser import Code, dequantise, quantise


class Compressor(nn.Module):
    """Y_hat = g(Q(f(X) + U1) - U2); with common randomness U1 = U2 (14), without they are independent (16).

    `encode` and `decode` are the one way from images to indices and from indices to images: training, measurement
    and the codec take it.
    """

    def __init__(self, encoder: nn.Module, decoder: nn.Module, levels: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.decoder = decoder
        self.levels = levels

    def encode(self, x: Tensor, u1: Tensor) -> Code:
        """Z, all that is sent: the indices of Q(f(x) + u1); x (n, c, h, w), u1 and the indices (n, d)."""
        return quantise(self.encoder(x) + u1, self.levels)

    def centres(self, code: Code) -> Tensor:
        """Z as numbers in [-1, 1], (n, d)."""
        return dequantise(code, self.levels)

    def decode(self, code: Code, u2: Tensor) -> Tensor:
        """The output image g(Z - u2), (n, c, h, w) in [0, 1]; u2 (n, d)."""
        output: Tensor = self.decoder(self.centres(code) - u2)
        return output

    def forward(self, x: Tensor, u1: Tensor, u2: Tensor) -> Tensor:
        """The output image of x, shape of x, in [0, 1]."""
        return self.decode(self.encode(x, u1), u2)
