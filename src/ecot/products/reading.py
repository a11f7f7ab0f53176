"""Reading tables of what is known of a task's data, beside the metrics of cells: each is compared with the task."""

import csv
import io
from pathlib import Path

import pandas as pd

from ecot import sealed
from ecot.artefacts import DamagedError
from ecot.artefacts import metrics as row
from ecot.config import Config
from ecot.data.arrays import stated_checksum
from ecot.files import read_text
from ecot.grid import fingerprint
from ecot.grid.paths import clean_scores_path, dataset_path
from ecot.grid.plan import measurement_settings, task_settings
from ecot.quantities import measures

MadeFor = dict[str, str | None]
# What reading a table of another kind raises.
DAMAGED = (OSError, ValueError, KeyError, AttributeError, TypeError, csv.Error)
IMAGES = {"test", "training"}  # the clean images that are scored


def made_for(config: Config, task: str, decided_by: str) -> MadeFor:
    """What a table of a task is made for: the task, its data as they are prepared now, and a fingerprint."""
    dataset = task_settings(config, task).dataset
    data = stated_checksum(dataset_path(dataset))
    return {"task": task, "dataset": dataset, "dataset_sha256": data, "fingerprint": decided_by}


def table(path: Path, expected: MadeFor) -> pd.DataFrame:
    """A small table (.csv) without its marks; a rate is an integer or missing.

    Raises one of DAMAGED if it cannot be read, is too large, was made for something else, or was edited.
    """
    text = read_text(path)
    rows = sealed.rows(text)
    sealed.require(rows, expected)
    sealed.verify(rows)
    found = pd.read_csv(io.StringIO(text), dtype={"rate_bits": "Int64"})
    return found.drop(columns=[*expected, sealed.CHECKSUM])


def clean_scores_made_for(config: Config, task: str) -> MadeFor:
    """What the clean scores of a task are made for: all that decides them."""
    settings, measurement = task_settings(config, task), measurement_settings(config, task)
    return made_for(config, task, fingerprint.clean_scores(settings.dataset, settings.n_train, measurement))


def clean_scores(config: Config, task: str) -> pd.DataFrame | None:
    """What each measure gives for clean images of a task, indexed by `test` and `training`; None if not computed.

    Raises DamagedError if the file is not that of the task, or has a value that no measure gives.
    """
    path = clean_scores_path(config, task)
    if not path.is_file():
        return None
    try:
        scores = table(path, clean_scores_made_for(config, task)).set_index("images")
        if sorted(scores.index) != sorted(IMAGES):
            raise ValueError(f"its rows are {', '.join(map(str, scores.index))}")
        for name in measures():
            for value in scores[name]:
                row.check(name, float(value))
    except DAMAGED as error:
        raise DamagedError(path, error, f"`ecot clean-scores {task}` makes it again") from None
    return scores
