"""The share of outputs whose digit a classifier of clean images reads."""

from typing import Any

from ecot.quantities import Measure, Quantity, register


def classifier_accuracy(outputs: Any, clean: Any, context: Any) -> float:
    """The share of outputs whose label the classifier gives, 0 to 1."""
    from ecot.evaluation.classifier import accuracy

    return accuracy(context.classifier, outputs, context.labels)


MEASURE = register(
    Measure(
        Quantity("classifier_accuracy", "accuracy", "accuracy", 3, "share of images", "higher", 0, 1),
        classifier_accuracy,
        "outputs",
        needs_labels=True,
    )
)
