"""What each mode trains: its networks, the terms of its loss, and its output."""

from dataclasses import dataclass

from torch import Tensor, nn

from ecot import tasks
from ecot.cells import CellSettings
from ecot.coding.compressor import Compressor
from ecot.training.objectives import squared_error


@dataclass(frozen=True)
class Outcome:
    """One pass of a system: its output images and the squared errors that it is trained on."""

    output: Tensor
    terms: dict[str, Tensor]


class EndToEnd(nn.Module):
    """X to Y_hat by one compressor, close to X (15)."""

    def __init__(self, compressor: Compressor) -> None:
        super().__init__()
        self.compressor = compressor

    def forward(self, x: Tensor, u1: Tensor, u2: Tensor) -> Outcome:
        """x (n, c, h, w), dither u1 at the encoder and u2 at the decoder (n, d)."""
        output = self.compressor(x, u1, u2)
        return Outcome(output, {"distortion": squared_error(x, output)})


def build(settings: CellSettings) -> EndToEnd:
    """The untrained system of a cell, initialised by torch's global generator."""
    task = tasks.load(settings.task)
    encoder = task.encoder(settings.latent_dim, settings.width)
    decoder = task.decoder(settings.latent_dim, settings.width)
    return EndToEnd(Compressor(encoder, decoder, settings.levels))
