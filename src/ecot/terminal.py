"""What a run of the workflow shows on the terminal: a line of progress, and the reason of each failed job.

Snakemake's own words go to its log; the last line says where that is. This takes the place of Snakemake's output for
the plain command alone: a dry run, --quiet, --verbose and a logger of the user's stay as they are.
"""

import logging
import shutil
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

from ecot.grid import index
from ecot.grid.cell import Cell
from ecot.status import messages
from ecot.status.cells import State, reason, survey
from ecot.status.estimate import estimate
from ecot.status.outlook import kind_and_parallel
from ecot.workflow import Pipeline

SNAKEMAKES_OWN = "DefaultStreamHandler"  # the name that Snakemake gives to its output on the terminal
SHOWN_EVERY = 60.0  # seconds between two lines where the output is no terminal
LOOKED_EVERY = 3.0  # seconds between two looks at the files
ESTIMATED_EVERY = 60.0  # seconds between two estimates of the time left


class Screen(logging.Handler):
    """Shows the events of a run. Made by `attach`; `start` begins the line of progress and `stop` ends it."""

    def __init__(self, pipeline: Pipeline, workflow: Any, stream: TextIO) -> None:
        super().__init__()
        self.pipeline, self.workflow, self.stream = pipeline, workflow, stream
        self.steps = ""
        self.failed = 0
        self.shown = ""
        self.shown_at = self.estimated_at = float("-inf")
        self.hours_left: float | None = None
        self.ended = threading.Event()
        self.writing = threading.RLock()
        self.follower: threading.Thread | None = None

    def emit(self, record: logging.LogRecord) -> None:
        event = getattr(getattr(record, "event", None), "value", None)
        if event == "job_error":
            self.say(failure(record.__dict__))
            self.failed += 1
        elif event == "progress":
            self.steps = f"{record.__dict__['done']} of {record.__dict__['total']} steps"
        elif event in (None, "error") and (
            record.levelno >= logging.WARNING or "Nothing to be done" in record.getMessage()
        ):
            self.say(record.getMessage())

    def start(self) -> None:
        """Begin the line of progress."""
        self.follower = threading.Thread(target=self._follow, daemon=True)
        self.follower.start()

    def stop(self, log: list[str]) -> None:
        """End the line of progress, and say what came out of the run and where Snakemake's log is."""
        self.ended.set()
        if self.follower is not None:
            self.follower.join()
        self._erase()
        failed = f", {self.failed} {'job' if self.failed == 1 else 'jobs'} failed" if self.failed else ""
        self.say(f"{self.steps or 'no step'} done{failed}; Snakemake's log: {', '.join(map(_relative, log))}")

    def say(self, text: str) -> None:
        """Print a message above the line of progress."""
        with self.writing:
            self._erase()
            self.stream.write(f"{text}\n")
            self.stream.flush()

    def _follow(self) -> None:
        while not self.ended.wait(LOOKED_EVERY):
            try:
                self._show(survey(index.read(self.pipeline.config.run)))
            except Exception as error:  # progress is a courtesy, and its faults must not disturb a run
                logging.getLogger(__name__).debug("no line of progress: %s", error)

    def _show(self, states: list[State]) -> None:
        now = time.monotonic()
        if now - self.estimated_at >= ESTIMATED_EVERY:
            self.hours_left, self.estimated_at = self._estimate(states), now
        states = [state for state in states if state.entry.weight is None]
        parts = [part for part in (messages.line(states, self.hours_left), self.steps) if part]
        text = "; ".join(parts)
        with self.writing:
            if self.ended.is_set():
                return
            if self.stream.isatty():
                self._erase()
                self.stream.write(text[: _columns()])
                self.shown = text
            elif text != self.shown and now - self.shown_at >= SHOWN_EVERY:
                self.stream.write(f"{text}\n")
                self.shown, self.shown_at = text, now
            self.stream.flush()

    def _estimate(self, states: list[State]) -> float | None:
        """Hours of training that are left; None if no speed of these cells is known."""
        config = self.pipeline.config
        left = {
            Cell.parse(state.entry.cell): state.epoch / state.epochs if state.epochs else 0.0
            for state in states
            if state.kind != "done" and state.step == "training" and state.entry.weight is None
        }
        settings = self.workflow.resource_settings
        if self.pipeline.local():
            kind, parallel = kind_and_parallel(config, settings.cores, self.pipeline.accelerators)
        else:
            kind, parallel = "cpu" if config.device == "cpu" else "cuda", settings.nodes or 1
        expected = estimate(config, left, kind, parallel, left)
        return expected.wall_hours if len(expected.unknown) < len(left) else None

    def _erase(self) -> None:
        if self.stream.isatty() and self.shown:
            self.stream.write("\r\033[K")


def attach(pipeline: Pipeline, workflow: Any) -> Screen | None:
    """Put a screen in the place of Snakemake's own output. None where that stays, as the module says."""
    settings = workflow.output_settings
    logger = workflow.logger_manager.logger
    own = next((handler for handler in logger.handlers if handler.name == SNAKEMAKES_OWN), None)
    asked = settings.quiet or settings.verbose or settings.dryrun or settings.debug_dag or settings.stdout
    if own is None or asked or not workflow.is_main_process:
        return None
    logger.removeHandler(own)
    screen = Screen(pipeline, workflow, sys.stderr)
    logger.addHandler(screen)
    return screen


def failure(error: dict[str, Any]) -> str:
    """What is said of a failed job: which one, why, and where its log is."""
    logs = [Path(path) for path in error.get("log") or []]
    lines = [f"failed: {_job(error, logs)}"]
    if said := error.get("rule_msg"):  # what the scheduler of a cluster knows, for instance of a time limit
        lines.append(f"  {said}")
    for log in logs:
        lines += [f"  {line}" for line in reason(log)]
    if len(lines) == 1:
        lines.append("  it left no log; it may have been killed, for instance for the memory that it used")
    return "\n".join([*lines, *(f"  log: {_relative(str(log))}" for log in logs)])


def _job(error: dict[str, Any], logs: list[Path]) -> str:
    """A failed job in words: a cell's name with what was done to it, or the name of the rule."""
    rule = str(error.get("rule_name"))
    parts = logs[0].parts if logs else ()
    if "cells" not in parts:
        return rule
    place = parts[parts.index("cells") + 1 :]
    seed = next((i for i, part in enumerate(place) if part.startswith("seed-")), None)
    if seed is None:
        return rule
    return f"{'measurement' if 'measurements' in place else 'training'} of {'/'.join(place[: seed + 1])}"


def _columns() -> int:
    return shutil.get_terminal_size().columns - 1


def _relative(path: str) -> str:
    try:
        return str(Path(path).resolve().relative_to(Path.cwd()))
    except ValueError:
        return path
