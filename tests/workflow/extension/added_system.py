"""The system of the extension's mode."""

from ecot.systems import Outcome, System
from ecot.systems.objectives import squared_error


class Clean(System):
    """A compressor that is trained to shrink its input to half its brightness."""

    def __init__(self, compressor):
        super().__init__()
        self.compressor = compressor

    @classmethod
    def build(cls, networks):
        return cls(networks.compressor())

    def forward(self, x, u):
        output = self.compressor(x, u[:, 0], u[:, -1])
        return Outcome(output, {"distortion": squared_error(0.5 * x, output)}, {})
