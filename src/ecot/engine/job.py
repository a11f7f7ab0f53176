"""The job that trains one cell: from the data set to the files of the model's folder."""

import logging
import math
import shutil
import sys
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from ecot import systems
from ecot.artefacts import DamagedError
from ecot.artefacts import model as models
from ecot.artefacts import record as run_record
from ecot.artefacts.names import MODEL, RECORD
from ecot.config import Compute, Device
from ecot.data.arrays import checksum
from ecot.data.sets import DATASETS
from ecot.engine import messages
from ecot.engine.loop import Progress, Row
from ecot.engine.state import State
from ecot.engine.training import Training
from ecot.errors import EcotError
from ecot.grid import fingerprint
from ecot.grid.cell_settings import CellSettings
from ecot.machine import devices
from ecot.tasks import TASKS

log = logging.getLogger(__name__)

SMALL_FILES = 1 << 20  # bytes: more than a history, a record and the headers take


def train(
    settings: CellSettings,
    dataset: Path,
    device: Device,
    compute: Compute,
    folder: Path,
    frozen: Path | None = None,
    *,
    force: bool = False,
    logs: Path | None = None,
) -> None:
    """Train the cell that `settings` describe and write the files of its model to `folder`.

    `frozen` is the folder of the model that the cell builds on, if the mode needs one. A model that `folder` holds
    already is not trained again unless `force`; what a workflow has deleted of it is linked again. A killed training
    goes on from the state that it left. Raises EcotError, and writes no model, if the data, the device or the frozen
    model are not there or not the right ones, if the disk is full, or if a loss is not finite. The last state in
    which all was finite is then kept in `logs` (default: `folder`).
    """
    if not force and _finished(folder, settings):
        log.info("%s: the model is finished; its files are linked again and nothing is trained", folder)
        State(folder, {}, "").remove()  # a training that is killed at its very end leaves it
        return
    start = time.perf_counter()
    chosen = devices.choose(
        device,
        threads=settings.training.threads,
        precision=settings.training.precision,
        deterministic=compute.deterministic,
    )
    sha256 = checksum(dataset, settings.dataset, settings.dataset_version)
    shape, expected = DATASETS[settings.dataset].image_shape, TASKS[settings.task].image_shape
    if shape != expected:
        raise messages.other_shape(settings.task, settings.dataset, shape, expected)
    training = Training(settings, dataset, chosen, _frozen(settings, frozen, sha256))
    log.info("%s: %d images of %s", folder, len(training.feed.images), settings.dataset)
    made_by = run_record.versions() | {"dataset_sha256": sha256}
    decided_by = {
        "settings and code": fingerprint.trained(settings),
        "frozen model": str(run_record.read(frozen)["model.safetensors_sha256"]) if frozen else "",
        "threads": str(torch.get_num_threads()),
        **{name: made_by[name] for name in ("torch", "numpy", "dataset_sha256")},
    }
    state = State(folder, decided_by, devices.describe(chosen))
    if force:
        state.remove()
    progress = state.restore(training.tensors())
    _require_room(folder, training)
    before = progress.total_seconds
    follower = _Follower(training, state, 60 * compute.save_minutes, progress)
    try:
        history = training.run(progress, follower)
        _require_finite(training.model(), progress)
    except messages.NotFiniteError:  # a training that goes on from the state would be no more finite
        if kept := state.keep(logs or folder):
            log.warning("the last state in which all was finite is kept: %s", kept)
        state.remove()
        raise
    finally:
        follower.bar.close()
    steady = history[1:] or history  # the first epoch warms up
    record = {
        "seconds": round(before + time.perf_counter() - start, 1),
        "resumed": progress.resumed,
        "images_per_second": round(sum(row["images_per_second"] for row in steady) / len(steady), 1),
        "peak_memory_mb": round(devices.peak_memory_mb(chosen), 1),
        "device": devices.describe(chosen),
        "threads": torch.get_num_threads(),
        "precision": devices.precision_of(chosen, settings.training.precision),
        "deterministic": compute.deterministic,
        **made_by,
        "code": fingerprint.training_code(settings.task, settings.mode, settings.degradation.kind),
    }
    model = models.Model(settings, training.model(), fingerprint.trained(settings), training.frequencies())
    models.save(folder, model, history, record)
    state.remove()
    log.info("done in %.1f s, %.0f images/s", record["seconds"], record["images_per_second"])


def _frozen(settings: CellSettings, folder: Path | None, dataset_sha256: str) -> dict[str, Tensor] | None:
    """The tensors of the model that the cell builds on, None if it builds on none.

    Raises EcotError if the model is missing, damaged, another cell's, or trained on other data.
    """
    if settings.frozen is None:
        return None
    if folder is None:
        raise messages.needs_frozen(settings.mode)
    model = models.load(folder, settings.frozen, dataset_sha256)
    models.require(_tensors_of(settings.frozen), model, folder / MODEL)
    return model.tensors


def _finished(folder: Path, settings: CellSettings) -> bool:
    """Whether the model is there, and whole; the log says so if what is there is not it."""
    if models.restore(folder, settings):
        return True
    if (folder / RECORD).is_file():
        try:
            models.load(folder, settings)
        except DamagedError as error:
            log.warning("%s: it is trained anew now", error)
    return False


def _require_finite(tensors: dict[str, Tensor], progress: Progress) -> None:
    """NotFiniteError for weights that a last step has ruined: no loss has shown it yet."""
    if wrong := [name for name, tensor in tensors.items() if not bool(torch.isfinite(tensor).all())]:
        raise messages.NotFiniteError(progress.epoch, progress.step, {wrong[0]: math.nan})


def _require_room(folder: Path, training: Training) -> None:
    """EcotError unless the disk has room for the model and, as a state replaces another, for two states."""
    states, model = (
        sum(tensor.nbytes for tensor in tensors.values()) for tensors in (training.tensors(), training.model())
    )
    needed = 2 * states + model + SMALL_FILES
    folder.mkdir(parents=True, exist_ok=True)
    if (free := shutil.disk_usage(folder).free) < needed:
        raise messages.no_room(folder, needed, free)


def _tensors_of(settings: CellSettings) -> dict[str, Tensor]:
    """The tensors of a cell's system, which take no memory."""
    with torch.device("meta"):
        return systems.build(settings).state_dict()


class _Follower:
    """Shows a training on a terminal, or in the log elsewhere, and saves its state every so many seconds."""

    def __init__(self, training: Training, state: State, seconds: float, progress: Progress) -> None:
        self.training, self.state, self.seconds = training, state, seconds
        self.last = time.monotonic()
        schedule, size = training.trainer.settings.schedule, training.trainer.settings.training.batch_size
        self.terminal = sys.stderr.isatty()
        steps = training.feed.steps
        self.bar: Any = tqdm(
            total=schedule.epochs * steps * size,
            initial=((progress.epoch - 1) * steps + progress.step) * size,
            unit="image",
            disable=not self.terminal,
            dynamic_ncols=True,
        )

    def step_done(self, images: int) -> None:
        self.bar.update(images)

    def wants_state(self) -> bool:
        return math.isfinite(self.seconds) and time.monotonic() - self.last >= self.seconds

    def save(self, progress: Progress) -> None:
        tensors = self.training.tensors()
        _require_finite(tensors, progress)
        try:
            self.state.save(progress, tensors)
        except EcotError as error:
            log.warning("%s. The training goes on, and its state is saved again later", error)
        self.last = time.monotonic()

    def epoch_done(self, row: Row, epochs: int) -> None:
        losses = ", ".join(
            f"{name} {value:.4f}"
            for name, value in row.items()
            if name not in ("epoch", "learning_rate", "seconds", "images_per_second")
        )
        self.bar.set_description(f"epoch {row['epoch']:.0f}/{epochs}")
        self.bar.set_postfix_str(losses)
        if not self.terminal:
            log.info("epoch %d/%d: %s, %.0f images/s", row["epoch"], epochs, losses, row["images_per_second"])
