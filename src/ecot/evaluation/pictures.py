"""Images of several kinds as one picture, one kind in each row."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ecot.files import atomic

if TYPE_CHECKING:
    from PIL.Image import Image

ENLARGED = 4  # a side of a pixel in the picture


def save_sheet(path: Path, rows: Mapping[str, NDArray[np.float32]]) -> None:
    """Write rows of images (n, c, h, w) in [0, 1], each with its name, as one picture (.png)."""
    with atomic(path) as temporary:
        labelled(sheet(list(rows.values())), list(rows)).save(temporary)


def sheet(rows: list[NDArray[np.float32]]) -> NDArray[np.uint8]:
    """Rows of images (n, c, h, w) in [0, 1] as one picture (rows * h, n * w[, 3]), nothing between them."""
    lines = [np.concatenate([image.transpose(1, 2, 0) for image in row], axis=1) for row in rows]
    picture = np.concatenate(lines).clip(0, 1) * 255
    return picture.round().astype(np.uint8).squeeze()


def labelled(picture: NDArray[np.uint8], rows: list[str]) -> "Image":
    """A picture of rows of images, ENLARGED times, with the name of each row to its left."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(picture).convert("RGB")
    image = image.resize((image.width * ENLARGED, image.height * ENLARGED), Image.Resampling.NEAREST)
    height = image.height // len(rows)
    font = ImageFont.load_default(height // 5)
    margin = round(max(font.getlength(name) for name in rows)) + height // 4
    page = Image.new("RGB", (image.width + margin, image.height), "white")
    page.paste(image, (margin, 0))
    draw = ImageDraw.Draw(page)
    for i, name in enumerate(rows):
        draw.text((height // 8, height * i + height // 2), name, "black", font, anchor="lm")
    return page
