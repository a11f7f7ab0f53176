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

    `path` is <data set>/<fingerprint>/<name>: both stand in the file, too.

    The stamp holds no times: training again gives the same stamp, and what is measured with the classifier stays.
    """
    made_for = {"dataset_sha256": dataset_sha256, **_place(path)}
    header = {"image_shape": json.dumps(classifier.image_shape), **made_for}
    tensors.write(path, classifier.state_dict(), header)
    write_text(path.with_suffix(".json"), json.dumps({"dataset_sha256": dataset_sha256, **about}, indent=2) + "\n")


def load(path: Path, dataset_sha256: str, device: torch.device) -> Classifier:
    """The classifier in `path` on a device, in evaluation mode and without gradients.

    Raises DamagedError if it is missing, damaged, trained on other data or by other code.
    """
    way_out = f"`ecot classifier {path.parent.parent.name}` trains it anew"
    if not path.is_file():
        raise DamagedError(path, "it is missing", way_out)
    found, header = tensors.read(path, way_out)
    if header.get("dataset_sha256") != dataset_sha256:
        raise DamagedError(path, "it was trained on other data", way_out)
    for name, value in _place(path).items():
        if header.get(name) != value:
            raise DamagedError(path, f"its {name} is {header.get(name)}, not {value}", way_out)
    if not all(bool(torch.isfinite(tensor).all()) for tensor in found.values()):
        raise DamagedError(path, "its weights are not finite", way_out)
    try:
        with torch.device("meta"):  # no memory for a shape that the tensors do not have
            classifier = Classifier(tuple(json.loads(header["image_shape"])))
        classifier.load_state_dict(found, assign=True)
    except (KeyError, ValueError, TypeError, RuntimeError) as error:
        raise DamagedError(path, error, way_out) from None
    return classifier.to(device).eval().requires_grad_(False)


def _place(path: Path) -> dict[str, str]:
    """The data set and the fingerprint that the path of a classifier names."""
    return {"dataset": path.parent.parent.name, "fingerprint": path.parent.name}
