"""What the workflow asks of a configuration: paths, parameters and resources of its jobs.

The rules are wiring only; everything that they compute is here, where it is typed and tested.
Parameters are plain ordered text: Snakemake reruns a job when they change and not otherwise.
"""

import hashlib
import os
import re
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import yaml

from ecot import config as configuration
from ecot.cells import (
    DATASETS,
    Cell,
    bounds_path,
    cell_settings,
    classifier_path,
    dataset_path,
    fitted_weight_path,
    grid,
    levels_path,
    logs_folder,
    measurement_settings,
    results_folder,
    sweep,
)
from ecot.config import NEEDS, Mode, Randomness, RuleResources
from ecot.errors import EcotError
from ecot.files import write_text
from ecot.provenance import code_hash
from ecot.reporting.catalogue import FIGURES, SIMULATED, TABLES, THEORY_FIGURES, architectures

Family = Mode | Literal["fit_weight"]  # of cells; those of the sweep are end to end, at a weight of their own

# The part of a cell's folder between family and seed.
POINTS: dict[Family, str] = {
    "end_to_end": "{randomness}/rate-{rate}/",
    "joint": "independent/rate-{rate}/",
    "separate": "independent/rate-{rate}/",
    "restoration": "",
    "baseline": "{randomness}/rate-{rate}/",
    "fit_weight": "weight-{weight}/{randomness}/rate-{rate}/",
}


class Pipeline:
    """The jobs of one configuration. EcotError if the configuration is wrong."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        configuration.check_size(values)
        self.config = configuration.validate(_typed(values))
        self.resolved = self.config.model_dump_json()
        self.results = results_folder(self.config)
        self.logs = logs_folder(self.config)
        self.cells = list(grid(self.config))
        self.rated = [cell for cell in self.cells if cell.rate_bits is not None]
        self.task_modules = [f"ecot.tasks.{task}" for task in self.config.tasks]
        self.tables = [number for number, table in TABLES.items() if table.cells(self.config)]
        self.architectures = sorted(architectures(self.config))
        self.figures = [number for number, figure in FIGURES.items() if figure.cells(self.config)]
        self.theory_figures = [f"figure_{number:02d}" for number in THEORY_FIGURES]
        self.theory_tables = [*self.theory_figures, *(f"figure_{number:02d}_points" for number in SIMULATED)]

    @cached_property
    def config_file(self) -> Path:
        """The resolved configuration as a file for the jobs' commands, written on first use.

        It is named by its content and lies in Snakemake's own folder: a later configuration takes
        nothing from running jobs, and as no rule makes it, no job waits for or reruns because of it.
        """
        path = Path(".snakemake") / "ecot" / f"{hashlib.sha256(self.resolved.encode()).hexdigest()[:16]}.yaml"
        if not path.is_file():
            write_text(path, yaml.safe_dump(self.config.model_dump(), sort_keys=False))
        return path

    def redate(self) -> None:
        """Give results of the future, written before the clock was set back, the present date.

        Snakemake throws away what a job has made if an input has a later date. What reruns is decided by contents.
        """
        now = time.time()
        for folder in (DATASETS, self.results):
            for path in folder.rglob("*"):
                if path.is_file() and path.stat().st_mtime > now:
                    os.utime(path)

    def dataset(self, wildcards: Any) -> str:
        """The array file that a cell is trained and measured on."""
        return str(dataset_path(self.config.tasks[wildcards.task].dataset))

    def dataset_stamp(self, wildcards: Any) -> str:
        """The small file beside it that holds its checksum."""
        return str(Path(self.dataset(wildcards)).with_suffix(".json"))

    def classifier(self, wildcards: Any) -> str:
        """The classifier of the data set that a cell is measured on."""
        return str(classifier_path(self.config.tasks[wildcards.task].dataset))

    def classifier_stamp(self, wildcards: Any) -> str:
        """The small file beside it that holds its checksum."""
        return str(Path(self.classifier(wildcards)).with_suffix(".json"))

    def metrics(self, cells: list[Cell]) -> list[str]:
        """The metrics of cells."""
        return [f"{self.results}/{cell.folder}/metrics.csv" for cell in cells]

    def table_metrics(self, wildcards: Any) -> list[str]:
        """The metrics that a table is made of."""
        return self.metrics(TABLES[int(wildcards.number)].cells(self.config))

    def figure_metrics(self, wildcards: Any) -> list[str]:
        """The metrics that a figure is made of."""
        return self.metrics(FIGURES[int(wildcards.number)].cells(self.config))

    def figure_bounds(self, wildcards: Any) -> list[str]:
        """The bounds of the tasks that a figure shows."""
        tasks = {cell.task: None for cell in FIGURES[int(wildcards.number)].cells(self.config)}
        return [str(bounds_path(self.config, task)) for task in tasks]

    def bounded(self, wildcards: Any) -> str:
        """Parameter of the bounds of a task: all that decides them beside the data, settings and code."""
        task = self.config.tasks[wildcards.task]
        measured = measurement_settings(self.config, wildcards.task).model_dump_json(include={"n_test", "seed"})
        code = code_hash("ecot.reporting.bounds")
        return f"{measured} {task.degradation.model_dump_json()} {task.rates()} {code}"

    def everything(self) -> str:
        """Parameter of what depends on the whole configuration, except how it is run and the sweeps."""
        not_shown = {"device": True, "compute": True, "resources": True, "data": True}
        return self.config.model_dump_json(exclude={**not_shown, "tasks": {"__all__": {"fit_weight"}}})

    def fitted_weights(self, _wildcards: Any) -> list[str]:
        """The fitted lambda of each task that has a sweep."""
        tasks = [task for task, settings in self.config.tasks.items() if settings.fit_weight]
        if not tasks:
            raise EcotError("fit_weight: no task of the configuration has weights and rates to sweep")
        return [f"{fitted_weight_path(self.config, task)}.json" for task in tasks]

    def sweep_metrics(self, wildcards: Any) -> list[str]:
        """The metrics that a fit of lambda is made of; EcotError if the paper has no numbers for it."""
        from ecot import paper  # needs a table library, and planning anything else does not

        cells = sweep(self.config, wildcards.task)
        paper.end_to_end(wildcards.task, sorted({cell.rate_bits for cell in cells if cell.rate_bits}))
        return self.metrics(cells)

    def cell_files(self, family: Family, name: str) -> str:
        """Pattern of a file of a family of cells, below results/<run>/ or logs/<run>/."""
        return f"cells/{{task}}/{family}/{POINTS[family]}seed-{{seed}}/{name}"

    def models(self, family: Family) -> dict[str, str]:
        """Patterns of what a training of that family writes."""
        names = {"model": "model.safetensors", "settings": "config.yaml", "history": "history.csv", "run": "run.json"}
        return {key: f"{self.results}/{self.cell_files(family, name)}" for key, name in names.items()}

    def frozen(self, mode: Mode) -> dict[str, str]:
        """Patterns of the model that a cell of that mode stands on, and of what stands for it."""
        folder = f"{self.results}/{self.cell_files(NEEDS[mode], '')}".replace("{randomness}", "independent")
        return {"model": f"{folder}model.safetensors", "run": f"{folder}run.json"}

    def trained(self, family: Family) -> Callable[[Any], str]:
        """Parameter of a training: all that decides its model, settings and code."""

        def parameter(wildcards: Any) -> str:
            settings = cell_settings(self.config, _cell(family, wildcards))
            return f"{settings.model_dump_json()} {code_hash('ecot.training.cell', f'ecot.tasks.{settings.task}')}"

        return parameter

    def training_command(self, mode: Mode) -> Callable[[Any], str]:
        """The command of a training and the options that name the cell."""

        def parameter(wildcards: Any) -> str:
            options = [f"--{name} {value}" for name, value in wildcards.items()]
            return " ".join([mode.replace("_", "-"), *options])

        return parameter

    def measured(self, wildcards: Any) -> str:
        """Parameter of a measurement: all that decides it and its model, settings and code.

        By the model's date alone, one that was trained anew with the clock set back would look measured already.
        """
        family, named = _named(wildcards.task, wildcards.variant)
        code = code_hash("ecot.evaluation.cell", f"ecot.tasks.{wildcards.task}")
        settings = measurement_settings(self.config, wildcards.task).model_dump_json()
        return f"{settings} {code} {self.trained(family)(named)}"

    def levelled(self, wildcards: Any) -> str:
        """Parameter of a task's levels: all that decides them beside data and classifier, settings and code."""
        measured = measurement_settings(self.config, wildcards.task).model_dump_json(exclude={"n_samples"})
        return f"{measured} {self.config.tasks[wildcards.task].n_train} {code_hash('ecot.evaluation.constraint')}"

    @property
    def bounds(self) -> list[str]:
        """The bounds of all tasks."""
        return [str(bounds_path(self.config, task)) for task in self.config.tasks]

    @property
    def levels(self) -> list[str]:
        """What the measures of the constraint give for clean images, of all tasks."""
        return [str(levels_path(self.config, task)) for task in self.config.tasks]

    def resources(self, job: str, gpu: bool = False) -> dict[str, Any]:
        """What a kind of job asks for beside cores.

        `gpu` says that the job can use a GPU; it asks for one unless the device is the CPU. A job that
        was cut short, for memory, time or its node, asks for more at its next attempt.
        """
        base = self._resources(job)
        wanted = self._gpu() if gpu and self.config.device != "cpu" else {"gpu": 0}
        return {"mem_mb": _growing(base.mem_mb), "runtime": _growing(base.runtime), **wanted}

    def _gpu(self) -> dict[str, Any]:
        """One GPU, in the words of Snakemake's Slurm plugin."""
        request = self.config.resources.gpu
        if request.option == "gres":
            return {"gpu": 0, "gres": _by_attempt([f"gpu:{model}:1" for model in request.models] or ["gpu:1"])}
        return {"gpu": 1, "gpu_model": _by_attempt(request.models)} if request.models else {"gpu": 1}

    def measured_together(self, wildcards: Any) -> str:
        """Group of a measurement: on a cluster those whose models are already there share jobs.

        A group waits for all that it needs, so a model that is still to be trained, which takes long and
        may fail, is measured in a group of its own. (Not in none: Snakemake would ask again, and be
        told otherwise, when the model is there.)
        """
        run = Path(self.results) / "cells" / wildcards.task / wildcards.variant / "run.json"
        return "measure" if run.is_file() else f"measure-{wildcards.task}-{wildcards.variant.replace('/', '-')}"

    def threads(self, job: str) -> int:
        """CPU cores of a kind of job."""
        return self._resources(job).threads

    def _resources(self, job: str) -> RuleResources:
        resources: RuleResources = getattr(self.config.resources, job)
        return resources


def _growing(base: int) -> Callable[[Any, int], int]:
    """A resource in proportion to the attempt."""
    return lambda wildcards, attempt: attempt * base


def _by_attempt(values: list[str]) -> Callable[[Any, int], str]:
    """The value of an attempt, counted from 1; the last one stays."""
    return lambda wildcards, attempt: values[min(attempt, len(values)) - 1]


def _named(task: str, variant: str) -> tuple[Family, SimpleNamespace]:
    """The family of the cells in a folder below their task's, and the wildcards that name the one."""
    for family, point in POINTS.items():
        pattern = re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", f"{family}/{point}seed-{{seed}}")
        if found := re.fullmatch(pattern, variant):
            return family, SimpleNamespace(task=task, **found.groupdict())
    raise EcotError(f"{variant} is no folder of a cell")


def _cell(family: Family, wildcards: Any) -> Cell:
    """The cell that a rule's wildcards name."""
    rate = int(wildcards.rate) if "{rate}" in POINTS[family] else None
    randomness: Randomness | None = "independent" if rate else None
    if "{randomness}" in POINTS[family]:
        randomness = wildcards.randomness
    if family == "fit_weight":
        return Cell(wildcards.task, "end_to_end", randomness, rate, int(wildcards.seed), float(wildcards.weight))
    return Cell(wildcards.task, family, randomness, rate, int(wildcards.seed))


def _typed(value: Any) -> Any:
    """Snakemake reads the inner values of `--config` as text; here they become what YAML says they are."""
    if isinstance(value, Mapping):
        return {key: _typed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_typed(inner) for inner in value]
    if isinstance(value, str):
        try:
            parsed = yaml.safe_load(value) if value.strip() else value
        except (ValueError, RecursionError, yaml.YAMLError):
            return value
        return parsed if isinstance(parsed, bool | int | float | None) else value
    return value
