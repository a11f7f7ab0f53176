"""One encode and decode: the test images of a trained cell in a file, and back."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ecot.artefacts.names import RECORD
from ecot.config import Config
from ecot.files import atomic, write_text
from ecot.grid.cell import Cell
from ecot.grid.paths import dataset_path, model_folder, results_folder
from ecot.grid.plan import measurement_settings, rated, tasks
from ecot.products.base import Product, declare
from ecot.products.tables import markdown
from ecot.tasks import TASKS

SHOWN = 16  # images in the picture
COLUMNS = [
    "Images", "Bytes of the file", "Bits per image", "without its head", "ideally", "d log2(L)", "E‖X − Ŷ‖²",
]  # fmt: skip


@dataclass(frozen=True)
class FileRoundTrip(Product):
    """codec/<task>.{md,json,png,ecot}: a table, its numbers, a picture of X and of what is decoded, the file."""

    cell: Cell
    environment = "torch"

    def reads(self, config: Config) -> list[Path]:
        return [dataset_path(config.tasks[self.cell.task].dataset), model_folder(config, self.cell) / RECORD]

    def files(self, config: Config) -> list[Path]:
        return [
            results_folder(config) / "codec" / f"{self.cell.task}{suffix}"
            for suffix in (".md", ".json", ".png", ".ecot")
        ]

    def write(self, config: Config, folder: Path) -> None:
        from ecot.codec import codec
        from ecot.coding import container
        from ecot.data.arrays import load
        from ecot.evaluation.pictures import save_sheet

        measurement = measurement_settings(config, self.cell.task)
        model = codec.load(model_folder(config, self.cell))
        images = load(dataset_path(model.settings.dataset), "test", measurement.n_test).images
        images = images[: container.MOST_IMAGES]
        x = model.degrade(images, measurement.seed)
        encoded = model.encode(x, measurement.seed)
        path = folder / "codec" / f"{self.cell.task}.ecot"
        with atomic(path) as temporary:
            temporary.write_bytes(model.to_bytes(encoded))
        content = path.read_bytes()
        decoded = model.decode(model.from_bytes(content), measurement.seed)
        save_sheet(path.with_suffix(".png"), {"X, degraded": x[:SHOWN], "decoded": decoded[:SHOWN]})
        n, head = len(x), container.overhead(self.cell.task)
        distortion = float(np.mean((x - decoded) ** 2))
        taken = {"images": n, "bytes": len(content), "bits_per_image": 8 * len(content) / n, "distortion": distortion}
        write_text(path.with_suffix(".json"), json.dumps(taken, indent=2) + "\n")
        numbers = [
            f"{n:,}", f"{len(content):,}", f"{8 * len(content) / n:.2f}", f"{8 * (len(content) - head) / n:.2f}",
            f"{model.ideal_bits(encoded):.2f}", str(model.limit_bits), f"{distortion:.4f}",
        ]  # fmt: skip
        notes = [
            f"`ecot encode` and `ecot decode` with the model of {self.cell.name}; above X, below what is decoded."
        ]
        write_text(path.with_suffix(".md"), markdown(self.title, notes, [("", [COLUMNS, numbers])]))


@declare
def _products(config: Config) -> Iterator[FileRoundTrip]:
    for task in tasks(config):
        cells = [cell for cell in rated(config) if (cell.task, cell.mode) == (task, "end_to_end")]
        cells = [cell for cell in cells if cell.randomness == "common"] or cells
        if cells:
            title = TASKS[task].title
            yield FileRoundTrip(
                f"file_round_trip_{task}",
                f"A file of compressed images: {title}",
                f"{title}: the test images, degraded, encoded to one file and decoded from it, and what it takes.",
                "Figures",
                sorted(cells, key=lambda cell: (cell.seed, cell.rate_bits))[len({c.rate_bits for c in cells}) // 2],
            )
