"""The state of a training under way: kept in its folder, so that a killed training goes on where it was.

It is one file, `state.safetensors`, which no rule of a workflow declares: a workflow that deletes half-made outputs
leaves it alone.
"""

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from torch import Tensor

from ecot.artefacts import DamagedError
from ecot.artefacts import tensors as tensor_file
from ecot.engine.loop import Progress
from ecot.files import leftovers, unwritable

log = logging.getLogger(__name__)


class State:
    """The state in a cell's folder.

    `decided_by` holds, by name, everything that decides the model: a training goes on only from a state of the same.
    `machine` says where it runs; a state from another machine is used, and the log says so.
    """

    def __init__(self, folder: Path, decided_by: Mapping[str, str], machine: str) -> None:
        self.path = folder / "state.safetensors"
        self.decided_by = dict(decided_by)
        self.machine = machine

    def save(self, progress: Progress, tensors: Mapping[str, Tensor]) -> None:
        """Write the state as a whole, in place of an earlier one."""
        header = {"decided_by": self.decided_by, "progress": asdict(progress), "machine": self.machine}
        tensor_file.write(self.path, tensors, {name: json.dumps(value) for name, value in header.items()})

    def restore(self, tensors: Mapping[str, Tensor]) -> Progress:
        """Copy the saved values into `tensors` and return the progress; without a state: the start, nothing copied.

        A state that is damaged or of another training is renamed, with a message, and not used.
        """
        if not self.path.is_file():
            return Progress()
        try:
            progress, saved, machine = self._read(tensors)
        except DamagedError as error:
            aside = self.path.with_suffix(".set-aside")
            self.path.replace(aside)
            log.warning("%s. It is now called %s, and the training starts anew", error, aside.name)
            return Progress()
        for name, tensor in tensors.items():
            tensor.copy_(saved[name])
        progress.resumed += 1
        log.info("resumed at epoch %d, step %d, from %s", progress.epoch, progress.step, self.path)
        if machine != self.machine:
            log.warning(
                "this state comes from %s and goes on on %s: the model will differ in its last digits from one that"
                " was trained on one of them alone",
                machine,
                self.machine,
            )
        return progress

    def keep(self, folder: Path) -> Path | None:
        """Move the state of a training that cannot go on to `folder`; where it is then, None if there is none."""
        if not self.path.is_file():
            return None
        target = folder / "last_finite.safetensors"
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(self.path, target)
        except OSError as error:
            raise unwritable(target, error) from None
        return target

    def remove(self) -> None:
        """Delete the state once the training is done, with what a killed writer has left of it."""
        for path in (self.path, *leftovers(self.path)):
            path.unlink(missing_ok=True)

    def _read(self, tensors: Mapping[str, Tensor]) -> tuple[Progress, dict[str, Tensor], str]:
        way_out = "it is not used"
        saved, header = tensor_file.read(self.path, way_out)
        try:
            decided_by, machine = dict(json.loads(header["decided_by"])), str(json.loads(header["machine"]))
            progress = Progress(**json.loads(header["progress"]))
        except (KeyError, ValueError, TypeError, RecursionError) as error:
            raise DamagedError(self.path, error, way_out) from None
        differing = [name for name, value in self.decided_by.items() if decided_by.get(name) != value]
        if differing:
            raise DamagedError(self.path, f"it is of another training: {', '.join(differing)} differ", way_out)
        if {name: t.shape for name, t in saved.items()} != {name: t.shape for name, t in tensors.items()}:
            raise DamagedError(self.path, "its tensors are not those of this training", way_out)
        return progress, saved, machine
