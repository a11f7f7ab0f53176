"""How far the law of the outputs is from p_Y: the constraint under which the distortion is least.

The laws are compared, not the pairs: which output belongs to which image plays no part, but in the accuracy. Samples
of n images differ even where the laws do not, and an output resembles the very image that it was made of. So the
outputs of one half of the test set stand against the clean images of the other half, both ways, and a system whose
outputs have law p_Y scores on average what one half of the clean images scores against the other: the zero level.
The halves are random: MNIST lists its test set by kind of writer, and in its training set two kinds take turns.
"""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from lightning_utilities.core.imports import RequirementCache
from numpy.typing import NDArray
from torch import Tensor

from ecot.cells import MeasurementSettings
from ecot.coding import randomness
from ecot.config import Device
from ecot.data.datasets import load
from ecot.data.readers import Split
from ecot.errors import EcotError
from ecot.files import atomic
from ecot.nn.classifier import Classifier, Features
from ecot.nn.critic import Critic
from ecot.nn.sizes import scaled
from ecot.theory import images as theory
from ecot.training import devices
from ecot.training.adam import Adam
from ecot.training.classifier import accuracy
from ecot.training.classifier import load as load_classifier
from ecot.training.objectives import gradient_penalty, wasserstein_1


@contextmanager
def _without_extras() -> Iterator[None]:
    """torchmetrics imports torchvision, plots and more where it finds them: seconds, and no measure needs them."""
    with patch.object(RequirementCache, "__bool__", return_value=False):
        yield


with _without_extras():
    from torchmetrics.image.fid import FrechetInceptionDistance
    from torchmetrics.image.kid import KernelInceptionDistance

FEWEST = 4  # test images: each half is halved once more
DIRECTIONS = 200  # of the sliced distance
SUBSETS, SUBSET = 10, 1000  # of the kernel distance: how many, and of how many images at most
# The fresh critic is the same for all runs, whatever the width of their networks and the settings of their training.
CRITIC_CHANNELS = scaled(0.25, 64, 128, 256)
CRITIC_BATCH = 64
CRITIC_LEARNING_RATE = 2e-3
CRITIC_BETAS = 0.5, 0.999
CRITIC_PENALTY = 10.0

Measure = Callable[[Tensor, Tensor], float]


@dataclass(frozen=True)
class Reference:
    """What outputs are compared with and by; `order` (n,) is the random order of the test images that halves go by.

    Clean images (n, c, h, w) in [0, 1] and their digits (n,) stand in that order.
    """

    order: Tensor
    clean: Tensor
    labels: Tensor
    classifier: Classifier
    test: MeasurementSettings

    def measure(self, outputs: Tensor) -> dict[str, float]:
        """All measures of a system's outputs for the test images (n, c, h, w), by column of metrics.csv."""
        return self._crossed(outputs[self.order], self.labels)

    def levels(self, training: Split) -> dict[str, dict[str, float]]:
        """What `measure` gives on average for clean images in place of outputs.

        `test`: others of the test set, the zero level. `training`: as many training images, which differ from those
        of the test set if the two parts of the data set have not one law; systems learn the law of the former.
        """
        even, odd = self.clean[0::2], self.clean[1::2]
        zero = {name: distance(even, odd) for name, distance in self._distances().items()}
        picked = _order(len(training.images), self.test.seed)[: len(self.clean)]
        images = torch.from_numpy(training.images)[picked].to(self.clean.device).float() / 255
        digits = torch.from_numpy(training.labels)[picked].to(self.clean.device).long()
        return {
            "test": zero | self._others(self.clean, self.labels, even, odd),
            "training": self._crossed(images, digits),
        }

    def _crossed(self, outputs: Tensor, labels: Tensor) -> dict[str, float]:
        even, odd = self.clean[0::2], self.clean[1::2]
        return {
            name: (distance(outputs[0::2], odd) + distance(outputs[1::2], even)) / 2
            for name, distance in self._distances().items()
        } | self._others(outputs, labels, outputs, self.clean)

    def _distances(self) -> dict[str, Measure]:
        """Those between two sets of images, (n, c, h, w) and (m, c, h, w), that must be independent of each other."""
        seed, features = self.test.seed, self.classifier.features
        return {
            "gelbrich": gelbrich,
            "sliced_w2": lambda a, b: sliced_w2(a, b, seed),
            "frechet_distance": lambda a, b: frechet_distance(a, b, features),
            "kernel_distance": lambda a, b: kernel_distance(a, b, features, seed),
        }

    def _others(self, classified: Tensor, labels: Tensor, outputs: Tensor, clean: Tensor) -> dict[str, float]:
        return {
            "classifier_accuracy": accuracy(self.classifier, classified, labels),
            "critic_w1": critic_w1(outputs, clean, self.test.seed, self.test.critic_steps),
        }


def reference(split: Split, classifier: Path, test: MeasurementSettings, device: torch.device) -> Reference:
    """The reference of a test set; EcotError if that is too small or the classifier missing, damaged or of others."""
    if len(split.images) < FEWEST:
        raise EcotError(
            f"n_test: {len(split.images)} test images are too few to compare their laws; at least {FEWEST}"
        )
    found = load_classifier(classifier, device)
    if found.image_shape != split.images.shape[1:]:
        raise EcotError(
            f"classifier {classifier} takes images of shape {found.image_shape}, not {split.images.shape[1:]};"
            " name the one of this data set"
        )
    order = _order(len(split.images), test.seed)
    clean = torch.from_numpy(split.images)[order].to(device).float() / 255
    labels = torch.from_numpy(split.labels)[order].to(device).long()
    return Reference(order.to(device), clean, labels, found, test)


def write_levels(
    task: str,
    n_train: int | None,
    dataset: Path,
    classifier: Path,
    test: MeasurementSettings,
    device: Device,
    out: Path,
) -> None:
    """Write `out` (.csv): task, images (test, training), n_test and the levels of each measure, for `n_train` images.

    Raises EcotError if the data or the classifier are missing or damaged.
    """
    split = load(dataset, "test", test.n_test)
    compared = reference(split, classifier, test, devices.choose(device))
    rows = [
        {"task": task, "images": images, "n_test": len(split.images), **level}
        for images, level in compared.levels(load(dataset, "train", n_train)).items()
    ]
    with atomic(out) as temporary:
        pd.DataFrame(rows).to_csv(temporary, index=False)


def gelbrich(a: Tensor, b: Tensor) -> float:
    """Squared Gelbrich (Bures) distance of mean and covariance, per pixel.

    Crossed over the halves it is no less than that of the whole test set, as it is jointly convex in the first two
    moments. And the root of it is a metric on moments, whence distortion >= (sqrt(floor) - sqrt(this))^2 with the
    Gelbrich floor of X and Y.
    """
    return theory.gelbrich_floor(theory.moments(_rows(a), _rows(b)))


def sliced_w2(a: Tensor, b: Tensor, seed: int) -> float:
    """Squared sliced Wasserstein-2 distance, per pixel: a shift of all values by s gives s^2."""
    stream = np.random.Generator(np.random.Philox(key=randomness.key(seed, "directions")))
    directions = stream.standard_normal((a[0].numel(), DIRECTIONS))
    return theory.sliced_wasserstein(_rows(a), _rows(b), directions)


def frechet_distance(a: Tensor, b: Tensor, features: Features) -> float:
    """Frechet distance of features, each of variance 1 on clean images (Heusel et al., 2017, on other features)."""
    distance = FrechetInceptionDistance(features, normalize=True).to(a.device)
    distance.update(b, real=True)
    distance.update(a, real=False)
    return float(distance.compute())


def kernel_distance(a: Tensor, b: Tensor, features: Features, seed: int) -> float:
    """Unbiased squared maximum mean discrepancy of d features for the kernel (x'y / d + 1)^3, on random subsets.

    Binkowski et al. (2018), on other features. Unbiased: it may be a little below 0.
    """
    torch.manual_seed(randomness.torch_seed(randomness.key(seed, "subsets")))
    size = min(len(a), len(b), SUBSET)
    subsets = 1 if size == len(a) == len(b) else SUBSETS  # all of the images in another order are the same once more
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save all extracted features")
        distance = KernelInceptionDistance(features, subsets=subsets, subset_size=size)
    distance.to(a.device)
    distance.update(b, real=True)
    distance.update(a, real=False)
    return float(distance.compute()[0])


def critic_w1(outputs: Tensor, clean: Tensor, seed: int, steps: int) -> float:
    """Wasserstein-1 by a fresh critic, in units of ||y - y_hat||: the mean of h(Y) - h(Y_hat) by that of ||grad h||.

    The critic learns from every other image for `steps` batches, under the gradient penalty, and the means are those
    of the rest, so that nothing is gained by learning images by heart: 0 on average for equal laws, else the nearer
    W1 the larger the budget. The penalty alone lets slopes grow to 1 + W1 / (2 CRITIC_PENALTY), hence the division.
    """
    device = clean.device
    torch.manual_seed(randomness.torch_seed(randomness.key(seed, "fresh critic", "weights")))
    critic = Critic((clean.shape[1], clean.shape[2], clean.shape[3]), CRITIC_CHANNELS)
    critic.to(device).to(memory_format=torch.channels_last)
    draws = torch.Generator().manual_seed(randomness.torch_seed(randomness.key(seed, "fresh critic", "batches")))
    adam = Adam(list(critic.parameters()), CRITIC_LEARNING_RATE, CRITIC_BETAS)
    for _ in range(steps):
        generated, real = (
            part[torch.randint(len(part), (CRITIC_BATCH,), generator=draws).to(device)]
            for part in (outputs[0::2], clean[0::2])
        )
        position = torch.rand(CRITIC_BATCH, 1, 1, 1, generator=draws).to(device)
        penalty = gradient_penalty(critic, real, generated, position)
        adam.descend(CRITIC_PENALTY * penalty - wasserstein_1(critic, real, generated))
    real, generated = clean[1::2], outputs[1::2]
    pairs = min(len(real), len(generated))
    position = torch.rand(pairs, 1, 1, 1, generator=draws).to(device)
    with torch.no_grad():
        slope = critic.input_gradient(real[:pairs].lerp(generated[:pairs], position)).flatten(1).norm(dim=1).mean()
        return float(wasserstein_1(critic, real, generated) / slope)


def _order(n: int, seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(randomness.torch_seed(randomness.key(seed, "halves")))
    return torch.randperm(n, generator=generator)


def _rows(images: Tensor) -> NDArray[np.float32]:
    return images.flatten(1).cpu().numpy()
