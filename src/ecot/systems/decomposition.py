"""The terms of the decomposed loss (18)."""

from torch import Tensor

from ecot.systems.objectives import squared_error


def decomposition(x: Tensor, y1: Tensor, y_tilde: Tensor, y2: Tensor) -> dict[str, Tensor]:
    """(a), (b) and (c) of (18), by their columns in metrics.csv; scalars."""
    return {
        "mse_x_y1": squared_error(x, y1),
        "mse_y_y2": squared_error(y_tilde, y2),
        "mse_y1_y2": squared_error(y1, y2),
    }


def total(terms: dict[str, Tensor]) -> Tensor:
    """The decomposed loss, (a) + (b) + (c)."""
    a, b, c = terms.values()
    return a + b + c
