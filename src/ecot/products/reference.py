"""Kept results: the small files of a finished run, in git, with what made them."""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecot.artefacts import DamagedError
from ecot.artefacts import record as run_record
from ecot.artefacts.names import HISTORY, RECORD, SETTINGS
from ecot.config import Config
from ecot.errors import EcotError
from ecot.files import write_text
from ecot.grid import index
from ecot.grid.paths import RESULTS, index_path, metrics_path, model_folder, results_folder
from ecot.grid.plan import cell_settings, grid
from ecot.products import metrics
from ecot.products.base import products, require
from ecot.products.captions import missing_note

OF_A_CELL = (RECORD, HISTORY, SETTINGS)  # the model and its samples stay where they are
SAME = (
    "commit",
    "device",
    "python",
    "ecot",
    "torch",
    "numpy",
    "dataset_sha256",
    "threads",
    "precision",
    "deterministic",
)


def keep(config: Config) -> Path:
    """Copy a run's results to results/reference/<run> and write reference.json beside them; returns that folder.

    Raises EcotError if the run is not complete, if a file of it is not what it should be, or if there are kept
    results of its name: they are never overwritten.
    """
    from ecot.artefacts.model import load

    folder = RESULTS / "reference" / config.run
    if folder.exists():
        raise EcotError(f"{folder} exists and is not overwritten; remove it first, or give the run another name")
    cells = grid(config)
    missing = [cell for cell in cells if not metrics_path(config, cell).is_file()]
    if missing:
        raise EcotError(f"run {config.run}: {missing_note(missing)[0]}")
    metrics.read(cells, config)
    for cell in cells:
        load(model_folder(config, cell), cell_settings(config, cell))
    files = dict(_files(config))
    about = summary([run_record.of_cell(model_folder(config, cell), cell_settings(config, cell)) for cell in cells])
    for target, source in files.items():
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, folder / target)
    about |= {"date": datetime.now(UTC).date().isoformat(), "tables_commit": run_record.commit()}
    write_text(folder / "reference.json", json.dumps(about, indent=2) + "\n")
    return folder


def _files(config: Config) -> Iterator[tuple[Path, Path]]:
    """What is kept: the path below the kept folder, and the file of the run.

    Raises EcotError if a file is missing; products that the target `all` does not make are kept where they are there.
    """
    run = results_folder(config)
    for path in (run / "config.yaml", index_path(config.run)):
        yield _there(path, "`ecot index` writes it").relative_to(run), path
    if (run / "config.yaml").read_bytes() != index.resolved(config).encode():
        raise DamagedError(run / "config.yaml", "it is not this configuration", "`ecot index` writes it anew")
    index.read(config.run)
    for product in products(config).values():
        require(config, product)
        for path in product.files(config):
            if product.in_all or path.is_file():
                yield _there(path, f"`ecot make {product.name}` writes it").relative_to(run), path
    for cell in grid(config):
        for name in OF_A_CELL:
            path = model_folder(config, cell) / name
            yield Path("cells", cell.name, name), _there(path, f"`ecot train {cell.name}` makes it")


def _there(path: Path, way_out: str) -> Path:
    if not path.is_file():
        raise EcotError(f"{path} is missing, so that the run is not complete; {way_out}")
    return path


def summary(records: list[dict[str, Any]]) -> dict[str, Any]:
    """What made the models, from their run records: each value once, the times summed."""
    return {
        "cells": len(records),
        "training_hours": round(sum(record["seconds"] for record in records) / 3600, 2),
        "images_per_second": [
            min(record["images_per_second"] for record in records),
            max(record["images_per_second"] for record in records),
        ],
        **{name: sorted({str(record.get(name, "not recorded")) for record in records}) for name in SAME},
    }
