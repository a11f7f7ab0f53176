"""Settings of training, of how it is computed, and of measurement."""

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from ecot.settings import Settings

Precision = Literal["float32", "tf32", "bfloat16"]
Epoch = Annotated[int, Field(ge=1, strict=False)]  # a key, which JSON has as text


class Schedule(Settings):
    """How long and how fast a network is trained (Section B.3), and with which lambda."""

    epochs: int = Field(ge=1, description="passes over the training set")
    learning_rate: float = Field(gt=0, allow_inf_nan=False, description="Adam's step size at the start")
    decays: dict[Epoch, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        description="after so many epochs the learning rate is divided by so much; null takes an inherited entry out"
    )
    distribution_weight: float = Field(
        ge=0,
        allow_inf_nan=False,
        description="lambda of (15), (70), (71): the weight of the Wasserstein-1 term; 0: no critic",
    )

    @field_validator("decays", mode="before")
    @classmethod
    def _without_null(cls, decays: Any) -> Any:
        """Keys may be text: JSON, in which Snakemake hands a configuration to jobs elsewhere, has no others."""
        if not isinstance(decays, dict):
            return decays
        numbered = {int(key) if isinstance(key, str) and key.isdecimal() else key: decays[key] for key in decays}
        return {epoch: factor for epoch, factor in sorted(numbered.items()) if factor is not None}

    @field_validator("decays")
    @classmethod
    def _within_the_schedule(cls, decays: dict[int, float], info: ValidationInfo) -> dict[int, float]:
        epochs = info.data.get("epochs")  # none if it is wrong itself
        late = [epoch for epoch in decays if epochs is not None and epoch >= epochs]
        if late:
            raise ValueError(
                *(
                    f"{epoch} is not before the last of {epochs} epochs; write an earlier epoch, or {epoch}: null to"
                    " take the decay out"
                    for epoch in late
                )
            )
        return decays


class Training(Settings):
    """What all trainings share: Adam's betas and lambda_GP of Table 3, the batch size of the released code."""

    batch_size: int = Field(64, ge=2, le=65_536, description="images per step; the paper does not say")
    betas: list[Annotated[float, Field(ge=0, lt=1)]] = Field(
        [0.5, 0.999], min_length=2, max_length=2, description="Adam's beta_1 and beta_2 (Table 3)"
    )
    gradient_penalty: float = Field(10.0, ge=0, allow_inf_nan=False, description="lambda_GP (Table 3)")
    critic_batches: Literal["unpaired", "paired"] = Field(
        "unpaired", description="the critic's clean images: drawn on their own, or those behind the batch's X"
    )
    critic_steps: int = Field(
        1, ge=1, le=1_000, description="the critic's steps for each step of the system, one batch for each step"
    )
    precision: Precision = Field(
        "float32",
        description="of convolutions and matrix products: tf32 rounds their factors to 10 bits, where the device can;"
        " bfloat16 computes them in bfloat16; all else is float32",
    )
    threads: int = Field(1, ge=1, le=1_024, description="CPU threads of a training, and the cores it asks for")


class Compute(Settings):
    """How trainings are computed. A change here trains nothing again."""

    deterministic: bool = Field(True, description="on a GPU, the same numbers every time; false: faster")
    jobs_per_device: int = Field(1, ge=1, description="cells that share a GPU; --resources gpu=N counts such slots")
    save_minutes: float = Field(
        3.0, gt=0, allow_inf_nan=False, description="how often a training saves its state, to resume from"
    )


class Evaluation(Settings):
    """How a trained model is measured on the test set."""

    seed: int = Field(0, ge=0, description="fixes the noise and the dither of the test set")
    n_samples: int = Field(8, ge=1, le=1_000, description="test images shown in each picture")
    critic_steps: int = Field(
        500, ge=1, description="training steps, of 64 images each, of the fresh critic that estimates W1 to p_Y"
    )
