"""What the report reads beside the metrics of cells, each file through its reader."""

import io
from pathlib import Path

import pandas as pd

from ecot.artefacts import DamagedError, samples
from ecot.config import Config
from ecot.files import read_text
from ecot.grid.cell import Cell
from ecot.grid.paths import results_folder, samples_path
from ecot.products import constraint, image_bounds, metrics

WAY_OUT = "delete it and run the same command again, which makes it again"


def table(path: Path) -> pd.DataFrame:
    """The table of a product, or a history (.csv). DamagedError if it cannot be read."""
    try:
        return pd.read_csv(io.StringIO(read_text(path)), dtype={"rate_bits": "Int64"})
    except (OSError, ValueError) as error:
        raise DamagedError(path, error, WAY_OUT) from None


def product_table(path: Path, config: Config, folder: Path) -> pd.DataFrame | None:
    """The table that a product has written to `path`, in the run's folder, or else to the same place below `folder`,
    where an incomplete one stands in for it; None if there is neither."""
    stand_in = folder / path.relative_to(results_folder(config))
    return next((table(there) for there in (path, stand_in) if there.is_file()), None)


def bounds(config: Config, task: str) -> pd.DataFrame | None:
    """The bounds of a task, indexed by bound; None if they are not computed."""
    return image_bounds.read(config, task)


def clean_gaps(config: Config, task: str) -> dict[str, float]:
    """The Gelbrich distance of clean images to pY by the images, test or training; nothing if not computed."""
    scores = constraint.clean_scores(config)
    return {str(images): float(row["gelbrich"]) for (name, images), row in scores.iterrows() if name == task}


def images(config: Config, cell: Cell) -> samples.Samples | None:
    """The sample images of a cell; None if it is not measured."""
    path = samples_path(config, cell)
    return samples.read(path, metrics.key(config, cell)) if path.is_file() else None
