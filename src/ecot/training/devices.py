"""Which device a process computes on."""

import logging
import os

import torch

from ecot.config import Device
from ecot.errors import EcotError

log = logging.getLogger(__name__)


def choose(device: Device) -> torch.device:
    """The device for a setting, named in the log; EcotError if this machine has none such.

    Also asks torch for deterministic algorithms, so that the same seed gives the same numbers.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    kind = next(name for name in available if available[name]) if device == "auto" else device
    if not available[kind]:
        raise EcotError(f"device: {kind} is not available to torch {torch.__version__} here; write auto or cpu")
    if kind != "cpu":  # the CPU's kernels are deterministic, and the call below costs a second
        # cuBLAS is deterministic only with a fixed workspace; where an operation has no deterministic kernel, warn.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(True, warn_only=True)
    log.info("device: %s%s", describe(torch.device(kind)), " (auto)" if device == "auto" else "")
    return torch.device(kind)


def describe(device: torch.device) -> str:
    """A device's name for a log."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        return f"cpu ({torch.get_num_threads()} threads)"
    return device.type


def peak_memory_mb(device: torch.device) -> float:
    """The most memory used so far, MB: of the GPU's by torch, else of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    import resource
    import sys

    # ru_maxrss counts kB on Linux and bytes on macOS.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
