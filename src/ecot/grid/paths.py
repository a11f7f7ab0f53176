"""Where files lie, relative to the working directory. Every path is a function of the configuration alone."""

from pathlib import Path

from ecot.config import Config
from ecot.grid import fingerprint
from ecot.grid.cell import Cell
from ecot.grid.plan import cell_settings, measurement_settings

RESULTS = Path("results")
CELLS = RESULTS / "cells"  # trained models, shared by all runs
DATASETS = RESULTS / "datasets"  # prepared data sets, shared by all runs
CLASSIFIERS = RESULTS / "classifiers"  # shared by all runs
LOGS = Path("logs")


def results_folder(config: Config) -> Path:
    """The folder of a run's configuration, index and products."""
    return RESULTS / config.run


def logs_folder(config: Config) -> Path:
    """The folder of a run's logs and benchmarks."""
    return LOGS / config.run


def index_path(run: str) -> Path:
    """The index of a run's cells."""
    return RESULTS / run / "cells.csv"


def dataset_path(name: str) -> Path:
    """The array file of a prepared data set; its stamp has the suffix .json."""
    return DATASETS / f"{name}.npz"


def classifier_path(dataset: str) -> Path:
    """The classifier of a data set; its stamp has the suffix .json."""
    return CLASSIFIERS / dataset / fingerprint.classifier(dataset) / "classifier.safetensors"


def model_folder(config: Config, cell: Cell) -> Path:
    """The folder of a cell's model: model.safetensors, config.yaml, history.csv, run.json."""
    return CELLS / cell.name / fingerprint.trained(cell_settings(config, cell))


def measurement_folder(config: Config, cell: Cell) -> Path:
    """The folder of a cell's measurement: metrics.csv, samples.npz, samples.png."""
    measured = fingerprint.measured(cell_settings(config, cell), measurement_settings(config, cell.task))
    return model_folder(config, cell) / "measurements" / measured


def metrics_path(config: Config, cell: Cell) -> Path:
    """The row of metrics of a cell."""
    return measurement_folder(config, cell) / "metrics.csv"


def samples_path(config: Config, cell: Cell) -> Path:
    """The sample images of a cell: arrays x, y and output."""
    return measurement_folder(config, cell) / "samples.npz"


def cell_logs(folder: Path) -> Path:
    """The folder of the logs of a model in the store."""
    return LOGS / folder.relative_to(RESULTS)


def image_bounds_path(config: Config, task: str) -> Path:
    """What the test images of a task say about its distortion before anything is trained."""
    return results_folder(config) / "bounds" / f"images_{task}.csv"


def clean_scores_path(config: Config, task: str) -> Path:
    """What the measures of the output law give for clean images."""
    return results_folder(config) / "constraint" / f"clean_scores_{task}.csv"
