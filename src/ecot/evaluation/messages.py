"""What a measurement says to a person."""

from ecot.errors import EcotError, MistakeError


def too_few_images(there: int, fewest: int) -> EcotError:
    """The test set is too small to be halved twice."""
    return MistakeError(f"n_test: {there} test images are too few to compare their laws; at least {fewest}")


def classifier_of_others(found: object, expected: object) -> EcotError:
    """The classifier takes images of another shape."""
    return EcotError(f"the classifier takes images of shape {found}, not {expected}; name the one of this data set")


def not_finite() -> ValueError:
    """A model gives an output that is not finite."""
    return ValueError("its outputs are not finite")
