"""Reference results: the small files of a finished run, kept in git, with what made them."""

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecot.cells import grid, results_folder
from ecot.config import Config
from ecot.errors import EcotError
from ecot.files import read_text, write_text
from ecot.provenance import commit
from ecot.reporting import metrics
from ecot.reporting.captions import missing_note

# What a reader looks at; models and samples of single cells stay where they are.
KEPT = ("config.yaml", "*.csv", "*.md", "bounds/*.csv", "tables/*", "figures/*", "fit_weight/*")
SAME = ("commit", "device", "python", "ecot", "torch", "numpy", "dataset_sha256", "tf32", "deterministic")


def keep(config: Config) -> Path:
    """Copy a run's results to results/reference/<run> and write reference.json beside them; that folder.

    EcotError if the run is not complete, or if there are reference results of its name: they are never overwritten.
    """
    run = results_folder(config)
    folder = run.parent / "reference" / config.run
    if folder.exists():
        raise EcotError(f"{folder} exists and is not overwritten; remove it first, or give the run another name")
    cells = list(grid(config))
    missing = metrics.read(cells, config).missing
    if missing:
        raise EcotError(f"run {config.run}: {missing_note(missing)[0]}")
    about = summary([json.loads(read_text(run / cell.folder / "run.json")) for cell in cells])
    for pattern in KEPT:
        for path in sorted(run.glob(pattern)):
            target = folder / path.relative_to(run)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    about |= {"date": datetime.now(UTC).date().isoformat(), "tables_commit": commit()}
    write_text(folder / "reference.json", json.dumps(about, indent=2) + "\n")
    return folder


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """What made the models, from their run.json: each value once, the times summed."""
    return {
        "cells": len(runs),
        "training_hours": round(sum(run["seconds"] for run in runs) / 3600, 2),
        "images_per_second": [
            min(run["images_per_second"] for run in runs),
            max(run["images_per_second"] for run in runs),
        ],
        **{name: sorted({str(run.get(name, "not recorded")) for run in runs}) for name in SAME},
    }
