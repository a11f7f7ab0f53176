"""Training the classifier of a data set: its clean training images, a fixed schedule, one model for all runs."""

import json
import logging
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import cross_entropy

from ecot.coding import randomness
from ecot.config import Device
from ecot.data.datasets import load as load_images
from ecot.data.readers import Split
from ecot.errors import EcotError
from ecot.files import atomic, sha256, write_text
from ecot.nn.classifier import Classifier
from ecot.training import devices
from ecot.training.adam import Adam

log = logging.getLogger(__name__)

EPOCHS = 5
BATCH = 32
LEARNING_RATE = 2e-3  # Adam's
BETAS = 0.9, 0.999
MEASURED = 1000  # test images at a time: bounds memory


def train(dataset: Path, device: Device, out: Path) -> None:
    """Train on all training images of a prepared data set; write the model `out` (.safetensors) and its stamp.

    The stamp, `out.with_suffix(".json")`, holds the accuracy on the test set and the checksums of data and model,
    and no times: training again gives the same stamp, and what is measured with the model stays as it is. Raises
    EcotError if the data or the device are not there.
    """
    chosen = devices.choose(device)
    split = load_images(dataset, "train")
    torch.manual_seed(randomness.torch_seed(randomness.key(0, "classifier", "weights")))
    classifier = Classifier(split.images.shape[1:]).to(chosen)
    _fit(classifier, *_on_device(split, chosen))
    classifier.eval()
    test = load_images(dataset, "test")
    right = accuracy(classifier, *_on_device(test, chosen))
    header = {"image_shape": json.dumps(split.images.shape[1:])}
    with atomic(out) as temporary:
        save_file({name: t.contiguous().cpu() for name, t in classifier.state_dict().items()}, temporary, header)
    stamp = {
        "dataset_sha256": sha256(dataset),
        "n_train": len(split.images),
        "n_test": len(test.images),
        "accuracy": right,
        "model_sha256": sha256(out),
    }
    write_text(out.with_suffix(".json"), json.dumps(stamp, indent=2) + "\n")
    log.info("%s: accuracy %.4f on %d test images", out, right, len(test.images))


def load(path: Path, device: torch.device) -> Classifier:
    """A trained classifier on a device, in evaluation mode; EcotError if it is missing, damaged or something else."""
    if not path.is_file():
        raise EcotError(f"classifier {path} is missing: run the pipeline, or `ecot classifier --out {path} DATASET`")
    try:
        with safe_open(path, framework="pt") as file:
            with torch.device("meta"):  # no memory for a shape that the tensors do not have
                classifier = Classifier(tuple(json.loads((file.metadata() or {})["image_shape"])))
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            classifier.load_state_dict(tensors, assign=True)
    except (SafetensorError, OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise EcotError(
            f"classifier {path} is damaged or something else ({reason}); delete it and train again"
        ) from None
    return classifier.to(device).eval().requires_grad_(False)


def accuracy(classifier: Classifier, images: Tensor, labels: Tensor) -> float:
    """The share of images (n, c, h, w), in [0, 1] or uint8, whose label (n,) the classifier finds."""
    with torch.no_grad():
        found = torch.cat([classifier(_scaled(part)).argmax(1) for part in torch.split(images, MEASURED)])
    return float((found == labels).double().mean())


def _fit(classifier: Classifier, images: Tensor, labels: Tensor) -> None:
    adam = Adam(list(classifier.parameters()), LEARNING_RATE, BETAS)
    orders = torch.Generator().manual_seed(randomness.torch_seed(randomness.key(0, "classifier", "order")))
    for epoch in range(1, EPOCHS + 1):
        order = torch.randperm(len(images), generator=orders).to(images.device)
        for rows in torch.split(order, BATCH):
            loss = cross_entropy(classifier(_scaled(images[rows])), labels[rows])
            adam.descend(loss)
        log.info("epoch %d/%d: last loss %.4f", epoch, EPOCHS, loss.item())


def _on_device(split: Split, device: torch.device) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(split.images).to(device), torch.from_numpy(split.labels).long().to(device)


def _scaled(images: Tensor) -> Tensor:
    return images if images.is_floating_point() else images.float() / 255
