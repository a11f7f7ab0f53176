"""The file of compressed images, `.ecot`: its bytes, as docs/container.md describes them.

Whatever a file states is checked before anything is allocated by it.
"""

import hashlib
import struct
from dataclasses import dataclass

from ecot.coding import messages
from ecot.coding.randomness import BITS

MAGIC = b"\x89ECOT\r\n\x1a"  # as PNG's: a change of line ends or a lost eighth bit shows
VERSION = 1
FIXED = struct.Struct("<8sHBB16sQIIIHHHIB")  # up to the task's name
CHECKSUM = 16  # bytes of SHA-256
MOST_IMAGES = 1 << 17  # in one file
MOST_INDICES = 1 << 24  # in one file
SIZE_LIMIT = 1 << 26  # bytes, more than any file has


@dataclass(frozen=True)
class Header:
    """What a file states beside its coded indices."""

    model: bytes  # 16 bytes: the checksum of the model that wrote it
    task: str
    shape: tuple[int, int, int]  # of an image: channels, height, width
    count: int  # images
    levels: int
    latent_dim: int
    shared_bits: int  # of each number of the dither: 0 to 53
    seed: int  # of the common randomness, 0 to 2^64 - 1; 0 where nothing is shared
    entropy_coded: bool


def pack(header: Header, stream: bytes) -> bytes:
    """The bytes of a file. Raises EcotError for more images than a file holds."""
    check_size(header.count, header.latent_dim)
    task = header.task.encode("ascii")
    fixed = FIXED.pack(
        MAGIC, VERSION, header.entropy_coded, header.shared_bits, header.model, header.seed, header.count,
        header.levels, header.latent_dim, *header.shape, len(stream), len(task),
    )  # fmt: skip
    content = fixed + task + stream
    return content + _checksum(content)


def unpack(content: bytes) -> tuple[Header, bytes]:
    """The header of a file and its stream of indices.

    Raises EcotError if it is no such file, a newer one, cut short or altered, or if its statements cannot be true.
    """
    if content[: len(MAGIC)] != MAGIC:
        raise messages.foreign()
    if len(content) < FIXED.size:
        raise messages.truncated(len(content), FIXED.size + CHECKSUM)
    _, version, coding, shared, model, seed, count, levels, d, *shape, length, name = FIXED.unpack_from(content)
    if version != VERSION:
        raise messages.newer(version, VERSION)
    if len(content) != (stated := FIXED.size + name + length + CHECKSUM):
        raise messages.truncated(len(content), stated)
    if _checksum(content[:-CHECKSUM]) != content[-CHECKSUM:]:
        raise messages.altered()
    try:
        task = content[FIXED.size : FIXED.size + name].decode("ascii")
    except UnicodeDecodeError:
        raise messages.impossible("a task's name that is no ASCII") from None
    if coding > 1 or shared > BITS:
        raise messages.impossible(f"coding {coding}, {shared} shared bits")
    if not 2 <= levels <= 65_536 or levels & (levels - 1) or not count or not d or 0 in shape:
        raise messages.impossible(f"{count} images of shape {tuple(shape)}, {d} indices, {levels} levels")
    check_size(count, d)
    channels, height, width = shape
    header = Header(model, task, (channels, height, width), count, levels, d, shared, seed, bool(coding))
    return header, content[FIXED.size + name : -CHECKSUM]


def check_size(images: int, d: int) -> None:
    """EcotError for more images, or more indices, than a file holds."""
    if images > MOST_IMAGES or images * d > MOST_INDICES:
        raise messages.too_many(images, d, MOST_IMAGES, MOST_INDICES)


def overhead(task: str) -> int:
    """Bytes of a file beside its stream of indices."""
    return FIXED.size + len(task.encode("ascii")) + CHECKSUM


def _checksum(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:CHECKSUM]
