"""The settings that decide a cell's model, and those that decide its measurement."""

from pydantic import Field

from ecot.coding import randomness
from ecot.config.training import Schedule, Training
from ecot.degradations import AnyDegradation
from ecot.modes import Dither, Randomness
from ecot.settings import Settings


class CellSettings(Settings):
    """Everything in the configuration that decides what model a cell trains to, and nothing else."""

    task: str
    mode: str
    randomness: Randomness | None
    rate_bits: int | None = Field(description="bits per image: latent_dim x log2(levels)")
    dither: Dither | None = Field(description="which dither the branches of the joint mode see")
    seed: int
    dataset: str
    dataset_version: int
    n_train: int | None
    n_validation: int | None = Field(
        description="the last of the n_train images: kept out of training, and measured in place of the test images"
    )
    degradation: AnyDegradation
    levels: int
    width: float
    dithers: int = Field(description="dither vectors that the system draws per image")
    schedule: Schedule
    training: Training
    frozen: "CellSettings | None" = Field(description="settings of the frozen model that the cell builds on")

    @property
    def identity(self) -> tuple[str | int, ...]:
        """The head of the names of the cell's random streams.

        Cells that differ in their reading of the dither alone share it: they start from the same weights and see the
        same images, so that a difference between them is one of the reading.
        """
        return self.task, self.mode, str(self.randomness), str(self.rate_bits)

    @property
    def shared_bits(self) -> int:
        """How many bits of each number of the dither encoder and decoder share."""
        return randomness.shared_bits(self.randomness)

    @property
    def critic_steps(self) -> int:
        """The critic's steps for each step of the system; 0 without a critic."""
        return self.training.critic_steps if self.schedule.distribution_weight else 0

    @property
    def latent_dim(self) -> int:
        """d, the number of the encoder's outputs; 0 without an encoder."""
        return (self.rate_bits or 0) // (self.levels.bit_length() - 1)


class MeasurementSettings(Settings):
    """What decides the measurement of a trained model, beside the model itself."""

    n_test: int | None
    seed: int
    n_samples: int
    critic_steps: int
