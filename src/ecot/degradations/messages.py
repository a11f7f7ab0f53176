"""What a degradation says to a person."""

from ecot.errors import MistakeError


def factor_does_not_divide(factor: int, side: int) -> MistakeError:
    """The image cannot be made `factor` times smaller."""
    return MistakeError(f"degradation.factor: {factor} does not divide the image side {side}")
