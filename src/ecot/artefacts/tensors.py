"""Tensors on disk: safetensors files with a header of texts. Nothing is executed when a file is read."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save as serialise
from torch import Tensor

from ecot.artefacts import DamagedError
from ecot.files import atomic

CHECKSUM = "sha256"


def write(path: Path, tensors: Mapping[str, Tensor], header: Mapping[str, str]) -> None:
    """Write tensors and header as a whole, with their checksum. The same content gives the same bytes."""
    held = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    content = serialise(held, {**header, CHECKSUM: _digest(header, held)})
    with atomic(path) as temporary:
        temporary.write_bytes(_ordered(content))


def read(path: Path, way_out: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """The tensors and the header of a file. Raises DamagedError if it is not as `write` left it."""
    try:
        with safe_open(path, framework="pt") as file:
            header = dict(file.metadata() or {})
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        checksum = header.pop(CHECKSUM)
        found = _digest(header, tensors)
    # A TypeError: numpy, by which the digest is computed, lacks some of torch's types.
    except (SafetensorError, OSError, KeyError, ValueError, RuntimeError, TypeError) as error:
        raise DamagedError(path, error, way_out) from None
    if found != checksum:
        raise DamagedError(path, "its content does not match its SHA-256", way_out)
    return tensors, header


def _digest(header: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 of the header's texts and of the tensors, by name, in hex."""
    digest = hashlib.sha256(json.dumps(dict(header), sort_keys=True).encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].dtype} {tuple(tensors[name].shape)}".encode())
        digest.update(tensors[name].numpy().tobytes())
    return digest.hexdigest()


def _ordered(content: bytes) -> bytes:
    """The same file with the texts of its header in alphabetical order; the library writes them in random order."""
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # the format aligns the tensors to 8 bytes
    return len(text).to_bytes(8, "little") + text + content[8 + size :]
