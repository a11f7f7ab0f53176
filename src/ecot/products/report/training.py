"""How the cells of a run were trained: their losses by epoch, times and devices."""

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from ecot.artefacts import record as run_record
from ecot.artefacts.names import HISTORY, RECORD
from ecot.config import Config
from ecot.grid.cell import Cell
from ecot.grid.paths import model_folder
from ecot.grid.plan import cell_settings, grid
from ecot.modes import MODES
from ecot.products import reference
from ecot.products.report import sheets, sources
from ecot.products.report.charts import Chart, Kind
from ecot.tasks import TASKS

RECORDED = ("seconds", "images_per_second", "peak_memory_mb", "device", "torch", "commit", "resumed")
X = "epoch"


def histories(config: Config) -> list[dict[str, Any]]:
    """For each mode of each task its cells, each with one list per column of its history.

    A cell whose history is not there, because it is not trained, is left out.
    """
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for cell in grid(config):
        path = model_folder(config, cell) / HISTORY
        if path.is_file():
            kind = Kind(cell.mode, cell.randomness, cell.dither)
            table = sources.table(path)
            groups.setdefault((cell.task, cell.mode), []).append(
                {
                    "label": ", ".join(cell.title.split(", ")[2:]),
                    "colour": "ink" if cell.rate_bits is None else f"rate-{cell.rate_bits}",
                    "dash": kind.dash,
                    "columns": {name: [float(f"{value:.4g}") for value in table[name]] for name in table},
                }
            )
    return [
        {"label": f"{TASKS[task].title}, {MODES[mode].title}", "cells": cells}
        for (task, mode), cells in groups.items()
    ]


def chart() -> Chart:
    """The chart of the histories without curves, which the page puts in."""
    empty = Chart(go.Figure(), "A loss of every cell of one mode against the epoch; the table of run times is below.")
    empty.figure.update_layout(
        xaxis={"title": "epoch", "rangemode": "tozero"}, yaxis={"automargin": True}, height=420
    )
    return empty


def records(config: Config) -> dict[Cell, dict[str, Any]]:
    """The run records of the trained cells. DamagedError if one, or a history, is not that of its cell."""
    folders = {cell: model_folder(config, cell) for cell in grid(config)}
    return {
        cell: run_record.of_cell(folder, cell_settings(config, cell))
        for cell, folder in folders.items()
        if (folder / RECORD).is_file()
    }


def machine(found: dict[Cell, dict[str, Any]]) -> list[tuple[str, str]]:
    """What made the models: each value once, times summed."""
    if not found:
        return []
    about = reference.summary(list(found.values()))
    return [
        (name.replace("_", " "), ", ".join(map(str, value)) if isinstance(value, list) else str(value))
        for name, value in about.items()
    ]


def times(found: dict[Cell, dict[str, Any]]) -> sheets.Sheet:
    """Run times and devices, one row per cell."""
    rows = [{"cell": cell.title, **{name: record.get(name) for name in RECORDED}} for cell, record in found.items()]
    caption = "How long each training took and on what; a training that was cut short says how often it was resumed."
    return sheets.sheet("Run times and devices", caption, "run.json of each cell", pd.DataFrame(rows))
