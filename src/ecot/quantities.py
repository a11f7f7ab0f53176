"""The quantities that are measured, and the measures of the output law: each is registered once.

Tables, figures, captions and the columns of `metrics.csv` derive from these registries. This module imports neither
torch nor pandas.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from ecot.registry import Registry


@dataclass(frozen=True)
class Quantity:
    """A column of `metrics.csv`: how it is written, in which unit, and which direction is better."""

    name: str
    text: str  # for Markdown and figures
    latex: str
    decimals: int
    unit: str
    better: Literal["lower", "higher"] | None
    least: float = float("-inf")  # values below this are wrong
    most: float = float("inf")  # values above this are wrong


@dataclass(frozen=True)
class Measure:
    """A measure of how far the law of the outputs is from p_Y, and the quantity that it gives.

    `compare(outputs, clean, context)` takes images (n, c, h, w) and an `ecot.evaluation.law.Context` and returns a
    number. `compares` says what it is given:

        halves    the outputs of one half of the test set and the clean images of the other half, both ways; the mean
                  of the two numbers counts. For distances between sets that must be independent of each other
        sets      all outputs and all clean images, in the same order
        outputs   all outputs; the clean images play no part
    """

    quantity: Quantity
    compare: Callable[[Any, Any, Any], float]
    compares: Literal["halves", "sets", "outputs"]
    needs_labels: bool = False  # of itself or of the classifier; without them its column stays empty

    @property
    def name(self) -> str:
        """The name of its quantity."""
        return self.quantity.name

    @property
    def module(self) -> str:
        """The module that defines it."""
        return self.compare.__module__


QUANTITIES: Registry[Quantity] = Registry("quantity")
MEASURES: Registry[Measure] = Registry("measure")

for _quantity in (
    Quantity("mse_input", "E‖X − Ŷ‖²", r"$E\|X-\hat{Y}\|^2$", 4, "per pixel", "lower", 0),
    Quantity("mse_target", "E‖Y − Ŷ‖²", r"$E\|Y-\hat{Y}\|^2$", 4, "per pixel", "lower", 0),
    Quantity("mse_x_y1", "E‖X − Y1‖²", r"$E\|X-Y_1\|^2$", 4, "per pixel", "lower", 0),
    Quantity("mse_y_y2", "E‖Ỹ − Y2‖²", r"$E\|\tilde{Y}-Y_2\|^2$", 4, "per pixel", "lower", 0),
    Quantity("mse_y1_y2", "E‖Y1 − Y2‖²", r"$E\|Y_1-Y_2\|^2$", 4, "per pixel", "lower", 0),
    Quantity("cross_entropy_bits", "cross-entropy of Z", "cross-entropy of $Z$", 3, "bits per image", "lower", 0),
    Quantity("file_bits", "bits of a file", "bits of a file", 3, "bits per image", "lower", 0),
    Quantity("loss_decomposed", "decomposed loss (18)", "decomposed loss (18)", 4, "per pixel", "lower", 0),
):
    QUANTITIES.register(_quantity)


def register(measure: Measure) -> Measure:
    """Add a measure and its quantity."""
    QUANTITIES.register(measure.quantity)
    return MEASURES.register(measure)


def applicable(labelled: bool) -> dict[str, Measure]:
    """The measures of a data set that has labels, or has none, by their names."""
    return {name: measure for name, measure in measures().items() if labelled or not measure.needs_labels}


@cache
def measures() -> Registry[Measure]:
    """All measures; the built-in ones are loaded first, as an extension would be."""
    importlib.import_module("ecot.evaluation.measures")
    return MEASURES
