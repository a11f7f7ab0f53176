"""What is still to be trained of a configuration on this machine, and how long that takes."""

from dataclasses import dataclass

from ecot.artefacts.names import RECORD
from ecot.config import Config
from ecot.grid import paths
from ecot.grid.cell import Cell
from ecot.grid.plan import grid
from ecot.machine.leases import accelerators
from ecot.status.estimate import Estimate, estimate
from ecot.status.obstacles import cores as all_cores


@dataclass(frozen=True)
class Outlook:
    """The cells of a configuration, those that are not trained yet, the accelerators that are here, the estimate."""

    cells: list[Cell]
    missing: list[Cell]
    accelerators: list[str]
    expected: Estimate


def outlook(config: Config, cores: int | None = None, devices: list[str] | None = None) -> Outlook:
    """The outlook with so many cores (default: all) and these accelerators (default: those of this machine)."""
    cells = grid(config)
    missing = [cell for cell in cells if not (paths.model_folder(config, cell) / RECORD).is_file()]
    if devices is None:
        devices = [] if config.device == "cpu" else accelerators()
    kind, parallel = kind_and_parallel(config, cores or all_cores(), devices)
    return Outlook(cells, missing, devices, estimate(config, missing, kind, parallel))


def kind_and_parallel(config: Config, cores: int, devices: list[str]) -> tuple[str, int]:
    """The kind of device that trainings use, and how many of them (on a CPU: cores) there are."""
    if config.device == "cpu" or not devices:
        return "cpu", cores
    return ("mps", 1) if devices == ["mps"] else ("cuda", len(devices))
