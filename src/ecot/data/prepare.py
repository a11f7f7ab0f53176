"""Converting a data set to the one array file that everything else reads."""

import json
from pathlib import Path

import numpy as np

from ecot.data.arrays import SPLITS
from ecot.data.sets import DATASETS
from ecot.files import atomic, sha256, write_text


def prepare(name: str, root: Path, out: Path, *, download: bool = True) -> None:
    """Convert data set `name` to the array file `out` (.npz) and its stamp `out.with_suffix(".json")`.

    `root` holds the published files; missing ones are fetched if `download`. The samples are embedded and
    need neither. Two conversions of the same data give the same bytes. Raises EcotError for an unknown name and for
    files that are missing or damaged.
    """
    dataset = DATASETS[name]
    splits = dataset.read(root, download)
    arrays = {f"{split}_{kind}": array for split in SPLITS for kind, array in splits[split]._asdict().items()}
    with atomic(out) as temporary:
        np.savez(temporary, **arrays)
    stamp = {
        "name": name,
        "version": dataset.version,
        "source": dataset.source,
        "licence": dataset.licence,
        "sha256": sha256(out),
        "shapes": {split: list(splits[split].images.shape) for split in SPLITS},
    }
    write_text(out.with_suffix(".json"), json.dumps(stamp, indent=2) + "\n")
