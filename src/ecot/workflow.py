"""What the workflow asks of a configuration: paths, parameters and resources of its jobs.

The rules are wiring only; everything that they compute is here, where it is typed and tested. Parameters are plain
ordered text: Snakemake reruns a job when they change.
"""

import hashlib
import os
import shlex
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

from ecot import config as configuration
from ecot.artefacts.names import MODEL, MODEL_FILES, RECORD
from ecot.config import JobResources
from ecot.data.sets import DATASETS
from ecot.errors import MistakeError
from ecot.files import write_text
from ecot.grid import fingerprint, index, paths, store
from ecot.grid.cell import Cell, point_pattern
from ecot.grid.plan import grid, measurement_settings, sweep, swept
from ecot.machine.leases import accelerators
from ecot.modes import MODES, Mode
from ecot.products.base import Product, inputs, products
from ecot.status.messages import on_the_cpu
from ecot.status.outlook import outlook

FINGERPRINT = "[0-9a-f]{16}"


class Pipeline:
    """The jobs of one configuration. MistakeError if the configuration is wrong.

    `local` says whether the jobs run on this machine; it is asked when the jobs are planned, not before.
    """

    def __init__(self, values: Mapping[str, Any], local: Callable[[], bool] = lambda: False) -> None:
        self.local = local
        configuration.check_size(values)
        self.config = configuration.validate(values)
        self.resolved = self.config.model_dump_json()
        self.results = paths.results_folder(self.config)
        self.logs = paths.logs_folder(self.config)
        self.cells = grid(self.config)
        self.products = products(self.config)
        self.modes = [MODES[name] for name in dict.fromkeys(cell.mode for cell in self.every_cell)]

    @cached_property
    def every_cell(self) -> list[Cell]:
        """The cells of the grid and of the sweeps of lambda."""
        return [*self.cells, *(cell for task in swept(self.config) for cell in sweep(self.config, task))]

    @cached_property
    def by_folder(self) -> dict[str, Cell]:
        """The cell whose model lies in a folder of the store; the grid's where a sweep has the same model."""
        return {str(paths.model_folder(self.config, cell)): cell for cell in reversed(self.every_cell)}

    @cached_property
    def accelerators(self) -> list[str]:
        """The accelerators of this machine that the configuration's device may use."""
        return [] if self.config.device == "cpu" else accelerators()

    @cached_property
    def config_file(self) -> Path:
        """The resolved configuration as a file for the jobs' commands, written on first use.

        It is named by its content and lies in Snakemake's own folder: a later configuration takes
        nothing from running jobs, and as no rule makes it, no job waits for or reruns because of it.
        """
        path = Path(".snakemake") / "ecot" / f"{hashlib.sha256(self.resolved.encode()).hexdigest()[:16]}.yaml"
        if not path.is_file():
            write_text(path, configuration.dump(self.config.model_dump()))
        return path

    def start(self) -> str:
        """Prepare a run: write its index, and correct dates that lie in the future. Returns words to the user.

        Snakemake throws away what a job has made if an input has a later date, as after a clock was set back. What
        reruns is decided by contents.
        """
        removed = index.removed(self.config)
        index.write(self.config)
        now = time.time()
        for folder in (paths.DATASETS, paths.CLASSIFIERS, paths.CELLS, self.results):
            for path in folder.rglob("*"):
                if path.is_file() and path.stat().st_mtime > now:
                    os.utime(path)
        removed_words = index.farewell(self.config.run, removed) if removed else None
        return "\n".join(filter(None, (removed_words, store.old_layout(self.config.run), self._without_gpu())))

    def _without_gpu(self) -> str | None:
        """What is said where trainings fall back on the CPU."""
        if self.config.device != "auto" or not self.local() or self.accelerators:
            return None
        found = outlook(self.config, devices=[])
        return on_the_cpu(self.config, found) if found.missing else None

    # Data sets and classifiers

    def dataset_version(self, wildcards: Any) -> int:
        """Parameter of the preparation of a data set."""
        return DATASETS[wildcards.dataset].version

    def require_classifier(self, wildcards: Any) -> str:
        """Parameter of a classifier's training; MistakeError if the path is not the configuration's."""
        expected = fingerprint.classifier(wildcards.dataset)
        if wildcards.fingerprint != expected:
            raise MistakeError(
                f"the classifier of {wildcards.dataset} has the fingerprint {expected} in this version"
            )
        return expected

    def dataset(self, task: str) -> str:
        """The array file of a task's data set."""
        return str(paths.dataset_path(self.config.tasks[task].dataset))

    def dataset_stamp(self, task: str) -> str:
        """The small file beside it that holds its checksum."""
        return str(Path(self.dataset(task)).with_suffix(".json"))

    def classifier(self, task: str) -> list[str]:
        """The classifier of a task's data set; none for a data set without labels."""
        name = self.config.tasks[task].dataset
        return [str(paths.classifier_path(name))] if DATASETS[name].labelled else []

    def classifier_stamp(self, task: str) -> list[str]:
        """The small file beside it."""
        return [str(Path(path).with_suffix(".json")) for path in self.classifier(task)]

    # Models

    def model_pattern(self, mode: Mode, name: str) -> str:
        """The pattern of a file of the mode's models."""
        return f"{paths.CELLS}/{{task}}/{mode.name}/{point_pattern(mode)}seed-{{seed}}/{{fingerprint}}/{name}"

    def model_files(self, mode: Mode) -> dict[str, str]:
        """The patterns of what a training of the mode writes."""
        return {Path(name).stem: self.model_pattern(mode, name) for name in MODEL_FILES}

    def log_pattern(self, mode: Mode, name: str) -> str:
        """The pattern of a log of the mode's trainings."""
        return str(paths.cell_logs(Path(self.model_pattern(mode, name))))

    def cell_of(self, folder: str) -> Cell:
        """The cell whose model lies in `folder`; MistakeError if it is no folder of this configuration."""
        if folder not in self.by_folder:
            raise MistakeError(
                f"{folder} is not the folder of a cell in this configuration: the cell's name, its settings or the"
                f" code are others; {self.results}/cells.csv lists the folders"
            )
        return self.by_folder[folder]

    def arguments(self, folder: str) -> str:
        """The arguments of a command that name the cell whose model lies in `folder`."""
        return self.cell_of(folder).arguments

    def trained_cell(self, wildcards: Any, output: Any) -> str:
        """Parameter of a training: the arguments that name its cell."""
        return self.arguments(str(Path(output.model).parent))

    def frozen_model(self, mode: Mode, wildcards: Any) -> list[str]:
        """The model that a cell builds on."""
        return self._frozen(mode, wildcards, MODEL)

    def frozen_record(self, mode: Mode, wildcards: Any) -> list[str]:
        """The run record of the model that a cell builds on: a small file that stands for it."""
        return self._frozen(mode, wildcards, RECORD)

    def _frozen(self, mode: Mode, wildcards: Any, name: str) -> list[str]:
        base = self.cell_of(str(Path(self.model_pattern(mode, MODEL).format(**wildcards)).parent)).builds_on
        return [] if base is None else [str(paths.model_folder(self.config, base) / name)]

    def models(self) -> list[str]:
        """The files of the model of every cell of the grid."""
        folders = [paths.model_folder(self.config, cell) for cell in self.cells]
        return [str(folder / name) for folder in folders for name in MODEL_FILES]

    # Measurements

    def measured_cell(self, wildcards: Any) -> str:
        """Parameter of a measurement: the arguments that name its cell; MistakeError if the path is another's."""
        folder = self._measured_folder(wildcards)
        cell = self.cell_of(folder)
        expected = paths.measurement_folder(self.config, cell).name
        if wildcards.measurement != expected:
            raise MistakeError(f"measurements of {cell.name} have the fingerprint {expected} in this configuration")
        return self.arguments(folder)

    def measured_together(self, wildcards: Any) -> str:
        """Group of a measurement: on a cluster those whose models are already there share jobs.

        A group waits for all that it needs, so a model that is still to be trained, which takes long and may fail, is
        measured in a group of its own. (Not in none: Snakemake would ask again, and be told otherwise, when the model
        is there.)
        """
        folder = self._measured_folder(wildcards)
        return "measure" if (Path(folder) / RECORD).is_file() else f"measure-{folder.replace('/', '-')}"

    @staticmethod
    def _measured_folder(wildcards: Any) -> str:
        return str(paths.CELLS / wildcards.task / wildcards.point / wildcards.fingerprint)

    def clean_scores_parameter(self, wildcards: Any) -> str:
        """Parameter of a task's clean scores: all that decides them besides data and classifier."""
        task = self.config.tasks[wildcards.task]
        return fingerprint.clean_scores(task.dataset, task.n_train, measurement_settings(self.config, wildcards.task))

    # Products

    def product_inputs(self, product: Product) -> dict[str, list[str]]:
        """The files that a product is made from, except the data sets."""
        return {
            kind: [str(path) for path in files if path.suffix != ".npz" or kind == "samples"]
            for kind, files in inputs(self.config, product).items()
        }

    def product_data(self, product: Product) -> list[str]:
        """The data sets that a product reads; their stamps, which are compared by content, stand for them."""
        return [str(path) for path in product.reads(self.config) if path.suffix == ".npz"]

    def product_files(self, name: str | None = None) -> list[str]:
        """The files of one product, or of all that the target `all` makes."""
        chosen = [self.products[name]] if name else [item for item in self.products.values() if item.in_all]
        return [str(path) for product in chosen for path in product.files(self.config)]

    def fitted_weights(self) -> list[str]:
        """The files of the sweeps of lambda. MistakeError if the configuration has none."""
        for task, settings in self.config.tasks.items():
            if settings.fit_weight and "end_to_end" in settings.modes:
                sweep(self.config, task)  # or the message why there is none
        fits = [name for name in self.products if name.startswith("fit_weight")]
        if not fits:
            raise MistakeError("fit_weight: no task of the configuration has weights and rates to sweep")
        for name in fits:
            self.products[name].check(self.config)
        return [path for name in fits for path in self.product_files(name)]

    def everything(self) -> str:
        """Parameter of what depends on the whole configuration, except on how it is run and on the sweeps."""
        not_shown = {"device": True, "compute": True, "resources": True, "data": True}
        return self.config.model_dump_json(exclude={**not_shown, "tasks": {"__all__": {"fit_weight"}}})

    # Resources

    def resources(self, job: str, gpu: bool = False) -> dict[str, Any]:
        """What a kind of job asks for besides cores.

        `gpu` says that the job can use a GPU; it asks for one unless the device is the CPU, or may be and there is no
        other on this machine. A job that was cut short, for memory, time or its node, asks for more at its next
        attempt.
        """
        base: JobResources = getattr(self.config.resources, job)
        wanted: dict[str, Any] = self._gpu() if gpu and self.config.device != "cpu" else {"gpu": 0}
        if self.config.device == "auto" and wanted["gpu"]:
            wanted["gpu"] = lambda wildcards, attempt: 0 if self.local() and not self.accelerators else 1
        return {"mem_mb": _growing(base.mem_mb), "runtime": _growing(base.runtime), **wanted}

    def _gpu(self) -> dict[str, Any]:
        """One GPU, in the words of Snakemake's Slurm plugin."""
        request = self.config.resources.gpu
        if request.option == "gres":
            return {"gpu": 0, "gres": _by_attempt([f"gpu:{model}:1" for model in request.models] or ["gpu:1"])}
        return {"gpu": 1, "gpu_model": _by_attempt(request.models)} if request.models else {"gpu": 1}


def shell_prefix(checkout: Path, config_file: Path, python: str | None) -> str:
    """What precedes the command of every job, in bash: `ecot`, and `logged LOG COMMAND...`.

    `ecot` is the package of `checkout` under the interpreter `python`, or under the one that an environment puts
    first if that is None, with the configuration `config_file`. `logged` writes a log. Snakemake removes it before
    the next attempt; of an attempt that did not succeed it stays as LOG.1, LOG.2, ..., a second name of the file.
    Raises MistakeError for a path in which the workflow cannot work.
    """
    if wrong := sorted(set("{}:\n") & set(str(checkout))):
        raise MistakeError(
            f"the checkout lies in {checkout}: Snakemake and Python cannot work in a path with {' '.join(wrong)};"
            " move or rename the folder"
        )
    interpreter = shlex.quote(python or "python")
    text = (
        f"set -euo pipefail; export PYTHONPATH={shlex.quote(str(checkout / 'src'))};"
        f' ecot() {{ {interpreter} -m ecot "$@" --config {shlex.quote(str(config_file))}; }};'
        ' logged() { local log="$1" n=1; shift; while [ -e "$log.$n" ]; do n=$((n + 1)); done;'
        ' : > "$log"; ln "$log" "$log.$n" 2> /dev/null || true; "$@" >> "$log" 2>&1 && rm -f "$log.$n"; }; '
    )
    return text.replace("{", "{{").replace("}", "}}")  # Snakemake formats it


def _growing(base: int) -> Callable[[Any, int], int]:
    """A resource in proportion to the attempt."""
    return lambda wildcards, attempt: attempt * base


def _by_attempt(values: list[str]) -> Callable[[Any, int], str]:
    """The value of an attempt, counted from 1; the last one stays."""
    return lambda wildcards, attempt: values[min(attempt, len(values)) - 1]
