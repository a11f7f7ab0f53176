"""The words of `ecot status`, of `ecot plan`, and of the line of progress."""

import math
from collections import Counter
from collections.abc import Sequence

from tabulate import tabulate

from ecot.config import Config
from ecot.grid.cell import Cell
from ecot.modes import MODES
from ecot.status.cells import KINDS, State
from ecot.status.estimate import HERE, Estimate
from ecot.status.obstacles import dataset_bytes
from ecot.status.outlook import Outlook
from ecot.tasks import TASKS


def grid(run: str, states: Sequence[State]) -> str:
    """The grid of a run: how many cells are in each state, and the lines of those that run or have failed."""
    counts = [sum(state.kind == kind for state in states) for kind in KINDS]
    parts = [
        f"run {run}: {counts[0]} of {len(states)} cells done, {counts[1]} running, {counts[2]} failed,"
        f" {counts[3]} missing"
    ]
    counted: dict[tuple[str, str], Counter[str]] = {}
    for state in states:
        counted.setdefault(_kind(state), Counter())[state.kind] += 1
    lines = [[*kind, *(count[name] or "" for name in KINDS)] for kind, count in counted.items()]
    parts.append(tabulate(lines, headers=["task", "mode", *KINDS], tablefmt="simple"))
    if running := [state for state in states if state.kind == "running"]:
        parts.append("\n".join(["running", *(f"  {state.entry.cell}: {progress(state)}" for state in running)]))
    if failed := [state for state in states if state.kind == "failed"]:
        lines_of_failed = [f"  {state.entry.cell}: {state.word}\n    {state.log}" for state in failed]
        parts.append("\n".join(["failed, the last line of the log", *lines_of_failed]))
    return "\n\n".join(parts)


def _kind(state: State) -> tuple[str, str]:
    cell = Cell.parse(state.entry.cell)
    mode = MODES[cell.mode].title
    mode += "" if cell.rate_bits is None else f", {cell.randomness} randomness"
    mode += "" if cell.dither is None else f", {cell.dither} dither"
    return TASKS[cell.task].title.lower(), mode + (", sweep of lambda" if state.entry.weight is not None else "")


def progress(state: State) -> str:
    """What a running cell does, for instance "training, 3 of 50 epochs, 672 images/s, process 7 on node-1"."""
    parts: list[str] = [state.step]
    if state.step == "training" and state.epochs is not None:
        parts.append(f"{state.epoch} of {state.epochs} epochs, {state.images_per_second:.0f} images/s")
    return ", ".join([*parts, state.where] if state.where else parts)


def line(states: Sequence[State], hours_left: float | None) -> str:
    """The line of progress: cells done of all, what runs with its speed, and the time left."""
    done = sum(state.kind == "done" for state in states)
    parts = [f"{done} of {len(states)} cells"]
    running = [state for state in states if state.kind == "running"]
    if running:
        shown = ", ".join(_short(state) for state in running[:2])
        more = f" and {len(running) - 2} more" if len(running) > 2 else ""
        parts.append(f"{shown}{more}")
    if hours_left is not None and done < len(states):
        parts.append(f"{duration(hours_left)} of training left")
    return "; ".join(parts)


def _short(state: State) -> str:
    cell = Cell.parse(state.entry.cell)
    rate = "" if cell.rate_bits is None else f" {cell.rate_bits} bits"
    speed = f" ({state.images_per_second:.0f} images/s)" if state.images_per_second else ""
    return f"{'measuring ' if state.step == 'measurement' else ''}{MODES[cell.mode].title}{rate}{speed}"


def plan(config: Config, found: Outlook) -> str:
    """What a configuration will take: cells, hours, disk, devices."""
    expected = found.expected
    kind = "core" if _on_cpu(config, found.accelerators) else "device"
    there = len(found.cells) - len(found.missing)
    lines = [
        ("run", config.run),
        ("cells", f"{len(found.cells)}, of which {there} are trained already"),
        ("devices", _devices(config, found.accelerators, expected.parallel)),
    ]
    if len(found.missing) > len(expected.unknown):
        memory = f"{expected.memory_mb / 1000:.1f} GB" if expected.memory_mb > 0 else "not measured"
        lines += [
            ("training", f"{duration(expected.hours)} of one {kind}; {duration(expected.wall_hours)} here"),
            ("speeds", _sources(expected)),
            ("memory", f"{memory} for each training"),
        ]
    if expected.unknown:
        kinds = dict.fromkeys(f"{cell.task}/{cell.mode}" for cell in expected.unknown)
        lines.append(
            (
                "not known",
                f"the speed of {', '.join(kinds)}; one finished cell of each kind, or `python -m benchmarks.speeds`,"
                " tells it",
            )
        )
    lines.append(
        ("disk", f"{(expected.model_mb * 1e6 + dataset_bytes(config)) / 1e9:.2f} GB of models and data sets")
    )
    lines.append(("on top", "measurements, tables and figures: minutes for each task, more with many cells"))
    return tabulate(lines, tablefmt="plain")


def obstacle_list(found: Sequence[str]) -> str:
    """What stands in the way, a line each."""
    if not found:
        return "Nothing stands in the way on this machine."
    return "\n".join(["In the way on this machine:", *(f"  - {text}" for text in found)])


def _devices(config: Config, accelerators: list[str], parallel: int) -> str:
    """The devices that trainings use here."""
    if _on_cpu(config, accelerators):
        return f"the CPU, {parallel} cores, {config.training.threads} for each training"
    shared = config.compute.jobs_per_device
    each = f", {shared} trainings on each" if shared > 1 else ""
    return f"{len(accelerators)} ({', '.join(accelerators)}){each}"


def on_the_cpu(config: Config, found: Outlook) -> str:
    """What is said at the start of a run on a machine without a GPU."""
    expected = found.expected
    time = f"about {duration(expected.wall_hours)} on {expected.parallel} cores" if expected.hours else "no estimate"
    unknown = f", {len(expected.unknown)} of them not counted" if expected.unknown and expected.hours else ""
    return (
        f"run {config.run}: this machine has no GPU, so that device: auto trains on the CPU: {len(found.missing)}"
        f" models, {time}{unknown} (speeds: {_sources(expected)}); `ecot plan` says more"
    )


def duration(hours: float) -> str:
    """For instance "20 s", "12 min", "3.5 h", "4 days", "9 weeks"."""
    if math.isnan(hours):
        return "unknown"
    for least, size, name in ((24 * 21, 24 * 7, "weeks"), (72, 24, "days"), (1.5, 1, "h"), (1 / 40, 1 / 60, "min")):
        if hours >= least:
            value = hours / size
            return f"{value:.1f} {name}" if name == "h" and value < 10 else f"{value:.0f} {name}"
    return f"{hours * 3600:.0f} s"


def _on_cpu(config: Config, accelerators: list[str]) -> bool:
    return config.device == "cpu" or not accelerators


def _sources(expected: Estimate) -> str:
    names = [source if source == HERE else f"{source}, resources/speeds.csv" for source in expected.sources]
    return "; ".join(names) or "none known"
