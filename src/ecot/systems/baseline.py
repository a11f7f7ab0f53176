"""The baseline: a compressor behind a frozen restoration network (71)."""

from typing import Self

from torch import Tensor

from ecot.systems import Networks, Outcome, System
from ecot.systems.compressor import Compressor
from ecot.systems.objectives import squared_error
from ecot.systems.restoration import Restoration


class Baseline(System):
    """A compressor whose output is close to what a frozen restoration network gives (71)."""

    def __init__(self, frozen: Restoration, compressor: Compressor) -> None:
        super().__init__(frozen)
        self.compressor = compressor

    @classmethod
    def build(cls, networks: Networks) -> Self:
        return cls(Restoration.build(networks), networks.compressor())

    def forward(self, x: Tensor, u: Tensor) -> Outcome:
        y_tilde = self.frozen.restorer(x)
        output = self.compressor(y_tilde, u[:, 0], u[:, -1])
        return Outcome(output, {"distortion": squared_error(y_tilde, output)}, {})
