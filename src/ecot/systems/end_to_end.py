"""The end-to-end system (15)."""

from typing import Self

from torch import Tensor

from ecot.systems import Networks, Outcome, System
from ecot.systems.compressor import Compressor
from ecot.systems.objectives import squared_error


class EndToEnd(System):
    """X to Y_hat by one compressor, close to X (15)."""

    def __init__(self, compressor: Compressor) -> None:
        super().__init__()
        self.compressor = compressor

    @classmethod
    def build(cls, networks: Networks) -> Self:
        return cls(networks.compressor())

    def forward(self, x: Tensor, u: Tensor) -> Outcome:
        output = self.compressor(x, u[:, 0], u[:, -1])
        return Outcome(output, {"distortion": squared_error(x, output)}, {})
