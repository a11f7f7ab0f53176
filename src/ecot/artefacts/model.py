"""A cell's model and what belongs to it: the files of its folder in the store.

    model.safetensors   the system's tensors and the frequencies of its indices, by which they are entropy-coded; the
                        header has the settings that decided them and their fingerprint
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

import numpy as np
import torch
import yaml
from numpy.typing import NDArray
from pydantic import ValidationError
from torch import Tensor

from ecot import sealed
from ecot.artefacts import DamagedError, tensors
from ecot.artefacts import record as run_record
from ecot.artefacts.names import HISTORY, MODEL, MODEL_FILES, RECORD, SETTINGS
from ecot.errors import EcotError
from ecot.files import atomic, sha256, write_csv, write_text
from ecot.grid import fingerprint
from ecot.grid.cell_settings import CellSettings

KEPT = ".kept"
FREQUENCIES = "entropy.frequencies"  # among the tensors of the file


@dataclass(frozen=True)
class Model:
    """A trained system's tensors, the settings that decided them, and the fingerprint of the model.

    A system that is a code has the frequencies of its indices, int32 (d, contexts, L); see `ecot.coding.entropy`.
    """

    settings: CellSettings
    tensors: dict[str, Tensor]
    fingerprint: str
    frequencies: NDArray[np.int32] | None = None


def save(folder: Path, model: Model, history: list[dict[str, float]], record: Mapping[str, Any]) -> None:
    """Write the files of a model's folder, the run record last, and keep them."""
    header = {
        "settings": model.settings.model_dump_json(),
        "fingerprint": model.fingerprint,
        **{name: str(record[name]) for name in ("ecot", "torch", "dataset_sha256")},
    }
    held = dict(model.tensors)
    if model.frequencies is not None:
        held[FREQUENCIES] = torch.from_numpy(model.frequencies)
    tensors.write(folder / MODEL, held, header)
    write_text(folder / SETTINGS, yaml.safe_dump(model.settings.model_dump(), sort_keys=False))
    write_csv(folder / HISTORY, history)
    checksums = {f"{name}_sha256": sha256(folder / name) for name in MODEL_FILES[:-1]}
    content = {**record, **checksums}
    write_text(folder / RECORD, json.dumps({**content, sealed.CHECKSUM: sealed.digest(content)}, indent=2) + "\n")
    for name in MODEL_FILES:
        _link(folder / name, folder / KEPT / name)


def restore(folder: Path, settings: CellSettings) -> bool:
    """Make the finished model of these settings in `folder` whole again: its files, and those that were kept of them.

    Returns whether there is one. Files that are damaged or another model's are otherwise left as they are.
    """
    for source, target in ((folder / KEPT, folder), (folder, folder / KEPT)):
        try:
            load(source, settings)
        except EcotError:
            continue
        for name in MODEL_FILES:
            _link(source / name, target / name)
        return True
    return False


def load(folder: Path, settings: CellSettings, dataset_sha256: str | None = None) -> Model:
    """The finished model of these settings in `folder`, as its training left it.

    Raises DamagedError if a file is missing, has changed since its training, or is another model's: one of other
    settings, of other code, or, where the checksum of the data is given, of other data.
    """
    expected, anew = fingerprint.trained(settings), run_record.way_out(settings)
    record = run_record.read(folder, anew)
    for name in MODEL_FILES[:-1]:
        path = folder / name
        if not path.is_file():
            raise DamagedError(path, "it is missing", anew)
        if sha256(path) != record.get(f"{name}_sha256"):
            raise DamagedError(path, "it has changed since its training", anew)
    model = read(folder, anew)
    if model.fingerprint != expected or model.settings != settings:
        found = model.settings
        differing = [
            f"{name} is {getattr(found, name)!r}, not {getattr(settings, name)!r}"
            for name in CellSettings.model_fields
            if getattr(found, name) != getattr(settings, name)
        ]
        reason = "; ".join(differing) or f"its fingerprint is {model.fingerprint}, not {expected}: other code made it"
        raise DamagedError(folder / MODEL, f"it is another model's: {reason}", anew)
    if dataset_sha256 is not None and (found_data := record.get("dataset_sha256")) != dataset_sha256:
        changed = "the prepared data set has changed since"
        reason = f"it was trained on data of SHA-256 {found_data}, not {dataset_sha256}: {changed}"
        raise DamagedError(folder / MODEL, reason, anew)
    if not all(bool(torch.isfinite(tensor).all()) for tensor in model.tensors.values()):
        raise DamagedError(folder / MODEL, "its weights are not finite", anew)
    return model


def read(folder: Path, anew: str = run_record.ANEW) -> Model:
    """The model in `folder`, whatever its settings are. Raises DamagedError if it is missing or damaged."""
    path = folder / MODEL
    if not path.is_file():
        raise DamagedError(path, "it is missing", anew)
    found, header = tensors.read(path, anew)
    frequencies = found.pop(FREQUENCIES, None)
    try:
        settings = CellSettings.model_validate_json(json.dumps(_complete(json.loads(header["settings"]))))
        counts = None if frequencies is None else frequencies.numpy()
        return Model(settings, found, header["fingerprint"], counts)
    except (KeyError, ValueError, RecursionError, ValidationError) as error:
        raise DamagedError(path, f"its header states no settings: {error}", anew) from None


def _complete(values: Any) -> Any:
    """The settings in a header, with null for those that came after the model was trained: it was trained without.

    So a model that is carried along stays usable. `load` does not take it for one of today's settings: it compares
    fingerprints.
    """
    if not isinstance(values, dict):
        return values
    absent: dict[str, Any] = dict.fromkeys(CellSettings.model_fields)
    return {**absent, **values, "frozen": _complete(values.get("frozen"))}


def require(system_tensors: Mapping[str, Tensor], model: Model, path: Path) -> None:
    """Raise DamagedError unless the model has the tensors of its system: their names, shapes and types."""

    def kinds(found: Mapping[str, Tensor]) -> dict[str, tuple[Any, Any]]:
        return {name: (tensor.shape, tensor.dtype) for name, tensor in found.items()}

    if kinds(system_tensors) != kinds(model.tensors):
        raise DamagedError(path, "its tensors are not those of its settings", run_record.way_out(model.settings))


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
