"""The last layer of a network, which squashes its output into an interval."""

from torch import Tensor, nn


def squashed(layers: nn.Sequential, inputs: Tensor) -> Tensor:
    """What the layers make of inputs: the last one is computed in the weights' type, float32, under autocast, too.

    Near the ends of the interval bfloat16 knows no number that is not the end itself, and there is no gradient.
    """
    output: Tensor = layers[-1](layers[:-1](inputs).to(next(layers.parameters()).dtype))
    return output
