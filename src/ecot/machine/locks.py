"""Locks between processes: one process at a time writes a cell's folder.

A lock is an flock on a file, so the kernel ends it when its process ends, however it ends.
"""

import errno
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from ecot.files import unwritable

log = logging.getLogger(__name__)

POLL = 1.0  # seconds between two looks at a lock that another process holds
UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}  # what file systems without locks answer


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a cell's folder: of several processes that would write there, one does and the others wait.

    This is needed because a Snakemake that is killed leaves its jobs running, and the next one starts the same jobs.
    The lock is on a file beside the folder, which is removed at the end. Where the file system has no locks nothing
    is held, and the log says so. Raises EcotError if the file cannot be made.
    """
    folder = folder.absolute()
    path = lock_path(folder)
    lock = file_lock(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not take(lock):
            log.warning(
                "%s writes %s, and this process waits until that one ends (if a killed run left it behind, you can"
                " kill it: a training goes on from its saved state)",
                holder(path),
                folder,
            )
            take(lock, wait=True)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise unwritable(path, error) from None
        log.warning(
            "%s is not locked, because its file system has no locks (%s): start no second process that writes there",
            folder,
            error.strerror,
        )
    try:
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is held: a process that waits then makes a new file
        lock.release()


def lock_path(folder: Path) -> Path:
    """The lock on a cell's folder: a file beside it, there while a process writes the folder."""
    return folder.with_name(f".{folder.name}.lock")


def file_lock(path: Path) -> BaseFileLock:
    """The lock on a file, not yet taken. Its users fail, rather than lock by a file's existence, without flock."""
    return FileLock(path, fallback_to_soft=False)


def take(lock: BaseFileLock, *, wait: bool = False) -> bool:
    """Take a lock and write this process's name into its file; whether it was free, if not told to `wait`.

    Raises OSError if the file cannot be made or the file system has no locks.
    """
    try:
        lock.acquire(blocking=wait, poll_interval=POLL)
    except Timeout:
        return False
    Path(lock.lock_file).write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
    return True


def holder(path: Path) -> str:
    """The name of the process that holds the lock on a file, for a message."""
    try:
        return path.read_text(encoding="utf-8") or "another process"
    except OSError:
        return "another process"  # it has just removed the file
