"""The classifier's file and its stamp."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from ecot.artefacts import DamagedError, tensors
from ecot.files import write_text
from ecot.networks.classifier import Classifier


def save(path: Path, classifier: Classifier, dataset_sha256: str, about: Mapping[str, Any]) -> None:
    """Write the classifier to `path` (.safetensors) and what is known about it to `path.with_suffix(".json")`.

    The stamp holds no times: training again gives the same stamp, and what is measured with the classifier stays.
    """
    header = {"image_shape": json.dumps(classifier.image_shape), "dataset_sha256": dataset_sha256}
    tensors.write(path, classifier.state_dict(), header)
    write_text(path.with_suffix(".json"), json.dumps({"dataset_sha256": dataset_sha256, **about}, indent=2) + "\n")


def load(path: Path, dataset_sha256: str, device: torch.device) -> Classifier:
    """The classifier in `path` on a device, in evaluation mode and without gradients.

    Raises DamagedError if it is missing, damaged, or trained on other data.
    """
    way_out = f"`ecot classifier {path.parent.parent.name}` trains it anew"
    if not path.is_file():
        raise DamagedError(path, "it is missing", way_out)
    found, header = tensors.read(path, way_out)
    if header.get("dataset_sha256") != dataset_sha256:
        raise DamagedError(path, "it was trained on other data", way_out)
    try:
        with torch.device("meta"):  # no memory for a shape that the tensors do not have
            classifier = Classifier(tuple(json.loads(header["image_shape"])))
        classifier.load_state_dict(found, assign=True)
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        raise DamagedError(path, error, way_out) from None
    return classifier.to(device).eval().requires_grad_(False)
