"""Additive Gaussian noise: X = Y + N(0, (std/255)^2), drawn anew for each visit of an image (Section B.1)."""

from typing import Any, Literal

from pydantic import Field

from ecot.degradations import KINDS, Degradation, DegradationSettings, Kind


class GaussianNoiseSettings(DegradationSettings):
    """X = Y + N(0, (std/255)^2)."""

    kind: Literal["gaussian_noise"]
    std: float = Field(20.0, ge=0, allow_inf_nan=False, description="grey levels of 255")
    clip: bool = Field(False, description="clip X to [0, 1]")


class GaussianNoise(Degradation):
    """Noise of standard deviation std/255, in units of images in [0, 1]."""

    def __init__(self, settings: GaussianNoiseSettings, side: int) -> None:
        self.std = settings.std / 255
        self.clip = settings.clip
        self.noisy = bool(self.std)

    def apply(self, y: Any, prepared: Any, noise: Any) -> Any:
        x = y + self.std * noise if self.noisy else y
        return x.clip(0, 1) if self.clip else x


KINDS.register(Kind("gaussian_noise", GaussianNoiseSettings, GaussianNoise))
