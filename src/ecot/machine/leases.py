"""Leases of NVIDIA devices: each cell of a machine finds itself a free slot of one, before torch is imported.

A lease is a lock on a file, one file for each slot of a device. It ends with its process.
"""

import itertools
import logging
import os
import platform
import re
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock

from ecot.config import Device
from ecot.errors import EcotError
from ecot.machine.locks import file_lock, holder, take

log = logging.getLogger(__name__)

VARIABLE = "CUDA_VISIBLE_DEVICES"
# Slurm, PBS, LSF and Grid Engine set these in every job and nowhere else. Names of assigned devices (SLURM_STEP_GPUS,
# SGE_HGR_gpu, ...) are missing in some kinds of step and on some sites, and JOB_ID is anybody's name. Kubernetes is
# not here: its variables are in every pod and say nothing of devices, while a pod sees no devices but its own.
SCHEDULERS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "SGE_TASK_ID")
# Fixed places on this machine, not TMPDIR or XDG_RUNTIME_DIR: those differ between a login and a cron job of the same
# user, who would then not see each other's locks.
PLACES = (Path("/dev/shm"), Path("/tmp"))


@contextmanager
def lease(device: Device, jobs_per_device: int) -> Iterator[None]:
    """Hold one slot of one NVIDIA device, of `jobs_per_device` each; CUDA sees that device only.

    Enter it before torch is imported. The devices are those of CUDA_VISIBLE_DEVICES, or all of `nvidia-smi -L`; a
    GPU in MIG mode stands for its MIG devices. Waits while all slots are held. Does nothing for cpu and mps, without
    an NVIDIA device, and in a scheduler's job, unless the job has several devices: the cells running in it share
    those out. Raises EcotError for a name in CUDA_VISIBLE_DEVICES that is no device, if `device` is cuda and
    nvidia-smi fails, and if the locks cannot be kept.
    """
    visible = os.environ.get(VARIABLE)
    pool = [] if device in ("cpu", "mps") or _assigned(visible) else devices(visible, _names(device))
    if not pool:
        yield
        return
    chosen, slot = _wait(pool, jobs_per_device)
    os.environ[VARIABLE] = chosen  # its UUID: CUDA may number devices in another order than nvidia-smi
    try:
        yield
    finally:
        slot.release()
        os.environ.pop(VARIABLE)
        if visible is not None:
            os.environ[VARIABLE] = visible


def accelerators() -> list[str]:
    """The accelerators that `device: auto` finds on this machine, by name: UUIDs of NVIDIA devices, or mps."""
    found = devices(os.environ.get(VARIABLE), _names("auto"))
    apple = platform.system() == "Darwin" and platform.machine() == "arm64"
    return found or (["mps"] if apple else [])


def _assigned(visible: str | None) -> bool:
    """Whether this is a scheduler's job without a choice of devices, which is then left as it is."""
    job = next((name for name in SCHEDULERS if name in os.environ), None)
    if job is None or "," in (visible or ""):
        return False
    log.info("no device leased: %s is set, so the scheduler assigns them (%s=%s)", job, VARIABLE, visible)
    return True


def _names(device: Device) -> dict[str, list[str]]:
    """What `listed` finds in the answer of nvidia-smi; empty, and said in the log, where there is none."""
    try:
        # Without persistence mode the driver starts anew, which takes seconds per GPU; a lost GPU can block for ever.
        done = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=120, check=False)
        names, answer = listed(done.stdout), (done.stderr + done.stdout).strip() or f"exit status {done.returncode}"
    except FileNotFoundError:
        log.info("no device leased: there is no nvidia-smi")
        return {}
    except (OSError, subprocess.TimeoutExpired) as error:
        names, answer = {}, str(error)
    if not names:
        if device == "cuda":
            raise EcotError(f"device: cuda: nvidia-smi -L names no device ({answer}); write auto or cpu")
        log.info("no device leased: nvidia-smi -L names none (%s)", answer)
    return names


def listed(text: str) -> dict[str, list[str]]:
    """Each name of a device in the output of `nvidia-smi -L`, index or UUID, with the UUIDs that can compute."""
    names: dict[str, list[str]] = {}
    usable: list[str] = []
    for line in text.splitlines():
        if gpu := re.match(r"GPU (\d+): .*\(UUID: (GPU-\S+)\)", line):
            usable = names[gpu[1]] = names[gpu[2]] = [gpu[2]]  # one list for both names
        elif mig := re.match(r"\s+MIG .*\(UUID: (MIG-\S+)\)", line):
            usable[:] = [name for name in usable if name.startswith("MIG-")] + [mig[1]]
            names[mig[1]] = [mig[1]]
    return names


def devices(visible: str | None, names: dict[str, list[str]]) -> list[str]:
    """The UUIDs that CUDA_VISIBLE_DEVICES allows, in its order, or all if it is not set (None).

    CUDA would drop what it does not know without a word; here it is an EcotError. -1 ends the list, as in CUDA.
    """
    if not names:
        return []
    entries = [name for name in names if name.isdigit()]
    if visible is not None:
        entries = [entry.strip() for entry in visible.split(",")] if visible.strip() else []
    pool: dict[str, None] = {}
    for entry in itertools.takewhile(lambda entry: entry != "-1", entries):
        found = [name for name in names if entry.startswith(("GPU-", "MIG-")) and name.startswith(entry)]
        found = [entry] if entry in names else found
        if len(found) != 1:
            fault = f"names {' and '.join(found)}; write more of it" if found else "is no device here"
            raise EcotError(f"{VARIABLE}={visible}: {entry!r} {fault}; there are {', '.join(names)}")
        pool |= dict.fromkeys(names[found[0]])
    return list(pool)


def _wait(pool: list[str], jobs_per_device: int) -> tuple[str, BaseFileLock]:
    """The device of which a slot became free, and the lock on the slot."""
    try:
        folder = _folder()
        # Named by UUID: processes that see other devices, or name them otherwise, exclude each other too. An old
        # driver's MIG names have slashes.
        files = {uuid: [f"{uuid.replace('/', '_')}.{slot}" for slot in range(jobs_per_device)] for uuid in pool}
        slots = {uuid: [file_lock(folder / name) for name in names] for uuid, names in files.items()}
        taken = _take(folder, slots)
        if taken is None:
            held = ", ".join(f"{name} by {holder(folder / name)}" for names in files.values() for name in names)
            log.info("waiting for a device (compute.jobs_per_device: %d); held: %s", jobs_per_device, held)
        while taken is None:
            time.sleep(1)
            taken = _take(folder, slots)
    except OSError as error:
        raise EcotError(f"the locks of the devices cannot be kept: {error}") from None
    log.info("leased %s (%s)", taken[0], taken[1].lock_file)
    return taken


def _take(folder: Path, slots: dict[str, list[BaseFileLock]]) -> tuple[str, BaseFileLock] | None:
    """Lock a slot of the device that has most free ones; None if there is none."""
    # One process looks at a time: those looking together would take each other's trials for leases.
    with file_lock(folder / "choice"):
        free = {uuid: [lock for lock in locks if take(lock)] for uuid, locks in slots.items()}
        chosen = max(free, key=lambda uuid: len(free[uuid]))
        kept = free[chosen].pop(0) if free[chosen] else None
        for lock in itertools.chain(*free.values()):
            lock.release()
    return (chosen, kept) if kept else None


def _folder() -> Path:
    """This user's folder of locks; EcotError if it is another user's, or others can enter it."""
    place = next((place for place in PLACES if os.access(place, os.W_OK | os.X_OK)), PLACES[-1])
    folder = place.resolve() / f"ecot-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()  # of the link itself, where it is one
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise EcotError(
            f"{folder} ({stat.filemode(found.st_mode)}, user {found.st_uid}) holds the locks of the devices and must"
            f" be a folder of user {os.getuid()} that nobody else can enter; remove it"
        )
    return folder
