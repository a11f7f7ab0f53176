"""Leases of NVIDIA devices: each cell of a machine finds itself a free slot of one, before torch is imported.

A lease is an exclusive flock on one file a slot. The kernel frees it when the process ends, however it ends.
"""

import fcntl
import itertools
import logging
import os
import re
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ecot.config import Device
from ecot.errors import EcotError

log = logging.getLogger(__name__)

VARIABLE = "CUDA_VISIBLE_DEVICES"
# Slurm, PBS, LSF and Grid Engine set these in every job and nowhere else. Names of assigned devices (SLURM_STEP_GPUS,
# SGE_HGR_gpu, ...) are missing in some kinds of step and on some sites, and JOB_ID is anybody's name. Kubernetes is
# not here: its variables are in every pod and say nothing of devices, while a pod sees no devices but its own.
SCHEDULERS = ("SLURM_JOB_ID", "PBS_JOBID", "LSB_JOBID", "SGE_TASK_ID")
# Fixed places, not TMPDIR or XDG_RUNTIME_DIR: those differ between a login and a cron job of the same user, who would
# then not see each other's locks.
PLACES = (Path("/dev/shm"), Path("/tmp"))
# Named by what is known to be local, so that no shared file system is missed: on those flock may exclude nobody, or
# other machines, and outlive its holder.
LOCAL = {"tmpfs", "ramfs", "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "overlay"}


@contextmanager
def lease(device: Device, jobs_per_device: int) -> Iterator[None]:
    """Hold one slot of one NVIDIA device, of `jobs_per_device` each; CUDA sees that device only.

    To be entered before torch is imported. The pool is CUDA_VISIBLE_DEVICES, or all of `nvidia-smi -L`,
    whose numbers an index means; a GPU in MIG mode stands for its MIG devices. Waits while all slots are
    held. Does nothing for cpu and mps, without an NVIDIA device, and in a scheduler's job, unless that was
    given several devices, which the cells running in it then share out. Raises EcotError for a name in
    CUDA_VISIBLE_DEVICES that is no device, if device is cuda and nvidia-smi fails, and if no local folder
    can hold the locks.
    """
    visible = os.environ.get(VARIABLE)
    pool = [] if device in ("cpu", "mps") or _assigned(visible) else devices(visible, _names(device))
    if not pool:
        yield
        return
    chosen, lock = _wait(pool, jobs_per_device)
    with lock:
        # A child process must not hold the lock once its parent is dead: one that executes another program does not,
        # since Python's files are close-on-exec, and a plain fork closes it here.
        os.register_at_fork(after_in_child=lock.close)
        os.environ[VARIABLE] = chosen  # its UUID: CUDA may number devices in another order than nvidia-smi
        try:
            yield
        finally:
            os.environ.pop(VARIABLE)
            if visible is not None:
                os.environ[VARIABLE] = visible


def _assigned(visible: str | None) -> bool:
    """Whether this is a scheduler's job without a choice of devices, which is then left as it is."""
    job = next((name for name in SCHEDULERS if name in os.environ), None)
    if job is None or "," in (visible or ""):
        return False
    log.info("no device leased: %s is set, so the scheduler assigns them (%s=%s)", job, VARIABLE, visible)
    return True


def _names(device: Device) -> dict[str, list[str]]:
    """`listed` by nvidia-smi; empty, and said in the log, where there is none."""
    try:
        # Without persistence mode the driver starts anew, which takes seconds a GPU; a lost GPU can block for ever.
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


def _wait(pool: list[str], jobs_per_device: int) -> tuple[str, IO[bytes]]:
    """The device of which a slot became free, and the slot's locked file."""
    try:
        folder = _folder()
        # Named by UUID: processes that see other devices, or name them otherwise, exclude each other too. An old
        # driver's MIG names have slashes.
        slots = {
            uuid: [folder / f"{uuid.replace('/', '_')}.{slot}" for slot in range(jobs_per_device)] for uuid in pool
        }
        taken = _take(folder, slots)
        if taken is None:
            held = ", ".join(
                f"{path.name} by process {path.read_text()}" for path in itertools.chain(*slots.values())
            )
            log.info("waiting for a device (compute.jobs_per_device: %d); held: %s", jobs_per_device, held)
        while taken is None:
            time.sleep(1)
            taken = _take(folder, slots)
    except OSError as error:
        raise EcotError(f"the locks of the devices cannot be kept: {error}") from None
    log.info("leased %s (%s)", taken[0], taken[1].name)
    return taken


def _take(folder: Path, slots: dict[str, list[Path]]) -> tuple[str, IO[bytes]] | None:
    """Lock a slot of the device that has most free ones; None if there is none."""
    with (folder / "choice").open("ab") as choice:
        # One process looks at a time: those looking together would take each other's trials for leases.
        fcntl.flock(choice, fcntl.LOCK_EX)
        free = {uuid: [lock for path in paths if (lock := _lock(path))] for uuid, paths in slots.items()}
        chosen = max(free, key=lambda uuid: len(free[uuid]))
        kept = free[chosen].pop(0) if free[chosen] else None
        for lock in itertools.chain(*free.values()):
            lock.close()
        if kept is None:
            return None
        kept.truncate(0)
        kept.write(str(os.getpid()).encode())  # for the log of those who wait
        return chosen, kept


def _lock(path: Path) -> IO[bytes] | None:
    """The file at `path`, open and locked; None if another holds it. It is never removed, only unlocked."""
    file = path.open("ab", buffering=0)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _folder() -> Path:
    """This user's folder of locks, on a file system of this machine alone."""
    mounts = Path("/proc/mounts").read_text(encoding="utf-8")
    kinds = {place: file_system(mounts, place.resolve()) for place in PLACES if os.access(place, os.W_OK | os.X_OK)}
    for place, kind in kinds.items():
        if kind in LOCAL:
            return private(place.resolve() / f"ecot-{os.getuid()}")
    found = ", ".join(f"{place} is on {kind}" for place, kind in kinds.items()) or "neither can be written"
    raise EcotError(
        f"the locks of the devices need {' or '.join(map(str, PLACES))} on a local file system"
        f" ({', '.join(sorted(LOCAL))}), but {found}; mount a tmpfs on {PLACES[0]}, or write device: cpu"
    )


def file_system(mounts: str, path: Path) -> str:
    """Type of the file system that an absolute, resolved path is on, by the text of /proc/mounts."""
    kinds = {}
    for line in mounts.splitlines():
        _, point, kind, *_ = line.split(" ")
        # Blanks in it are written in octal. A later mount hides an earlier one.
        kinds[Path(re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), point))] = kind
    return next((kinds[folder] for folder in (path, *path.parents) if folder in kinds), "unknown")


def private(folder: Path) -> Path:
    """Make the folder, if need be, and refuse (EcotError) one that another user laid there or can enter."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()  # of the link itself, where it is one
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise EcotError(
            f"{folder} ({stat.filemode(found.st_mode)}, user {found.st_uid}) holds the locks of the devices and must"
            f" be a folder of user {os.getuid()} that nobody else can enter; remove it"
        )
    return folder
