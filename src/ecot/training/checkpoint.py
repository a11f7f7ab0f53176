"""Models on disk: safetensors with a JSON header. Nothing is executed when a file is read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from ecot.cells import CellSettings
from ecot.errors import EcotError
from ecot.files import atomic, read_text, sha256
from ecot.training import systems


@dataclass(frozen=True)
class Model:
    """A trained system's tensors and what made them."""

    settings: CellSettings
    tensors: dict[str, Tensor]


def save(path: Path, model: Model, provenance: Mapping[str, str]) -> None:
    """Write a model as a whole; its header has the settings, task and rate, and what `provenance` adds."""
    settings = model.settings
    header = {
        **provenance,
        "task": settings.task,
        "rate_bits": str(settings.rate_bits),
        "settings": settings.model_dump_json(),
    }
    with atomic(path) as temporary:
        tensors = {name: tensor.contiguous().cpu() for name, tensor in model.tensors.items()}
        temporary.write_bytes(serialise(tensors, header))


def trained(folder: Path) -> Model:
    """The model in a cell's folder, as its training left it; EcotError if it is not, or is missing or damaged."""
    path = folder / "model.safetensors"
    model = load(path)
    try:
        recorded = json.loads(read_text(folder / "run.json"))["model_sha256"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise EcotError(f"model {path} has no checksum in its run.json; {_ANEW}") from None
    if sha256(path) != recorded:
        raise EcotError(f"model {path} has changed since its training (wrong SHA-256); {_ANEW}")
    return model


def load(path: Path) -> Model:
    """Read a model; EcotError for a file that is missing, damaged or not of this project.

    Its tensors have the names, shapes and types of its settings' networks, which take no memory for that.
    """
    if not path.is_file():
        raise EcotError(f"model {path} is missing; train its cell first")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        settings = CellSettings.model_validate_json(header["settings"])
        with torch.device("meta"):
            expected = systems.build(settings).state_dict()
        if _kinds(tensors) != _kinds(expected):
            raise ValueError("its tensors are not those of its settings")
    except (SafetensorError, OSError, KeyError, ValueError, RuntimeError, ArithmeticError) as error:
        reason = " ".join(str(error).split())
        raise EcotError(f"model {path} is damaged or not of this project ({reason}); {_ANEW}") from None
    return Model(settings, tensors)


_ANEW = "delete it and run the same command again, which trains its cell anew"


def _kinds(tensors: Mapping[str, Tensor]) -> dict[str, tuple[torch.Size, torch.dtype]]:
    return {name: (tensor.shape, tensor.dtype) for name, tensor in tensors.items()}
