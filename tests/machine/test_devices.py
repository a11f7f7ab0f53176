"""The device of a process."""

import logging
import re

import pytest
import torch

from ecot.errors import EcotError
from ecot.machine import devices


def test_a_device_is_described_by_its_name():
    assert re.fullmatch(r"cpu \(\d+ threads, \S.*\)", devices.describe(torch.device("cpu")))


def test_the_chosen_device_is_named_in_the_log(caplog):
    with caplog.at_level(logging.INFO):
        assert devices.choose("cpu") == torch.device("cpu")
    assert caplog.messages == [f"device: {devices.describe(torch.device('cpu'))}"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_device_that_is_not_there_is_refused():
    with pytest.raises(EcotError, match=r"device: cuda is not available to torch .* write auto or cpu"):
        devices.choose("cuda")
    assert devices.choose("auto").type in ("cpu", "mps")


def test_the_peak_memory_of_a_process_is_its_own():
    assert 50 < devices.peak_memory_mb(torch.device("cpu")) < 10**6


def test_the_number_of_threads_is_set_whatever_the_process_had():
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        devices.choose("cpu", threads=2)
        assert torch.get_num_threads() == 2
        devices.choose("cpu")
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("flags", "slow"), [("sse avx2", True), ("avx2 avx512_bf16", False), ("amx_bf16 avx2", False), ("", False)]
)
def test_a_processor_without_bfloat16_is_named_in_the_log(monkeypatch, caplog, flags, slow):
    """No word where the system does not tell."""
    monkeypatch.setattr(devices, "_instructions", lambda: set(flags.split()))
    devices.choose("cpu", precision="bfloat16")
    assert ("bfloat16 is slower than float32 on this processor" in caplog.text) == slow


def test_what_a_cpu_computes_in_is_told(caplog):
    cpu = devices.choose("cpu", precision="tf32")
    assert "has no tf32 and computes in float32" in caplog.text
    assert [devices.precision_of(cpu, name) for name in ("float32", "tf32", "bfloat16")] == [
        "float32",
        "float32",
        "bfloat16",
    ]
