"""The last layer of a network, which squashes its output into an interval."""

from torch import Tensor, nn


def squashed(layers: nn.Sequential, inputs: Tensor) -> Tensor:
    """What the layers make of the inputs, float32: the last one computes in float32 whatever those before it do.

    Near the ends of the interval bfloat16 knows no number that is not the end itself, and there is no gradient.
    """
    output: Tensor = layers[-1](layers[:-1](inputs).float())
    return output
