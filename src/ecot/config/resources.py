"""Settings of what jobs ask a machine or a cluster for."""

from typing import Annotated, Literal

from pydantic import Field

from ecot.settings import Settings


class JobResources(Settings):
    """What one kind of job asks for."""

    mem_mb: int = Field(2000, ge=1, description="memory in MB, times the attempt")
    runtime: int = Field(10, ge=1, description="wall time in minutes, times the attempt")


class GpuRequest(Settings):
    """How a job asks Slurm for its GPU."""

    option: Literal["gpus", "gres"] = Field("gpus", description="--gpus, or --gres where a cluster takes no other")
    models: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.]+$")]] = Field(
        [], description="one for each attempt, the last for all later ones; empty: any"
    )


class Resources(Settings):
    """What jobs ask for, by kind of job."""

    train: JobResources
    evaluate: JobResources
    other: JobResources
    gpu: GpuRequest
