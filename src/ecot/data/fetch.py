"""The raw files of MNIST and SVHN: checked by SHA-256 where they are, fetched where they are missing.

They lie under the root in torchvision's layout. The addresses are torchvision's; it is imported only once
a file is missing, since it brings torch with it. Its transfer is not used: it takes all that a server sends.
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
from ecot.files import sha256

TIMEOUT = 30.0  # seconds without an answer
CHUNK = 1 << 16  # bytes
ARCHIVE_MARGIN = 1 << 16  # bytes by which an archive may be larger than what is in it


@dataclass(frozen=True)
class RawFile:
    """One file as its authors publish it (unpacked): path under the root, bytes, SHA-256."""

    path: str
    size: int
    sha256: str


RAW_FILES = {
    "mnist": (
        RawFile(
            "MNIST/raw/train-images-idx3-ubyte",
            47_040_016,
            "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        ),
        RawFile(
            "MNIST/raw/train-labels-idx1-ubyte",
            60_008,
            "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        ),
        RawFile(
            "MNIST/raw/t10k-images-idx3-ubyte",
            7_840_016,
            "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        ),
        RawFile(
            "MNIST/raw/t10k-labels-idx1-ubyte",
            10_008,
            "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
        ),
    ),
    "svhn": (
        RawFile(
            "train_32x32.mat",
            182_040_794,
            "435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8",
        ),
        RawFile(
            "test_32x32.mat",
            64_275_384,
            "cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b",
        ),
    ),
}


def ensure(dataset: str, root: Path, *, download: bool) -> None:
    """See to it that every raw file of "mnist" or "svhn" is whole under `root`.

    Nothing is written when all are there, so `root` may then be read-only. A missing file is fetched if
    `download`. Raises EcotError for a damaged file, which is never overwritten, and for a missing one.
    """
    missing = []
    for file in RAW_FILES[dataset]:
        path = root / file.path
        if not path.is_file():
            missing.append(file)
        elif fault := _fault(path, file):
            advice = f"delete it to fetch it anew, or {_by_hand([file], root)}"
            raise EcotError(f"{path} is not the published file ({fault}): {advice}")
    for i, file in enumerate(missing):
        reason = _fetch(file, root) if download else "downloading is turned off"
        if reason:
            names = ", ".join(Path(file.path).name for file in missing[i:])
            raise EcotError(
                f"{dataset}: {names} not found in {_folder(file, root)} and not fetched ({reason});"
                f" to put them there by hand, {_by_hand(missing[i:], root)}"
            )


def _fetch(file: RawFile, root: Path) -> str | None:
    """Download one file into a temporary folder under `root`, check it and rename it into place.

    Returns what went wrong at each address, or None when the file is in place.
    """
    reasons = []
    for url in _addresses(file):
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


def _addresses(file: RawFile) -> list[str]:
    """Where torchvision finds a file, best first."""
    from torchvision.datasets import MNIST, SVHN

    name = Path(file.path).name
    for archive, _ in MNIST.resources:
        if archive == f"{name}.gz":
            return [mirror + archive for mirror in MNIST.mirrors]
    return [next(url for url, filename, _ in SVHN.split_list.values() if filename == name)]


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


def _by_hand(files: Sequence[RawFile], root: Path) -> str:
    """The instruction that puts files of one folder in place without this program."""
    urls = [_addresses(file)[0] for file in files]
    unpack = " and unpack with gunzip" if urls[0].endswith(".gz") else ""
    return f"download {', '.join(urls)} into {_folder(files[0], root)}{unpack}"
