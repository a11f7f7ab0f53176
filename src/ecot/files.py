"""Writing whole files or nothing, reading small ones, and naming file contents."""

import csv
import hashlib
import io
import os
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from ecot.errors import EcotError

TEXT_LIMIT = 1 << 20  # bytes: what is read as text here is a configuration, a stamp or a row of numbers


@contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary name beside `path`; on success it is renamed to `path`, on failure removed.

    The temporary name keeps the suffix, since writers choose their format by it. The folder is made
    if missing. Raises EcotError if the file system refuses: a full disk, a read-only folder.
    """
    path = Path(path)
    try:
        with _temporary(path) as temporary:
            yield temporary
    except OSError as error:
        raise unwritable(path, error) from None


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}.", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes private files; results are as readable as any other file of the user.
        umask = os.umask(0)
        os.umask(umask)
        with suppress(OSError):  # a file system without rights (CIFS, FUSE) refuses
            temporary.chmod(0o666 & ~umask)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def unwritable(path: Path, error: OSError) -> EcotError:
    """What to say when the file system refuses to write `path`."""
    return EcotError(
        f"{path} cannot be written ({error.strerror or error}); what was there is as it was: see to the space and the"
        " rights of its folder, then run the same command again"
    )


def expanded(text: str) -> Path:
    """The path that a setting means: `~`, `~user` and `$NAME` stand for what they stand for in a shell.

    Raises ValueError for a variable that is not set and a user who is not known.
    """
    path = os.path.expandvars(text)
    if unset := re.search(r"\$(\w+|\{\w+\})", path):
        raise ValueError(f"{text!r}: {unset[0]} is not set; write the path in full")
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{text!r}: {error}; write the path in full") from None


def leftovers(path: Path) -> list[Path]:
    """Temporary files of `path` that killed writers have left."""
    path = Path(path)
    return sorted(path.parent.glob(f".{path.stem}.*{path.suffix}"))


def write_text(path: Path, text: str) -> None:
    """Write `text` (UTF-8) to `path` as a whole."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    """Write rows of the same columns to `path`, their names in the first line; floats to the last bit."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]) if rows else [], lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    write_text(path, text.getvalue())


def read_text(path: Path) -> str:
    """The text (UTF-8) of a small file.

    Raises ValueError if it is larger than 1 MiB, of which no more is read, or no text, and OSError if it
    cannot be read.
    """
    with Path(path).open("rb") as file:
        content = file.read(TEXT_LIMIT + 1)
    if len(content) > TEXT_LIMIT:
        raise ValueError(f"it is larger than {TEXT_LIMIT:,} bytes")
    return content.decode("utf-8")


def sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hex."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
