"""How far the law of the outputs is from p_Y: the constraint under which the distortion is least.

The laws are compared, not the pairs: it plays no part which output belongs to which image, except in the accuracy.
Samples of n images differ even where the laws do not, and an output resembles the very image that it was made from.
So most measures compare the outputs of one half of the test set with the clean images of the other half, both ways.
A system whose outputs have law p_Y scores on average what one half of the clean images scores against the other.
The halves are random, since MNIST lists its images by kind of writer.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from ecot.coding import randomness
from ecot.data.arrays import Split
from ecot.evaluation import messages
from ecot.grid.cell_settings import MeasurementSettings
from ecot.networks.classifier import Classifier
from ecot.quantities import Measure, applicable

FEWEST = 4  # test images: each half is halved once more


@dataclass(frozen=True)
class Context:
    """What a measure may use besides the images: the classifier, the labels of the outputs, seed and budget."""

    classifier: Classifier | None  # None for a data set without labels
    labels: Tensor  # the digits (n,) of the outputs
    seed: int
    critic_steps: int


@dataclass(frozen=True)
class TargetLaw:
    """The clean test images on a device, and what outputs are compared with them by."""

    split: Split
    classifier: Classifier | None
    settings: MeasurementSettings
    device: torch.device

    def __post_init__(self) -> None:
        if len(self.split.images) < FEWEST:
            raise messages.too_few_images(len(self.split.images), FEWEST)
        shape = self.split.images.shape[1:]
        if self.classifier is not None and self.classifier.image_shape != shape:
            raise messages.classifier_of_others(self.classifier.image_shape, shape)

    @cached_property
    def order(self) -> Tensor:
        """The random order of the test images (n,) by which they are halved."""
        return _order(len(self.split.images), self.settings.seed).to(self.device)

    @cached_property
    def clean(self) -> Tensor:
        """The clean images (n, c, h, w) in that order."""
        return _images(self.split, self.order.cpu(), self.device)

    @cached_property
    def labels(self) -> Tensor:
        """Their digits (n,) in that order."""
        return self._digits(self.split, self.order.cpu())

    def scores(self, outputs: Tensor) -> dict[str, float]:
        """All measures of a system's outputs for the test images (n, c, h, w), by the names of their quantities."""
        return self._scores(outputs[self.order], self.labels)

    def clean_scores(self, training: Split) -> dict[str, dict[str, float]]:
        """What `scores` gives on average for clean images in place of outputs.

        `test`: clean images of the other half of the test set, which is what outputs of law p_Y score. `training`: as
        many training images. These differ from the test images if the two splits do not have one law, and systems
        learn the law of the training images.
        """
        even, odd = self.clean[0::2], self.clean[1::2]
        context = self._context(self.labels)
        test = {
            name: measure.compare(*((self.clean, odd) if measure.compares == "outputs" else (even, odd)), context)
            for name, measure in self.measures.items()
        }
        picked = _order(len(training.images), self.settings.seed)[: len(self.clean)]
        digits = self._digits(training, picked)
        return {"test": test, "training": self._scores(_images(training, picked, self.device), digits)}

    @property
    def measures(self) -> dict[str, Measure]:
        """What is measured: without labels, only what needs none."""
        return applicable(self.classifier is not None)

    def _digits(self, split: Split, rows: Tensor) -> Tensor:
        """The labels of some images of a split; none if it has none."""
        labels = torch.from_numpy(split.labels).to(self.device).long()
        return labels[rows.to(self.device)] if len(labels) else labels

    def _scores(self, outputs: Tensor, labels: Tensor) -> dict[str, float]:
        even, odd = self.clean[0::2], self.clean[1::2]
        context = self._context(labels)
        return {
            name: (
                (measure.compare(outputs[0::2], odd, context) + measure.compare(outputs[1::2], even, context)) / 2
                if measure.compares == "halves"
                else measure.compare(outputs, self.clean, context)
            )
            for name, measure in self.measures.items()
        }

    def _context(self, labels: Tensor) -> Context:
        return Context(self.classifier, labels, self.settings.seed, self.settings.critic_steps)


def _images(split: Split, rows: Tensor, device: torch.device) -> Tensor:
    return torch.from_numpy(split.images)[rows].to(device).float() / 255


def _order(n: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(randomness.torch_seed(randomness.key(seed, "halves")))
    return torch.randperm(n, generator=generator)
