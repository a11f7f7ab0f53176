"""What of Python, packages, data, memory, disk and devices stands in the way of a configuration on this machine."""

import os
import platform
import shutil
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from ecot import RESOURCES
from ecot.config import Config
from ecot.data.sets import DATASETS
from ecot.grid.paths import dataset_path
from ecot.status.estimate import Estimate

PROJECT = RESOURCES.parent / "pyproject.toml"
NEEDED = ("train", "pipeline")  # the extras of pyproject.toml that a run needs


def obstacles(config: Config, expected: Estimate, accelerators: list[str]) -> list[str]:
    """One line for each thing that is missing or too small, with the way out; empty if nothing is."""
    return [
        *_python(),
        *_packages(),
        *_data(config),
        *_devices(config, accelerators),
        *_memory(config, expected, bool(accelerators) and config.device != "cpu"),
        *_disk(config, expected),
    ]


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def dataset_bytes(config: Config) -> int:
    """Bytes of the prepared data sets of a configuration, which are not compressed."""
    names = {task.dataset for task in config.tasks.values()}
    sizes = []
    for dataset in (DATASETS[name] for name in names):
        channels, height, width = dataset.image_shape
        sizes.append((dataset.n_train + dataset.n_test) * (channels * height * width + 1))
    return sum(sizes)


def memory_mb() -> float | None:
    """The memory of this machine, MB; None where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6
    except (AttributeError, OSError, ValueError):
        return None


def _project() -> dict[str, object]:
    """The table [project] of the checkout; empty where ecot is not used from one."""
    if not PROJECT.is_file():
        return {}
    project: dict[str, object] = tomllib.loads(PROJECT.read_text(encoding="utf-8"))["project"]
    return project


def _python() -> Iterator[str]:
    least = str(_project().get("requires-python", ">=3.11")).removeprefix(">=")
    if sys.version_info < tuple(int(part) for part in least.split(".")):
        yield f"Python {platform.python_version()}: {least} or newer is needed; `make env PYTHON=python{least}`"


def _packages() -> Iterator[str]:
    project = _project()
    extras = project.get("optional-dependencies", {})
    assert isinstance(extras, dict)
    wanted = [*project.get("dependencies", []), *(line for extra in NEEDED for line in extras.get(extra, []))]  # type: ignore[misc]
    for requirement in map(Requirement, wanted):
        try:
            found = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            yield f"package {requirement.name} is not installed; `make env`"
            continue
        if not requirement.specifier.contains(found, prereleases=True):
            yield f"package {requirement.name} {found}: {requirement.specifier} is needed; `make env`"


def _data(config: Config) -> Iterator[str]:
    for name in dict.fromkeys(task.dataset for task in config.tasks.values()):
        if dataset_path(name).is_file():
            continue
        # The modules of data sets that are published elsewhere list their files; embedded ones have none.
        files = getattr(sys.modules[DATASETS[name].read.__module__], "FILES", ())
        missing = [file for file in files if not (Path(config.data.root) / file.path).is_file()]
        if missing:
            yield (
                f"data set {name}: {', '.join(Path(file.path).name for file in missing)} not in {config.data.root};"
                f" `ecot data {name}` fetches {sum(file.size for file in missing) / 1e6:.0f} MB over the network"
            )


def _devices(config: Config, accelerators: list[str]) -> Iterator[str]:
    if config.device in ("cuda", "mps") and not accelerators:
        yield f"device: {config.device}: there is no such device here; write auto or cpu, or use a cluster's profile"


def _memory(config: Config, expected: Estimate, on_gpu: bool) -> Iterator[str]:
    there = memory_mb()
    if there is None or on_gpu or not expected.memory_mb > 0:
        return
    at_once = max(1, expected.parallel // config.training.threads)
    if at_once * expected.memory_mb > there:
        fewer = max(1, int(there / expected.memory_mb)) * config.training.threads
        yield (
            f"memory: {at_once} trainings at once take {at_once * expected.memory_mb / 1000:.1f} GB, this machine has"
            f" {there / 1000:.1f} GB; `snakemake --cores {fewer}`"
        )


def _disk(config: Config, expected: Estimate) -> Iterator[str]:
    free = shutil.disk_usage(Path.cwd()).free
    needed = expected.model_mb * 1e6 + dataset_bytes(config)
    if needed > free:
        yield f"disk: {needed / 1e9:.1f} GB are needed and {free / 1e9:.1f} GB are free in {Path.cwd()}"
