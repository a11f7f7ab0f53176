"""Which device a process computes on."""

import logging
import os
import platform
import re
from pathlib import Path

import torch

from ecot.config import Device
from ecot.errors import EcotError

log = logging.getLogger(__name__)


def choose(device: Device, *, tf32: bool = False, deterministic: bool = True) -> torch.device:
    """The device for a setting, named in the log; EcotError if this machine has none such.

    On a GPU, `tf32` lets convolutions and matrix products round their factors to 10 bits, and
    `deterministic` asks for algorithms that give the same numbers every time, at some cost in speed;
    without it, the fastest are looked for.
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    kind = next(name for name in available if available[name]) if device == "auto" else device
    if not available[kind]:
        raise EcotError(f"device: {kind} is not available to torch {torch.__version__} here; write auto or cpu")
    if kind != "cpu":  # the CPU's kernels are deterministic, and these calls cost a second there
        # cuBLAS is deterministic only with a fixed workspace; where an operation has no deterministic kernel, warn.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        torch.use_deterministic_algorithms(deterministic, warn_only=True)
        # A guard against reading what was never written; it would cost a kernel an allocation.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    if kind == "cuda":
        torch.backends.cudnn.benchmark = not deterministic
        torch.backends.cudnn.conv.fp32_precision = "tf32" if tf32 else "ieee"  # type: ignore[attr-defined]
        torch.backends.cuda.matmul.fp32_precision = "tf32" if tf32 else "ieee"
    log.info("device: %s%s", describe(torch.device(kind)), " (auto)" if device == "auto" else "")
    return torch.device(kind)


def describe(device: torch.device) -> str:
    """A device's name for a log."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        return f"cpu ({torch.get_num_threads()} threads, {_processor()})"
    return device.type


def _processor() -> str:
    """The processor's name, else its kind; on Linux Python's `platform` knows only the kind."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        found = None
    return found[1] if found else platform.processor() or platform.machine()


def synchronise(device: torch.device) -> None:
    """Wait until everything asked of the device is done, before a clock is read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_memory_mb(device: torch.device) -> float:
    """The most memory used so far, MB: of the GPU's by torch, else of the process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 1e6
    import resource
    import sys

    # ru_maxrss counts kB on Linux and bytes on macOS.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)
