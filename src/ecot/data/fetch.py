"""The published files of data sets: checked by SHA-256 where they are, fetched where they are missing.

torchvision's own transfer is not used: it takes everything that a server sends, however much that is.
"""

import gzip
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import Request, urlopen

from ecot.errors import EcotError
from ecot.files import atomic, sha256

TIMEOUT = 30.0  # seconds without an answer
CHUNK = 1 << 16  # bytes
ARCHIVE_MARGIN = 1 << 16  # bytes by which an archive may be larger than what is in it


@dataclass(frozen=True)
class RawFile:
    """One file as its authors publish it (unpacked): path under the root, bytes, SHA-256."""

    path: str
    size: int
    sha256: str


Addresses = Callable[[RawFile], list[str]]


def ensure(name: str, files: Sequence[RawFile], addresses: Addresses, root: Path, *, download: bool) -> None:
    """See to it that every published file of data set `name` is whole under `root`.

    `addresses` gives the URLs of a file, best first. A file that is there with the suffix .gz is unpacked beside it,
    and one that is missing is fetched if `download`; when all files are there, nothing is written, and `root` may be
    read-only. Raises EcotError for a missing file, and for a damaged
    one, which is never overwritten.
    """
    missing = []
    for file in files:
        path, packed = root / file.path, root / f"{file.path}.gz"
        if not path.is_file():
            if packed.is_file():
                _unpack(packed, path, file)
            else:
                missing.append(file)
        elif fault := _fault(path, file):
            advice = f"delete it to fetch it anew, or {_by_hand([file], addresses, root)}"
            raise EcotError(f"{path} is not the published file ({fault}): {advice}")
    for i, file in enumerate(missing):
        reason = _fetch(file, addresses(file), root) if download else "downloading is turned off"
        if reason:
            names = ", ".join(Path(file.path).name for file in missing[i:])
            raise EcotError(
                f"{name}: {names} not found in {_folder(file, root)} and not fetched ({reason});"
                f" to put them there by hand, {_by_hand(missing[i:], addresses, root)}"
            )


def _unpack(packed: Path, path: Path, file: RawFile) -> None:
    """Unpack a published file that lies there compressed. EcotError if it is damaged or another one."""
    with atomic(path) as temporary:
        try:
            with gzip.open(packed) as content:
                _copy(content.read, temporary, file.size + 1)
            fault = _fault(temporary, file)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            fault = str(error)
        if fault:
            raise EcotError(f"{packed} is not the published file ({fault}): delete it, or put the right one there")


def _fetch(file: RawFile, urls: Sequence[str], root: Path) -> str | None:
    """Download one file into a temporary folder under `root`, check it and rename it into place.

    Returns what went wrong at each address, or None when the file is in place.
    """
    reasons = []
    for url in urls:
        try:
            root.mkdir(parents=True, exist_ok=True)
            with TemporaryDirectory(prefix=".fetch-", dir=root) as folder:
                fetched = Path(folder) / Path(file.path).name
                _download(url, fetched, file.size)
                if fault := _fault(fetched, file):
                    reasons.append(f"{url}: the answer is damaged or cut short ({fault})")
                    continue
                (root / file.path).parent.mkdir(parents=True, exist_ok=True)
                fetched.replace(root / file.path)
                return None
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            reasons.append(f"{url}: the answer is damaged or cut short ({error})")
        except (OSError, HTTPException) as error:
            reasons.append(f"{url}: {error}")
    return "; ".join(reasons)


def _download(url: str, path: Path, size: int) -> None:
    """Fetch `url`, unpacked if it ends in .gz, to `path`: at most `size` bytes of it and one.

    What the server says of the length does not count: it may send without end, or what unpacks without end.
    """
    packed = url.endswith(".gz")
    received = path.with_name("received") if packed else path
    request = Request(url, headers={"User-Agent": "ecot"})
    with urlopen(request, timeout=TIMEOUT) as answer:
        _copy(answer.read, received, size + (ARCHIVE_MARGIN if packed else 1))
    if packed:
        with gzip.open(received) as content:
            _copy(content.read, path, size + 1)


def _copy(read: Callable[[int], bytes], target: Path, limit: int) -> None:
    with target.open("wb") as file:
        while (left := limit - file.tell()) and (chunk := read(min(left, CHUNK))):
            file.write(chunk)


def _fault(path: Path, file: RawFile) -> str | None:
    """How the content of `path` differs from the published file's; None if it does not."""
    try:
        if (size := path.stat().st_size) != file.size:
            return f"{size:,} bytes instead of {file.size:,}"
        if (found := sha256(path)) != file.sha256:
            return f"SHA-256 {found} instead of {file.sha256}"
    except OSError as error:
        return f"it cannot be read: {error.strerror}"
    return None


def _folder(file: RawFile, root: Path) -> Path:
    return (root / file.path).parent.absolute()


def _by_hand(files: Sequence[RawFile], addresses: Addresses, root: Path) -> str:
    """The instruction that puts files of one folder in place without this program."""
    urls = [addresses(file)[0] for file in files]
    unpack = " and unpack with gunzip" if urls[0].endswith(".gz") else ""
    return f"download {', '.join(urls)} into {_folder(files[0], root)}{unpack}"
