"""The sample images of a task by rate: degraded, clean and the output of every setting, with its numbers."""

import base64
import io
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from ecot.config import Config
from ecot.grid.cell import Cell
from ecot.products import metrics
from ecot.products.report import sources
from ecot.products.report.charts import Kind, kinds
from ecot.quantities import QUANTITIES
from ecot.tasks import TASKS

SHOWN = ("mse_input", "mse_target", "gelbrich", "classifier_accuracy")  # the numbers beside images


def pictures(task: str, cells: Iterable[Cell], table: pd.DataFrame, config: Config) -> dict[str, Any] | None:
    """What the page shows of a task's images; None if no cell with images is measured.

    `cells` are those whose images are shown, `table` the rows of metrics of the task. Rates are bits per image; a
    setting without a rate has the key "".
    """
    arrays = {
        (Kind(cell.mode, cell.randomness, cell.dither), cell.rate_bits): found
        for cell in cells
        if cell.task == task and (found := sources.images(config, cell)) is not None
    }
    if not arrays:
        return None
    first = next(iter(arrays.values()))
    title, n = TASKS[task].title.lower(), len(first["x"])
    settings = []
    for kind in kinds(table):
        by_rate = {
            "" if rate is None else str(rate): {
                "src": data_uri(found["output"]),
                "alt": f"{n} outputs of {kind.label}" + ("" if rate is None else f" at {rate} bits"),
                "numbers": numbers(kind, rate, table),
            }
            for (other, rate), found in arrays.items()
            if other == kind
        }
        if by_rate:
            settings.append({"label": kind.label, "colour": kind.colour, "sign": kind.mark[1], "byRate": by_rate})
    rates = sorted({rate for _, rate in arrays if rate is not None})
    return {
        "rates": rates,
        "n": n,
        "degraded": {"src": data_uri(first["x"]), "alt": f"{n} degraded images, {title}"},
        "clean": {"src": data_uri(first["y"]), "alt": f"{n} clean images, {title}"},
        "settings": settings,
    }


def numbers(kind: Kind, rate: int | None, table: pd.DataFrame) -> list[list[str]]:
    """For each quantity of SHOWN its words and its mean with the spread over seeds."""
    cells = kind.of(table)
    cells = cells[cells.rate_bits.isna() if rate is None else cells.rate_bits == rate]
    lines = []
    for name in SHOWN:
        quantity = QUANTITIES[name]
        for mean in metrics.over_seeds(cells, name).itertuples():
            spread = "" if pd.isna(mean.std) else f" ± {mean.std:.{quantity.decimals}f}"
            lines.append([quantity.text, f"{mean.value:.{quantity.decimals}f}{spread}"])
    return lines


def data_uri(images: NDArray[np.float32]) -> str:
    """A row of images (n, c, h, w) in [0, 1] as one PNG in a data URI; what lies outside is clipped."""
    strip = np.concatenate([image.transpose(1, 2, 0) for image in np.asarray(images)], axis=1)
    pixels = (strip.clip(0, 1) * 255).round().astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels.squeeze()).save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
