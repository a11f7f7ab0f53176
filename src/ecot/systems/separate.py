"""Separate training of two compressors, one for each of the first two terms of (18) (Section 3.2)."""

from typing import Self

from torch import Tensor

from ecot.systems import Networks, Outcome, System
from ecot.systems.compressor import Compressor
from ecot.systems.decomposition import decomposition, total
from ecot.systems.end_to_end import EndToEnd


class Separate(System):
    """Two compressors trained apart: f1, g1 for X alone and f2, g2 for Y_tilde alone.

    Each of the three systems, the frozen one that makes Y_tilde and the two pairs, draws dither of its own: one
    vector for its encoder and one for its decoder.
    """

    def __init__(self, frozen: EndToEnd, compressor_1: Compressor, compressor_2: Compressor) -> None:
        super().__init__(frozen)
        self.compressor_1 = compressor_1
        self.compressor_2 = compressor_2

    @classmethod
    def build(cls, networks: Networks) -> Self:
        pairs = [Compressor(networks.encoder(), networks.branch_decoder(), networks.levels) for _ in range(2)]
        return cls(EndToEnd.build(networks), *pairs)

    def forward(self, x: Tensor, u: Tensor) -> Outcome:
        y_tilde = self.frozen.compressor(x, u[:, 0], u[:, 1])
        y1 = self.compressor_1(x, u[:, 2], u[:, 3])
        y2 = self.compressor_2(y_tilde, u[:, 4], u[:, 5])
        terms = decomposition(x, y1, y_tilde, y2)
        reported = {"loss_decomposed": total(terms), "mse_y1_y2": terms.pop("mse_y1_y2")}
        return Outcome(y2, terms, reported)
