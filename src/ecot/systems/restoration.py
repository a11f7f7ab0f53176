"""The baseline's restoration network (70)."""

from typing import Self

from torch import Tensor, nn

from ecot.systems import Networks, Outcome, System
from ecot.systems.objectives import squared_error


class Restoration(System):
    """X to Y_tilde by a network without a bottleneck (70)."""

    def __init__(self, restorer: nn.Module) -> None:
        super().__init__()
        self.restorer = restorer

    @classmethod
    def build(cls, networks: Networks) -> Self:
        return cls(networks.restorer())

    def forward(self, x: Tensor, u: Tensor) -> Outcome:
        output = self.restorer(x)
        return Outcome(output, {"distortion": squared_error(x, output)}, {})
