"""Make the embedded data from the originals: `python resources/make.py MNIST_ROOT PHOTO_FOLDER`.

MNIST_ROOT holds MNIST/raw; PHOTO_FOLDER holds china.jpg and flower.jpg. Prints the SHA-256 of every file, for
src/ecot/data/resources.py.
"""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from ecot.data.resources import CHECKSUMS, RESOURCES
from ecot.data.sets import mnist
from ecot.files import atomic, sha256

N_TRAIN, N_TEST = 4_000, 1_000


def make_sample(mnist_root: Path) -> None:
    """Write the first digits of MNIST's two parts to mnist_sample.npz."""
    train, test = mnist.read(mnist_root, download=False).values()
    with atomic(RESOURCES / "mnist_sample.npz") as temporary:
        np.savez_compressed(
            temporary,
            train_images=train.images[:N_TRAIN],
            train_labels=train.labels[:N_TRAIN],
            test_images=test.images[:N_TEST],
            test_labels=test.labels[:N_TEST],
        )


def make_photograph(source: Path) -> None:
    """Write a photograph at half its size, without loss, so that it decodes alike everywhere."""
    photograph = Image.open(source).convert("RGB")
    size = round(photograph.width / 2), round(photograph.height / 2)
    with atomic(RESOURCES / "photographs" / f"{source.stem}.png") as temporary:
        photograph.resize(size, Image.Resampling.LANCZOS).save(temporary, optimize=True)


def main(mnist_root: Path, photo_folder: Path) -> None:
    make_sample(mnist_root)
    for stem in ("china", "flower"):
        make_photograph(photo_folder / f"{stem}.jpg")
    for name in CHECKSUMS:
        print(f'    "{name}": "{sha256(RESOURCES / name)}",')


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
