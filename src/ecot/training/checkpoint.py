"""Models on disk: safetensors with a JSON header. Nothing is executed when a file is read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ecot.cells import CellSettings
from ecot.errors import EcotError
from ecot.files import atomic


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
        save_file({name: tensor.contiguous().cpu() for name, tensor in model.tensors.items()}, temporary, header)


def load(path: Path) -> Model:
    """Read a model; EcotError for a file that is missing, damaged or not of this project."""
    if not path.is_file():
        raise EcotError(f"model {path} is missing; train its cell first")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        return Model(CellSettings.model_validate(json.loads(header["settings"])), tensors)
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise EcotError(
            f"model {path} is damaged or not of this project ({reason}); delete it and train again"
        ) from None
