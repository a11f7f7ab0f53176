"""JPEG compression: X is Y after a real JPEG codec.

It has no randomness, so X is made once, when the images are loaded.
"""

import io
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from ecot.degradations import KINDS, Degradation, DegradationSettings, Kind


class JpegSettings(DegradationSettings):
    """X is Y after compression and decompression by a JPEG codec."""

    kind: Literal["jpeg"]
    quality: int = Field(10, ge=1, le=95, description="the codec's quality, 1 (worst) to 95 (best)")


class Jpeg(Degradation):
    """The codec of the Pillow library (libjpeg), at a fixed quality and with its default chroma subsampling."""

    def __init__(self, settings: JpegSettings, side: int) -> None:
        self.quality = settings.quality

    def prepare(self, images: NDArray[np.uint8]) -> NDArray[np.uint8]:
        return np.stack([self._through_the_codec(image) for image in images])

    def apply(self, y: Any, prepared: Any, noise: Any) -> Any:
        return prepared

    def _through_the_codec(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """One image, uint8 (c, h, w) with one or three channels, compressed and decompressed."""
        from PIL import Image

        pixels = image.transpose(1, 2, 0)
        stream = io.BytesIO()
        Image.fromarray(pixels.squeeze(-1) if pixels.shape[-1] == 1 else pixels).save(
            stream, "JPEG", quality=self.quality
        )
        decoded: NDArray[np.uint8] = np.asarray(Image.open(stream)).reshape(pixels.shape)
        return decoded.transpose(2, 0, 1)


KINDS.register(Kind("jpeg", JpegSettings, Jpeg))
