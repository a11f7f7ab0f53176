"""Street digits: MNIST digits on patches of photographs, a freely licensed stand-in for SVHN with its statistics.

The idea is MNIST-M's (Ganin et al., "Domain-adversarial training of neural networks", JMLR 2016, section 5.2.4).
MNIST-M's own formula, |patch - digit|, gives a pixel variance of .111, where SVHN has .0395 (SVHN's usual
normalisation constants: means .4377 .4438 .4728, standard deviations .1980 .2010 .1970). So here:

- the contrast of the patch is scaled: .45 + .6 (patch - .45);
- the digit is blurred with a Gaussian kernel of standard deviation .7 pixels, which gives the opacity alpha;
- the image is (1 - alpha) patch + alpha colour. The colour is the patch's mean, channel by channel, made lighter or
  darker by .3 times a factor from .6 to 1.4, and cut to [0, 1].

Measured on the full sets (60,000 and 10,000 images; pixel values in [0, 1]; the last three columns are the Gaussian
distortion-rate function per pixel at that many bits an image, by reverse water-filling):

| split | variance | means | standard deviations | first principal component | 12 | 60 | 108 |
|---|---|---|---|---|---|---|---|
| train | .0444 | .394 .428 .408 | .223 .195 .213 | 73 % | .0063 | .0029 | .0020 |
| test | .0386 | .470 .450 .419 | .224 .177 .186 | 54 % | .0077 | .0039 | .0028 |

(The variance is the mean of the three channels'.) With p_Y met and no common randomness, the distortion to the ground
truth is at least twice the distortion-rate function; half of the paper's Table 10 without common randomness is .0085,
.0040, .0029. So the test images are about as hard to compress as SVHN's.

The training patches hold more of the plain sky and of the dark background than the test patches, hence the difference
between the splits. The patches of the test images come from the middle third of the photographs' height and those of
the training images from the thirds above and below, so that no background of the test set has been seen in training
and yet both have all that the photographs show: sky, leaves, roofs and petals.

No image of SVHN is used. A number measured on street digits is not a number of SVHN.
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
CHUNK = 1024  # images made at once: 12 MiB for each array of 32-bit integers
# Patches and colours are computed in tenths of a grey level, in integers throughout: the same on every machine.
CONTRAST, CENTRE = 6, 459  # .6 patch + (1 - .6) .45 255, in tenths
OFFSET = 765  # .3 of 255 grey levels, in tenths
FACTORS = (600, 1400)  # of the offset, in thousandths
BLUR = (10, 210, 584, 210, 10)  # of 1024: a Gaussian of standard deviation .7 pixels


def street_digits(digits: NDArray[np.uint8], split: Literal["train", "test"]) -> NDArray[np.uint8]:
    """Put digits, uint8 (n, 1, 28, 28), on photographs: uint8 (n, 3, 32, 32).

    Image i depends on digit i, `split` and i alone, the same on every machine: Philox's counter i gives four 64-bit
    words. The first three choose the photograph, the row and the column. Of the fourth, bit 0 chooses the left-right
    flip, bit 1 a lighter or a darker digit, and the upper half by how much.
    """
    patches, tops = _patches(split)
    words = np.random.Philox(key=[KEY, int(split == "test")]).random_raw(4 * len(digits)).reshape(-1, 4)
    photograph = (words[:, 0] % patches.shape[0]).astype(np.intp)
    row = tops[(words[:, 1] % len(tops)).astype(np.intp)]
    column = (words[:, 2] % patches.shape[2]).astype(np.intp)
    flip = (words[:, 3] % 2).astype(bool)
    least, most = FACTORS
    factor = least + ((words[:, 3] >> 32) % (most - least + 1)).astype(np.int32)
    offset = np.where((words[:, 3] >> 1) % 2, 1, -1).astype(np.int32) * (OFFSET * factor // 1000)

    images = np.empty((len(digits), 3, SIDE, SIDE), np.uint8)
    for start in range(0, len(digits), CHUNK):
        part = slice(start, start + CHUNK)
        patch = patches[photograph[part], row[part], column[part]]
        patch[flip[part]] = patch[flip[part], ..., ::-1]
        images[part] = _blend(CONTRAST * patch.astype(np.int32) + CENTRE, digits[part], offset[part])
    return images


def _blend(patch: NDArray[np.int32], digits: NDArray[np.uint8], offset: NDArray[np.int32]) -> NDArray[np.uint8]:
    """Digits in their colours on their patches (n, 3, 32, 32); patch and offset (n,) are tenths of a grey level."""
    mean = patch.sum(axis=(2, 3), keepdims=True, dtype=np.int32) // SIDE**2
    colour = np.clip(mean + offset[:, None, None, None], 0, 2550)
    alpha = _blurred(digits)
    return np.asarray((patch * (255 - alpha) + colour * alpha + 1275) // 2550, np.uint8)


def _blurred(digits: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Digits (n, 1, 28, 28) in the middle of 32x32 pixels, blurred and rounded: (n, 1, 32, 32), 0 to 255."""
    margin = (SIDE - digits.shape[-1]) // 2 + len(BLUR) // 2
    padded = np.pad(digits, [(0, 0), (0, 0), (margin, margin), (margin, margin)]).astype(np.int32)
    rows = np.sum([weight * padded[:, :, k : k + SIDE] for k, weight in enumerate(BLUR)], axis=0)
    both = np.sum([weight * rows[..., k : k + SIDE] for k, weight in enumerate(BLUR)], axis=0)
    return np.asarray((both + 2**19) >> 20, np.int32)


def _patches(split: Literal["train", "test"]) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Every patch as a view, uint8 (photograph, row, column, 3, 32, 32), and the rows open to `split`."""
    photographs = np.stack([np.asarray(Image.open(resource(name)).convert("RGB")) for name in PHOTOGRAPHS])
    patches = sliding_window_view(photographs, (SIDE, SIDE), axis=(1, 2))
    third = photographs.shape[1] // 3
    top = np.arange(patches.shape[1])
    if split == "test":
        return patches, top[(top >= third) & (top + SIDE <= 2 * third)]
    return patches, top[(top + SIDE <= third) | (top >= 2 * third)]
