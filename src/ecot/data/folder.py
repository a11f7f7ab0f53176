"""Data sets of a user's own images: a folder of PNG or JPEG files, or one .npz.

A configuration names them under `datasets`. Which images a name stands for is decided by their content, so the
version of such a data set is a hash of the images and of how they are read and split: other images are another data
set.
"""

import hashlib
import json
import math
import tokenize
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from ecot.coding import randomness
from ecot.data import messages
from ecot.data.arrays import Split, Splits
from ecot.data.sets import DATASETS, Dataset
from ecot.files import expanded, sha256
from ecot.settings import Settings

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = {".png", ".jpg", ".jpeg"}
FEWEST_TEST = 4  # the measures halve the test set twice
MOST = 1_000_000  # images
MOST_BYTES = 1 << 33  # of the images of an .npz
KINDS = {"1", "L", "P", "RGB"}  # Pillow's modes that are grey or RGB with 8 bits
# What Pillow, numpy and zipfile raise for files of another kind.
UNREADABLE = (OSError, ValueError, KeyError, EOFError, SyntaxError, zipfile.BadZipFile, tokenize.TokenError)


class FolderSettings(Settings):
    """A data set of own images: where they are, what they are, and how they are split."""

    path: str = Field(
        description="a folder of PNG or JPEG files, or an .npz with `images`, uint8 (n, h, w[, 1 or 3]); ~ and $NAME"
        " count"
    )
    colours: Literal["grey", "rgb"] = Field(description="what the images are turned into where they are not it")
    size: int = Field(ge=4, le=1024, description="side of the images, pixels: 28 or 32 for the networks as they are")
    resize: bool = Field(
        False, description="cut images of other sizes to a square about their middle and resize them; false: refuse"
    )
    n_test: int = Field(ge=FEWEST_TEST, description="how many images are drawn for the test set")
    seed: int = Field(0, ge=0, description="fixes which images these are, and the order of all")
    labels: bool = Field(False, description="whether the .npz has `labels`, digits 0 to 9, one for each image")
    content: str | None = Field(
        None,
        pattern="^[0-9a-f]{64}$",
        description="SHA-256 of the images; null: taken at the start and written into the resolved configuration",
    )
    n_images: int | None = Field(None, ge=1, description="how many there are; null: counted at the start")

    @field_validator("path")
    @classmethod
    def _known_variables(cls, path: str) -> str:
        expanded(path)
        return path

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        return (1 if self.colours == "grey" else 3, self.size, self.size)

    @property
    def version(self) -> int:
        """A number that decides the arrays: 52 bits of a hash of the images and of how they are read and split."""
        decides = self.model_dump(exclude={"path", "n_images"})
        return int(hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:13], 16)


def register(datasets: Mapping[str, FolderSettings]) -> dict[str, FolderSettings]:
    """Register the data sets of a configuration; their settings, with `content` and `n_images` filled in.

    Raises MistakeError with a line for each that cannot be found or has too few images.
    """
    faults: list[str] = []
    found: dict[str, FolderSettings] = {}
    for name, settings in datasets.items():
        try:
            found[name] = _identified(settings)
        except UNREADABLE as error:
            faults.append(messages.own_images(name, error))
    if faults:
        raise messages.mistakes(faults)
    for name, settings in found.items():
        n = settings.n_images or 0
        DATASETS.put(
            Dataset(
                name,
                f"{name} (own images)",
                settings.version,
                settings.image_shape,
                n - settings.n_test,
                settings.n_test,
                "the owner's",
                settings.path,
                partial(_read, name, settings),
                settings.labels,
                own=True,
            )
        )
    return found


def _identified(settings: FolderSettings) -> FolderSettings:
    """The settings with the SHA-256 and the number of the images that lie at their path now, if they state none."""
    if settings.content is None or settings.n_images is None:
        content, n = _content(expanded(settings.path))
        if settings.content not in (None, content):
            raise ValueError(messages.other_content(settings.path, content))
        settings = settings.model_copy(update={"content": content, "n_images": n})
    if not settings.n_test < (settings.n_images or 0) <= MOST:
        raise ValueError(messages.number_of_images(settings.path, settings.n_images or 0, settings.n_test, MOST))
    return settings


def _content(path: Path) -> tuple[str, int]:
    """The SHA-256 of the images at `path`, of an .npz or of the names and contents of files, and their number."""
    if path.is_dir():
        files = _files(path)
        lines = "".join(f"{sha256(file)}  {file.relative_to(path).as_posix()}\n" for file in files)
        return hashlib.sha256(lines.encode()).hexdigest(), len(files)
    if path.suffix != ".npz" or not path.is_file():
        raise ValueError(messages.no_images_at(path))
    return sha256(path), _shape(path, "images")[0]


def _files(folder: Path) -> list[Path]:
    """The PNG and JPEG files in a folder and below it, by name; hidden ones do not count."""
    found = [path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()]
    return sorted(path for path in found if not any(part.startswith(".") for part in path.relative_to(folder).parts))


def _read(name: str, settings: FolderSettings, root: Path, download: bool) -> Splits:
    """Both splits, as the settings say. Raises MistakeError for images that are not what they say."""
    path = expanded(settings.path)
    try:
        if (content := _content(path)[0]) != settings.content:
            raise ValueError(messages.other_content(settings.path, content))
        labels = _labels(path) if settings.labels else np.zeros(0, np.uint8)
        images = _images(settings, _folder(path) if path.is_dir() else _arrays(path))
        if len(labels) not in (0, len(images)):
            raise ValueError(f"{path} has {len(images)} images and {len(labels)} labels")
    except UNREADABLE as error:
        raise messages.mistakes([messages.own_images(name, error)]) from None
    stream = np.random.Generator(np.random.Philox(key=randomness.key(settings.seed, "own images")))
    order = stream.permutation(len(images))
    test, train = order[: settings.n_test], order[settings.n_test :]
    return {
        "train": Split(images[train], labels[train] if settings.labels else labels),
        "test": Split(images[test], labels[test] if settings.labels else labels),
    }


def _images(settings: FolderSettings, pictures: Iterable[tuple[str, "Image"]]) -> NDArray[np.uint8]:
    """The images as one array (n, channels, size, size)."""
    from PIL import Image, ImageOps

    side, mode = (settings.size, settings.size), "L" if settings.colours == "grey" else "RGB"
    made, other_sizes = [], []
    for name, picture in pictures:
        if picture.mode not in KINDS or "transparency" in picture.info:
            raise ValueError(messages.kind_of_image(name, picture.mode))
        upright = ImageOps.exif_transpose(picture)
        if upright.size == side:
            made.append(np.asarray(upright.convert(mode)))
        elif settings.resize:
            made.append(np.asarray(ImageOps.fit(upright.convert(mode), side, Image.Resampling.LANCZOS)))
        else:
            other_sizes.append(f"{name} ({upright.width} x {upright.height})")
    if other_sizes:
        raise ValueError(messages.other_sizes(other_sizes, len(made) + len(other_sizes), settings.size))
    return np.ascontiguousarray(np.stack(made).reshape(len(made), *side, -1).transpose(0, 3, 1, 2))


def _folder(folder: Path) -> Iterator[tuple[str, "Image"]]:
    from PIL import Image

    for path in _files(folder):
        try:
            with Image.open(path) as picture:
                picture.load()
                yield str(path), picture
        except (*UNREADABLE, Image.DecompressionBombError) as error:
            raise ValueError(f"{path} cannot be read ({error})") from None


def _arrays(path: Path) -> Iterator[tuple[str, "Image"]]:
    from PIL import Image

    shape = _shape(path, "images")
    with np.load(path, allow_pickle=False) as arrays:
        images = arrays["images"].reshape(shape[:3] if shape[3:] == (1,) else shape)
    for i, image in enumerate(images):
        yield f"image {i} of {path}", Image.fromarray(image)


def _labels(path: Path) -> NDArray[np.uint8]:
    """The labels (n,) of an .npz."""
    if path.is_dir():
        raise ValueError("labels: a folder of images has none; write labels: false")
    _shape(path, "labels")
    with np.load(path, allow_pickle=False) as arrays:
        labels: NDArray[np.uint8] = arrays["labels"]
    if labels.size and labels.max() > 9:
        raise ValueError(f"{path} has labels up to {labels.max()}; the measures that use labels know 0 to 9")
    return labels


def _shape(path: Path, name: str) -> tuple[int, ...]:
    """The shape of an array of an .npz, by its header: before memory is taken for it."""
    with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as member:
        np.lib.format.read_magic(member)
        shape, _, dtype = np.lib.format.read_array_header_1_0(member)
    right = len(shape) == 1 if name == "labels" else len(shape) == 3 or (len(shape) == 4 and shape[3] in (1, 3))
    if not right or dtype != np.uint8 or not 0 < math.prod(shape) <= MOST_BYTES:
        raise ValueError(messages.shape_of_array(path, name, shape, dtype))
    return shape
