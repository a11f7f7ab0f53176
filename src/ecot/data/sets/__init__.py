"""The data sets: one module per data set, with its description, its files and its reader.

No module here imports torch or reads anything when it is imported.
"""

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ecot.data.arrays import Splits
from ecot.registry import Registry


@dataclass(frozen=True)
class Dataset:
    """What a data set is, and how its images are read.

    `version` is raised when `read` gives other images for the same name: models trained on the earlier ones are then
    another model's. `read(root, download)` gives uint8 images (n, *image_shape) and labels of both splits; `root` is
    the folder of the published files, and `download` allows it to fetch what is missing. Labels are digits, 0 to 9; a
    data set without labels has an empty array of them.
    """

    name: str
    title: str  # for captions
    version: int
    image_shape: tuple[int, int, int]  # channels, height, width
    n_train: int
    n_test: int
    licence: str
    source: str
    read: Callable[[Path, bool], Splits]
    labelled: bool = True
    own: bool = False  # of a configuration, which names the images; see `ecot.data.folder`


DATASETS: Registry[Dataset] = Registry("data set")

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
