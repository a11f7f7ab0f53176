"""The baseline: a compressor behind a frozen restoration network (71)."""

from typing import Self

from torch import Tensor

from ecot.coding.quantiser import Code
from ecot.systems import Coder, Networks, Outcome
from ecot.systems.compressor import Compressor
from ecot.systems.objectives import squared_error
from ecot.systems.restoration import Restoration


class Baseline(Coder):
    """A compressor whose output is close to what a frozen restoration network gives (71)."""

    def __init__(self, frozen: Restoration, compressor: Compressor) -> None:
        super().__init__(frozen)
        self.compressor = compressor

    @classmethod
    def build(cls, networks: Networks) -> Self:
        return cls(Restoration.build(networks), networks.compressor())

    def encode(self, x: Tensor, u1: Tensor) -> Code:
        return self.compressor.encode(self.frozen.restorer(x), u1)

    def decode(self, code: Code, u2: Tensor) -> Tensor:
        return self.compressor.decode(code, u2)

    def forward(self, x: Tensor, u: Tensor) -> Outcome:
        y_tilde = self.frozen.restorer(x)
        code = self.compressor.encode(y_tilde, u[:, 0])
        output = self.decode(code, u[:, -1])
        return Outcome(output, {"distortion": squared_error(y_tilde, output)}, {}, code)
