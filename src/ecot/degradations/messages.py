"""What a degradation says to a person."""

from ecot.errors import EcotError


def factor_does_not_divide(factor: int, side: int) -> EcotError:
    """The image cannot be made `factor` times smaller."""
    return EcotError(f"degradation.factor: {factor} does not divide the image side {side}")
