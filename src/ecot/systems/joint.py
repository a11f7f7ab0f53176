"""Joint training of two decoders on the decomposed loss (18)."""

from typing import Self

from torch import Tensor, nn

from ecot.systems import Networks, Outcome, System
from ecot.systems.decomposition import decomposition, total
from ecot.systems.end_to_end import EndToEnd


class Joint(System):
    """Two decoders behind the encoder of a frozen end-to-end system: g1 for X, g2 for the system's output Y_tilde.

    The branches see the very Z from which Y_tilde was made, and not the decoder's dither. Theorem 1 decomposes the
    distortion for one Z: X_hat = E[X | Z] and Y_hat = E[Y | Z] are means over what the decoder adds.
    """

    def __init__(self, frozen: EndToEnd, decoder_1: nn.Module, decoder_2: nn.Module) -> None:
        super().__init__(frozen)
        self.decoder_1 = decoder_1
        self.decoder_2 = decoder_2

    @classmethod
    def build(cls, networks: Networks) -> Self:
        return cls(EndToEnd.build(networks), networks.branch_decoder(), networks.branch_decoder())

    def forward(self, x: Tensor, u: Tensor) -> Outcome:
        z = self.frozen.compressor.code(x, u[:, 0])
        y_tilde = self.frozen.compressor.decoder(z - u[:, -1])
        y1, y2 = self.decoder_1(z), self.decoder_2(z)
        terms = decomposition(x, y1, y_tilde, y2)
        return Outcome(y2, terms, {"loss_decomposed": total(terms)})
