"""Street digits: MNIST digits on patches of photographs, a freely licensed stand-in for SVHN.

The recipe is MNIST-M's (Ganin et al., "Domain-adversarial training of neural networks", JMLR 2016,
section 5.2.4): image = |patch - digit| in each colour channel, here at SVHN's size of 32x32. The patches
of the test images come from the middle third of the photographs' height and those of the training images
from the thirds above and below, so that no background of the test set has been seen in training and yet both
have all that the photographs show: sky, leaves, roofs and petals.
"""

from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image

from ecot.data.resources import resource

SIDE = 32  # pixels, as in SVHN
PHOTOGRAPHS = ("photographs/china.png", "photographs/flower.png")  # both of one size
KEY = 0x5745_4554  # any constant: changing it changes every image
CHUNK = 4096  # images made at once: 12 MiB of pixels


def street_digits(digits: NDArray[np.uint8], split: Literal["train", "test"]) -> NDArray[np.uint8]:
    """Put digits, uint8 (n, 1, 28, 28), on photographs: uint8 (n, 3, 32, 32).

    Image i depends on digit i, `split` and i alone, the same on every machine: Philox's counter i gives
    four 64-bit words, and they choose the photograph, the row, the column and the left-right flip.
    """
    patches, tops = _patches(split)
    words = np.random.Philox(key=[KEY, int(split == "test")]).random_raw(4 * len(digits)).reshape(-1, 4)
    photograph = (words[:, 0] % patches.shape[0]).astype(np.intp)
    row = tops[(words[:, 1] % len(tops)).astype(np.intp)]
    column = (words[:, 2] % patches.shape[2]).astype(np.intp)
    flip = (words[:, 3] % 2).astype(bool)

    margin = (SIDE - digits.shape[-1]) // 2
    images = np.empty((len(digits), 3, SIDE, SIDE), np.uint8)
    for start in range(0, len(digits), CHUNK):
        part = slice(start, start + CHUNK)
        patch = patches[photograph[part], row[part], column[part]]
        patch[flip[part]] = patch[flip[part], ..., ::-1]
        digit = np.pad(digits[part], [(0, 0), (0, 0), (margin, margin), (margin, margin)])
        images[part] = np.maximum(patch, digit) - np.minimum(patch, digit)  # |patch - digit| within uint8
    return images


def _patches(split: Literal["train", "test"]) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Every patch as a view, uint8 (photograph, row, column, 3, 32, 32), and the rows open to `split`."""
    photographs = np.stack([np.asarray(Image.open(resource(name)).convert("RGB")) for name in PHOTOGRAPHS])
    patches = sliding_window_view(photographs, (SIDE, SIDE), axis=(1, 2))
    third = photographs.shape[1] // 3
    top = np.arange(patches.shape[1])
    if split == "test":
        return patches, top[(top >= third) & (top + SIDE <= 2 * third)]
    return patches, top[(top + SIDE <= third) | (top >= 2 * third)]
