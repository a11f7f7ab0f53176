"""The classifier of a data set: trained on its clean images by a fixed schedule, one for all runs.

Its features tell outputs from clean images, and its accuracy on outputs says whether their digits can be read.
"""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ecot.coding import randomness
from ecot.data.arrays import Split
from ecot.engine.adam import Adam
from ecot.networks.classifier import Classifier

EPOCHS = 5
BATCH = 32
LEARNING_RATE = 2e-3  # Adam's
BETAS = 0.9, 0.999
MEASURED = 1000  # test images at a time: bounds memory


def fit(split: Split, device: torch.device) -> Classifier:
    """The classifier of the training images of `split`, in evaluation mode."""
    torch.manual_seed(randomness.torch_seed(randomness.key(0, "classifier", "weights")))
    classifier = Classifier(split.images.shape[1:]).to(device)
    images, labels = on_device(split, device)
    adam = Adam(list(classifier.parameters()), LEARNING_RATE, BETAS)
    orders = torch.Generator().manual_seed(randomness.torch_seed(randomness.key(0, "classifier", "order")))
    for _ in range(EPOCHS):
        order = torch.randperm(len(images), generator=orders).to(device)
        for rows in torch.split(order, BATCH):
            adam.descend(cross_entropy(classifier(_scaled(images[rows])), labels[rows]))
    return classifier.eval()


def accuracy(classifier: Classifier, images: Tensor, labels: Tensor) -> float:
    """The share of images (n, c, h, w), in [0, 1] or uint8, whose label (n,) the classifier gives."""
    with torch.no_grad():
        given = torch.cat([classifier(_scaled(part)).argmax(1) for part in torch.split(images, MEASURED)])
    return float((given == labels).double().mean())


def on_device(split: Split, device: torch.device) -> tuple[Tensor, Tensor]:
    """Images (uint8) and labels of a split as tensors on a device."""
    return torch.from_numpy(split.images).to(device), torch.from_numpy(split.labels).long().to(device)


def _scaled(images: Tensor) -> Tensor:
    return images if images.is_floating_point() else images.float() / 255
