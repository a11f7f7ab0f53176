"""One process at a time in a cell's folder."""

import errno
import fcntl
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ecot.files import unwritable

log = logging.getLogger(__name__)

UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}  # what file systems without locks answer


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold a cell's folder: of several processes that would write there, one does and the others wait.

    A Snakemake that is killed leaves its jobs running, and the next one starts the same jobs. The lock is
    an flock on a file beside the folder: it ends with its process, however that ends. Where the file system
    has no locks nothing is held, and the log says so. Raises EcotError if the file cannot be made.
    """
    folder = folder.absolute()
    path = folder.with_name(f".{folder.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = _take(path, folder)
    except OSError as error:
        raise unwritable(path, error) from None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        lock.close()


def _take(path: Path, folder: Path) -> IO[str]:
    """The file at `path`, open, locked and with this process's name in it."""
    while True:
        lock = path.open("a", encoding="utf-8")
        try:
            _wait(lock, path, folder)
        except OSError as error:
            if error.errno not in UNSUPPORTED:
                raise
            log.warning("%s is not locked (%s): no second process may write there", folder, error.strerror)
        if _is_at(lock, path):
            break
        lock.close()  # its holder has removed it, and the next one may hold another
    lock.truncate(0)
    lock.write(f"{os.getpid()} on {socket.gethostname()}")
    lock.flush()
    return lock


def _wait(lock: IO[str], path: Path, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.warning(
            "%s is being written by process %s; this one waits for its end. If a killed run left it behind, it may be"
            " killed too: a training goes on from its state",
            folder,
            path.read_text(encoding="utf-8") if path.is_file() else "unknown",
        )
        fcntl.flock(lock, fcntl.LOCK_EX)


def _is_at(lock: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(lock.fileno()), path.stat())
    except FileNotFoundError:
        return False
