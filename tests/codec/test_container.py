"""Files from elsewhere: whatever they hold gives one message or indices, at once and in little memory."""

import struct
import time
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest

from ecot.coding import container
from ecot.errors import EcotError


@pytest.fixture
def files(codec, digits):
    """The codec, and the bytes of two files of it: entropy-coded and raw."""
    model = codec("common")
    encoded = model.encode(model.degrade(digits), seed=7)
    return model, [model.to_bytes(encoded, raw=raw) for raw in (False, True)]


def sealed(content):
    """The content with a checksum that fits."""
    return content[: -container.CHECKSUM] + container._checksum(content[: -container.CHECKSUM])


def mutated(content, rng):
    """One of the ways in which bytes are lost, changed or added."""
    changed = bytearray(content)
    kind = rng.integers(5)
    if kind == 0:
        return content[: rng.integers(len(content))]
    if kind == 1:
        return content + rng.bytes(rng.integers(1, 100))
    if kind == 2:
        changed[rng.integers(len(changed))] ^= 1 << rng.integers(8)
    elif kind == 3:
        for place in rng.integers(len(changed), size=8):
            changed[place] = rng.integers(256)
    else:
        start, stop = sorted(rng.integers(len(changed), size=2))
        changed[start:stop] = rng.bytes(rng.integers(0, 64))
    return bytes(changed)


def test_thousands_of_mutated_files_end_in_a_message_or_in_indices(files):
    model, contents = files
    rng = np.random.default_rng(0)
    refused = read = 0
    tracemalloc.start()
    start = time.monotonic()
    for i in range(6000):
        content = mutated(contents[i % 2], rng)
        if i % 3 == 0 and len(content) > container.CHECKSUM:  # an attacker can compute a checksum
            content = sealed(content)
        try:
            encoded = model.from_bytes(content)
        except EcotError:
            refused += 1
        else:
            assert encoded.indices.shape[1] == model.settings.latent_dim
            assert encoded.indices.min() >= 0
            assert encoded.indices.max() < model.settings.levels
            read += 1
    assert refused > 4000
    assert read > 0  # streams of other indices under a checksum that fits
    assert tracemalloc.get_traced_memory()[1] < 20e6
    assert time.monotonic() - start < 30
    tracemalloc.stop()


def test_a_random_file_is_refused(files):
    model, _ = files
    rng = np.random.default_rng(1)
    for n in (0, 1, 7, 8, 60, 100, 5000):
        for content in (rng.bytes(n), container.MAGIC + rng.bytes(n), sealed(container.MAGIC + rng.bytes(n + 16))):
            with pytest.raises(EcotError):
                model.from_bytes(content)


@pytest.mark.parametrize("count", [4000, container.MOST_IMAGES, container.MOST_IMAGES + 1, 2**32 - 1])
def test_a_small_file_cannot_claim_many_images(files, count):
    """The least that so many images can take is compared with what is there, before memory is taken for them."""
    model, contents = files
    for content in contents:
        stream = container.unpack(content)[1]
        content = bytearray(content)
        struct.pack_into("<I", content, 36, count)
        tracemalloc.start()
        with pytest.raises(EcotError):
            model.from_bytes(sealed(bytes(content)))
        assert tracemalloc.get_traced_memory()[1] < 1e6 + 100 * len(stream)
        tracemalloc.stop()


def test_each_fault_has_its_message(files):
    model, (content, _) = files
    header, stream = container.unpack(content)
    for fault, message in (
        (b"", "no file of `ecot encode`"),
        (b"PK" + content[2:], "no file of `ecot encode`"),
        (content[:8] + b"\2" + content[9:], "version 2"),
        (content[:-1], "cut short"),
        (content + b"\0", "after its end"),
        (content[:-20] + bytes([content[-20] ^ 1]) + content[-19:], "checksum does not fit"),
        (container.pack(replace(header, model=bytes(16)), stream), "another model: checksum"),
        (container.pack(replace(header, task="denoising"), stream), "another model: task denoising"),
        (container.pack(replace(header, levels=8), stream), "another model: levels 8"),
        (container.pack(replace(header, shared_bits=2), stream), "another model: shared bits 2"),
        (container.pack(replace(header, count=10), stream), "states what no file"),
        (container.pack(replace(header, count=9999), stream), "9999 images"),
        (container.pack(replace(header, entropy_coded=False), stream), "64 images take"),
    ):
        with pytest.raises(EcotError, match=message):
            model.from_bytes(fault)


def test_a_header_comes_back(files):
    _, (content, _) = files
    header, stream = container.unpack(content)
    assert container.pack(header, stream) == content
    assert (header.count, header.seed, header.shared_bits, header.entropy_coded) == (64, 7, 53, True)
    assert len(content) == container.overhead(header.task) + len(stream)


def test_too_many_images_are_refused_before_they_are_coded(files):
    _, (content, _) = files
    header, stream = container.unpack(content)
    with pytest.raises(EcotError, match="too many for one file"):
        container.pack(replace(header, count=container.MOST_IMAGES + 1), stream)
    with pytest.raises(EcotError, match="too many for one file"):
        container.check_size(container.MOST_IMAGES, 200)
