"""The end-to-end system (15)."""

from typing import Self

from torch import Tensor

from ecot.coding.quantiser import Code
from ecot.systems import Coder, Networks, Outcome
from ecot.systems.compressor import Compressor
from ecot.systems.objectives import squared_error


class EndToEnd(Coder):
    """X to Y_hat by one compressor, close to X (15)."""

    def __init__(self, compressor: Compressor) -> None:
        super().__init__()
        self.compressor = compressor

    @classmethod
    def build(cls, networks: Networks) -> Self:
        return cls(networks.compressor())

    def encode(self, x: Tensor, u1: Tensor) -> Code:
        return self.compressor.encode(x, u1)

    def decode(self, code: Code, u2: Tensor) -> Tensor:
        return self.compressor.decode(code, u2)

    def forward(self, x: Tensor, u: Tensor) -> Outcome:
        code = self.encode(x, u[:, 0])
        output = self.decode(code, u[:, -1])
        return Outcome(output, {"distortion": squared_error(x, output)}, {}, code)
