"""Which device a process computes on, and how: its threads, its precision, its memory."""

import ctypes
import logging
import os
import platform
import re
from pathlib import Path

import torch

from ecot.config import Device, Precision
from ecot.errors import EcotError

log = logging.getLogger(__name__)

BFLOAT16 = {"avx512_bf16", "amx_bf16", "bf16"}  # the instructions of x86 and ARM that make it fast
# Parameters of mallopt(3) by their numbers in malloc.h, and their values in bytes.
TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = (-1, 2**31 - 1), (-2, 2**26), (-3, 2**30)


def choose(
    device: Device, *, threads: int = 1, precision: Precision = "float32", deterministic: bool = True
) -> torch.device:
    """The device for a setting, named in the log; EcotError if this machine has none such.

    From now on torch computes on so many CPU `threads`, whatever the environment grants: another number would add in
    another order. On a GPU, the `precision` tf32 lets convolutions and matrix products round their factors to 10 bits
    (bfloat16 is for a training to ask for, step by step), and `deterministic` asks for algorithms that give the same
    numbers every time, at some cost in speed; without it, the fastest are looked for.
    """
    torch.set_num_threads(threads)
    _keep_memory()
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
        rounded = "tf32" if precision == "tf32" else "ieee"
        torch.backends.cudnn.conv.fp32_precision = rounded  # type: ignore[attr-defined]
        torch.backends.cuda.matmul.fp32_precision = rounded
    chosen = torch.device(kind)
    log.info("device: %s%s", describe(chosen), " (auto)" if device == "auto" else "")
    if (used := precision_of(chosen, precision)) != precision:
        log.warning("training.precision: %s has no %s and computes in %s", describe(chosen), precision, used)
    elif precision == "bfloat16" and not fast_in_bfloat16(chosen):
        log.warning(
            "training.precision: bfloat16 is slower than float32 on this processor, which has neither avx512_bf16 nor"
            " amx_bf16"
        )
    return chosen


def fast_in_bfloat16(device: torch.device) -> bool:
    """Whether bfloat16 is faster than float32; a processor of which nothing is known is believed to be."""
    known = _instructions() if device.type == "cpu" else set()
    return not known or bool(known & BFLOAT16)


def precision_of(device: torch.device, precision: Precision) -> Precision:
    """What a device computes in when it is told `precision`: TF32 needs an NVIDIA GPU of compute capability 8."""
    has_tf32 = device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0)
    return "float32" if precision == "tf32" and not has_tf32 else precision


def describe(device: torch.device) -> str:
    """A device's name for a log."""
    if device.type == "cuda":
        return f"cuda ({torch.cuda.get_device_name(device)})"
    if device.type == "cpu":
        return f"cpu ({torch.get_num_threads()} threads, {_processor()})"
    return device.type


def _processor() -> str:
    """The processor's name, else its kind; on Linux Python's `platform` knows only the kind."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


def _instructions() -> set[str]:
    """The names of the processor's instruction sets; none where the system does not tell."""
    return set(_cpuinfo("flags|Features").split())


def _cpuinfo(key: str) -> str:
    """The first value of a key in what Linux tells of its processors, else nothing."""
    try:
        found = re.search(rf"^(?:{key})\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.M)
    except OSError:
        found = None
    return found[1] if found else ""


def _keep_memory() -> None:
    """Let glibc keep the memory that a step frees, for the next step.

    By default it gives blocks of the size of activations back to the system, and each step then waits for fresh
    pages. Elsewhere than with glibc this does nothing.
    """
    if platform.libc_ver()[0] == "glibc":
        for parameter, size in (MMAP_THRESHOLD, TRIM_THRESHOLD, TOP_PAD):
            ctypes.CDLL(None).mallopt(parameter, size)


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
