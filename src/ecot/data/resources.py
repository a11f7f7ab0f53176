"""The files that the repository carries in `resources/`, checked before they are read."""

from pathlib import Path

from ecot import RESOURCES
from ecot.errors import EcotError
from ecot.files import sha256

# SHA-256 of every embedded data file; `python resources/make.py` prints them anew.
CHECKSUMS = {
    "mnist_sample.npz": "710f6cd8f1c66f05d76096629f6422f493ae5acb753cd7a5f6cb0a4b9d01c97d",
    "photographs/china.png": "7b3ccd3907277e3e36906e566608abe3679114020f0cb82df368cbcb08087660",
    "photographs/flower.png": "65c232bf04675a988e9c425eae128499a12ddba775011cea9b8363dd6ee5934b",
}


def resource(name: str) -> Path:
    """Path of an embedded file, e.g. "mnist_sample.npz", after its SHA-256 has been checked.

    Raises EcotError if the checkout lacks the file or holds another one under its name.
    """
    path = RESOURCES / name
    if not path.is_file():
        raise EcotError(f"{path} is missing: restore it with `git checkout -- resources`")
    if sha256(path) != CHECKSUMS[name]:
        raise EcotError(f"{path} is damaged (wrong SHA-256): restore it with `git checkout -- resources`")
    return path
