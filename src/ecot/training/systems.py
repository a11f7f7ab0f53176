"""What each mode trains: its networks, the terms of its loss, and its output.

Dither comes as u, shape (n, k, d): the vectors that a system draws for each image, the encoder's
first and the decoder's last, so that with common randomness k = 1 and both are the same.
"""

from dataclasses import dataclass
from typing import Any, Self

from torch import Tensor, nn

from ecot import tasks
from ecot.cells import CellSettings
from ecot.coding.compressor import Compressor
from ecot.training.objectives import squared_error


@dataclass(frozen=True)
class Outcome:
    """One pass: the output images, the squared errors trained on, and those only reported."""

    output: Tensor
    terms: dict[str, Tensor]
    reported: dict[str, Tensor]


class System(nn.Module):
    """Networks that turn degraded images into an output; those in `frozen` stay as they are."""

    def __init__(self, frozen: nn.Module | None = None) -> None:
        super().__init__()
        self.frozen: Any = frozen

    def freeze(self) -> None:
        """Fix the frozen networks: no gradients, and running statistics in place of the batch's."""
        if self.frozen is not None:
            self.frozen.requires_grad_(False)
            self.frozen.eval()

    def train(self, mode: bool = True) -> Self:
        super().train(mode)
        self.freeze()
        return self

    def __call__(self, x: Tensor, u: Tensor) -> Outcome:
        outcome: Outcome = super().__call__(x, u)
        return outcome


class EndToEnd(System):
    """X to Y_hat by one compressor, close to X (15)."""

    def __init__(self, compressor: Compressor) -> None:
        super().__init__()
        self.compressor = compressor

    def forward(self, x: Tensor, u: Tensor) -> Outcome:
        output = self.compressor(x, u[:, 0], u[:, -1])
        return Outcome(output, {"distortion": squared_error(x, output)}, {})


class Joint(System):
    """Two decoders behind the encoder of a frozen end-to-end system (18): g1 for X, g2 for its output Y_tilde.

    The branches see the very Z that Y_tilde was made of, and not the decoder's dither: Theorem 1 decomposes
    the distortion for one Z, with X_hat = E[X | Z] and Y_hat = E[Y | Z], means over what the decoder adds.
    """

    def __init__(self, frozen: EndToEnd, decoder_1: nn.Module, decoder_2: nn.Module) -> None:
        super().__init__(frozen)
        self.decoder_1 = decoder_1
        self.decoder_2 = decoder_2

    def forward(self, x: Tensor, u: Tensor) -> Outcome:
        z = self.frozen.compressor.code(x, u[:, 0])
        y_tilde = self.frozen.compressor.decoder(z - u[:, -1])
        y1, y2 = self.decoder_1(z), self.decoder_2(z)
        terms = _decomposition(x, y1, y_tilde, y2)
        return Outcome(y2, terms, {"loss_decomposed": _total(terms)})


class Separate(System):
    """Two compressors trained apart: f1, g1 for X alone and f2, g2 for Y_tilde alone (Section 3.2).

    The frozen end-to-end system that makes Y_tilde has dither of its own, the last two of u, which
    the pairs share none of.
    """

    def __init__(self, frozen: EndToEnd, compressor_1: Compressor, compressor_2: Compressor) -> None:
        super().__init__(frozen)
        self.compressor_1 = compressor_1
        self.compressor_2 = compressor_2

    def forward(self, x: Tensor, u: Tensor) -> Outcome:
        y_tilde = self.frozen.compressor(x, u[:, 2], u[:, 3])
        y1 = self.compressor_1(x, u[:, 0], u[:, 1])
        y2 = self.compressor_2(y_tilde, u[:, 0], u[:, 1])
        terms = _decomposition(x, y1, y_tilde, y2)
        reported = {"loss_decomposed": _total(terms), "mse_y1_y2": terms.pop("mse_y1_y2")}
        return Outcome(y2, terms, reported)


class Restoration(System):
    """X to Y_tilde by a network without a bottleneck (70)."""

    def __init__(self, restorer: nn.Module) -> None:
        super().__init__()
        self.restorer = restorer

    def forward(self, x: Tensor, u: Tensor) -> Outcome:
        output = self.restorer(x)
        return Outcome(output, {"distortion": squared_error(x, output)}, {})


class Baseline(System):
    """A compressor behind a frozen restoration network, close to what that network gives (71)."""

    def __init__(self, frozen: Restoration, compressor: Compressor) -> None:
        super().__init__(frozen)
        self.compressor = compressor

    def forward(self, x: Tensor, u: Tensor) -> Outcome:
        y_tilde = self.frozen.restorer(x)
        output = self.compressor(y_tilde, u[:, 0], u[:, -1])
        return Outcome(output, {"distortion": squared_error(y_tilde, output)}, {})


def dithers(settings: CellSettings) -> int:
    """k, how many dither vectors the cell's system draws for an image."""
    if settings.mode == "separate":
        return 4
    return {"common": 1, "independent": 2, None: 0}[settings.randomness]


def build(settings: CellSettings) -> System:
    """The untrained system of a cell, initialised by torch's global generator."""
    task, d, width = tasks.load(settings.task), settings.latent_dim, settings.width

    def compressor() -> Compressor:
        return Compressor(task.encoder(d, width), task.decoder(d, width), settings.levels)

    match settings.mode:
        case "end_to_end":
            return EndToEnd(compressor())
        case "joint":
            return Joint(EndToEnd(compressor()), task.branch_decoder(d, width), task.branch_decoder(d, width))
        case "separate":
            pairs = [Compressor(task.encoder(d, width), task.branch_decoder(d, width), settings.levels) for _ in "12"]
            return Separate(EndToEnd(compressor()), *pairs)
        case "restoration":
            return Restoration(task.restorer(width))
        case "baseline":
            return Baseline(Restoration(task.restorer(width)), compressor())


def _decomposition(x: Tensor, y1: Tensor, y_tilde: Tensor, y2: Tensor) -> dict[str, Tensor]:
    """The terms (a), (b), (c) of (18)."""
    return {
        "mse_x_y1": squared_error(x, y1),
        "mse_y_y2": squared_error(y_tilde, y2),
        "mse_y1_y2": squared_error(y1, y2),
    }


def _total(terms: dict[str, Tensor]) -> Tensor:
    a, b, c = terms.values()
    return a + b + c
