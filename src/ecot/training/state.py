"""The state of a training under way: kept beside its outputs, so that a killed one goes on where it was.

One safetensors file, `state.safetensors`, which is no output: a workflow that deletes half-made outputs
leaves it alone. Its JSON header has the progress and the fingerprint of all that decides the model.
"""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from ecot.errors import EcotError
from ecot.files import atomic, leftovers
from ecot.training.loop import Progress

log = logging.getLogger(__name__)


class State:
    """The state in a cell's folder, valid for one `fingerprint`: what decides the model, by name."""

    def __init__(self, folder: Path, fingerprint: Mapping[str, str]) -> None:
        self.path = folder / "state.safetensors"
        self.fingerprint = dict(fingerprint)

    def save(self, progress: Progress, tensors: Mapping[str, Tensor]) -> None:
        """Write the state as a whole, in place of an earlier one."""
        held = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
        header = {"fingerprint": json.dumps(self.fingerprint), "progress": json.dumps(asdict(progress))}
        with atomic(self.path) as temporary:
            temporary.write_bytes(serialise(held, header | {"sha256": _digest(header, held)}))

    def restore(self, tensors: Mapping[str, Tensor]) -> Progress:
        """Copy the saved values into `tensors` and return the progress; without a state: the start, nothing copied.

        A state that is damaged or of other settings is renamed, with a message, and not used.
        """
        if not self.path.is_file():
            return Progress()
        try:
            progress, saved = self._read()
            if {name: t.shape for name, t in saved.items()} != {name: t.shape for name, t in tensors.items()}:
                raise EcotError("its tensors are not this training's")
        except EcotError as error:
            aside = self.path.with_suffix(".set-aside")
            self.path.replace(aside)
            log.warning("state %s is not used: %s; it is now %s, training starts anew", self.path, error, aside.name)
            return Progress()
        for name, tensor in tensors.items():
            tensor.copy_(saved[name])
        progress.resumed += 1
        log.info("resumed at epoch %d, step %d, from %s", progress.epoch, progress.step, self.path)
        return progress

    def remove(self) -> None:
        """Once the training is done; with what was half-written when it was killed."""
        for path in (self.path, *leftovers(self.path)):
            path.unlink(missing_ok=True)

    def _read(self) -> tuple[Progress, dict[str, Tensor]]:
        try:
            with safe_open(self.path, framework="pt") as file:
                header = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
            digest = header.pop("sha256")
            fingerprint = json.loads(header["fingerprint"])
            progress = Progress(**json.loads(header["progress"]))
        except (SafetensorError, OSError, KeyError, ValueError, TypeError, RecursionError) as error:
            raise EcotError(f"it is damaged ({' '.join(str(error).split())})") from None
        if _digest(header, tensors) != digest:
            raise EcotError("it is damaged (its content does not match its SHA-256)")
        differing = [name for name, value in self.fingerprint.items() if fingerprint.get(name) != value]
        if differing:
            raise EcotError(f"it is of another training ({', '.join(differing)} differ)")
        return progress, tensors


def _digest(header: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of the header's texts and of the tensors, by name, in hex."""
    digest = hashlib.sha256(json.dumps(header, sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].numpy().tobytes())
    return digest.hexdigest()
