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
