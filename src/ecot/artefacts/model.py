"""A cell's model and what belongs to it: the files of its folder in the store.

    model.safetensors   the system's tensors; the header has the settings that decided them and their fingerprint
    config.yaml         the same settings for a person
    history.csv         the losses, one row per epoch
    run.json            the run record: versions, device, processor, commit, times, checksums

The files are also kept in `.kept/`, under hard links that no rule of a workflow declares. What a workflow deletes
before it starts a job is linked again from there.
"""

import json
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from pydantic import ValidationError
from torch import Tensor

from ecot.artefacts import DamagedError, tensors
from ecot.artefacts.names import HISTORY, MODEL, MODEL_FILES, RECORD, SETTINGS
from ecot.errors import EcotError
from ecot.files import atomic, read_text, sha256, write_text
from ecot.grid import fingerprint
from ecot.grid.cell_settings import CellSettings

KEPT = ".kept"


@dataclass(frozen=True)
class Model:
    """A trained system's tensors, the settings that decided them, and the fingerprint of the model."""

    settings: CellSettings
    tensors: dict[str, Tensor]
    fingerprint: str


def save(folder: Path, model: Model, history: list[dict[str, float]], record: Mapping[str, Any]) -> None:
    """Write the files of a model's folder, the run record last, and keep them."""
    header = {
        "settings": model.settings.model_dump_json(),
        "fingerprint": model.fingerprint,
        **{name: str(record[name]) for name in ("ecot", "torch", "dataset_sha256")},
    }
    tensors.write(folder / MODEL, model.tensors, header)
    write_text(folder / SETTINGS, yaml.safe_dump(model.settings.model_dump(), sort_keys=False))
    with atomic(folder / HISTORY) as temporary:
        pd.DataFrame(history).to_csv(temporary, index=False)
    checksums = {f"{name}_sha256": sha256(folder / name) for name in MODEL_FILES[:-1]}
    write_text(folder / RECORD, json.dumps({**record, **checksums}, indent=2) + "\n")
    for name in MODEL_FILES:
        _link(folder / name, folder / KEPT / name)


def restore(folder: Path, settings: CellSettings) -> bool:
    """Link the files that were kept in `folder` to their names, if they are a finished model of these settings.

    Returns whether they are. Files that are damaged or another model's are left where they are.
    """
    kept = folder / KEPT
    try:
        load(kept, settings)
    except EcotError:
        return False
    for name in MODEL_FILES:
        _link(kept / name, folder / name)
    return True


def load(folder: Path, settings: CellSettings) -> Model:
    """The finished model of these settings in `folder`, as its training left it.

    Raises DamagedError if a file is missing, has changed since its training, or is another model's.
    """
    expected = fingerprint.trained(settings)
    record = read_record(folder)
    for name in MODEL_FILES[:-1]:
        path = folder / name
        if not path.is_file():
            raise DamagedError(path, "it is missing", _ANEW)
        if sha256(path) != record.get(f"{name}_sha256"):
            raise DamagedError(path, "it has changed since its training", _ANEW)
    model = read(folder)
    if model.fingerprint != expected or model.settings != settings:
        found = model.settings
        differing = [
            f"{name} is {getattr(found, name)!r}, not {getattr(settings, name)!r}"
            for name in CellSettings.model_fields
            if getattr(found, name) != getattr(settings, name)
        ]
        reason = "; ".join(differing) or f"its fingerprint is {model.fingerprint}, not {expected}: other code made it"
        raise DamagedError(folder / MODEL, f"it is another model's: {reason}", _ANEW)
    return model


def read(folder: Path) -> Model:
    """The model in `folder`, whatever its settings are. Raises DamagedError if it is missing or damaged."""
    path = folder / MODEL
    if not path.is_file():
        raise DamagedError(path, "it is missing", _ANEW)
    found, header = tensors.read(path, _ANEW)
    try:
        return Model(CellSettings.model_validate_json(header["settings"]), found, header["fingerprint"])
    except (KeyError, ValidationError) as error:
        raise DamagedError(path, f"its header states no settings: {error}", _ANEW) from None


def read_record(folder: Path) -> dict[str, Any]:
    """The run record in a model's folder. Raises DamagedError if it is missing or damaged."""
    path = folder / RECORD
    try:
        record = json.loads(read_text(path))
        if not isinstance(record, dict):
            raise ValueError("it is no mapping")
    except (OSError, ValueError, RecursionError) as error:
        raise DamagedError(path, error, _ANEW) from None
    return record


def require(system_tensors: Mapping[str, Tensor], model: Model, path: Path) -> None:
    """Raise DamagedError unless the model has the tensors of its system, by name, shape and type, all finite."""

    def kinds(found: Mapping[str, Tensor]) -> dict[str, tuple[Any, Any]]:
        return {name: (tensor.shape, tensor.dtype) for name, tensor in found.items()}

    if kinds(system_tensors) != kinds(model.tensors):
        raise DamagedError(path, "its tensors are not those of its settings", _ANEW)
    wrong = [name for name, tensor in model.tensors.items() if not tensor.isfinite().all()]
    if wrong:
        raise DamagedError(path, f"{wrong[0]} holds numbers that are not finite", _ANEW)


_ANEW = "`ecot train CELL --force` trains the cell anew"


def _link(source: Path, target: Path) -> None:
    """Give `target` the content of `source`: a hard link, or a copy where the file system has none."""
    target.parent.mkdir(parents=True, exist_ok=True)
    link: Callable[[Path, Path], object] = os.link
    with atomic(target) as temporary:
        temporary.unlink()
        try:
            link(source, temporary)
        except OSError:
            shutil.copyfile(source, temporary)
