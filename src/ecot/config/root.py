"""The whole configuration."""

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from ecot.config.resources import Resources
from ecot.config.tasks import Rate, TaskSettings
from ecot.config.training import Compute, Evaluation, Training
from ecot.data.folder import FolderSettings
from ecot.data.sets import DATASETS
from ecot.files import expanded
from ecot.settings import Settings
from ecot.tasks import TASKS

Device = Literal["auto", "cpu", "cuda", "mps"]
Seed = Annotated[int, Field(ge=0)]
RESERVED = ("cells", "classifiers", "datasets", "reference")  # folders of results/ that belong to no run


class Data(Settings):
    """Where raw data lie."""

    root: str = Field(
        "data", description="folder of the downloaded files, in torchvision's layout; ~ and $NAME count"
    )

    @field_validator("root")
    @classmethod
    def _known_variables(cls, root: str) -> str:
        expanded(root)
        return root


class Select(Settings):
    """The part of the grid that is run; an axis without a list is run whole."""

    tasks: list[str] | None = Field(default=None, min_length=1, description="tasks")
    modes: list[str] | None = Field(
        default=None, min_length=1, description="modes; those that they build on are run, too"
    )
    rates: list[Rate] | None = Field(default=None, min_length=1, description="bits per image")
    seeds: list[Seed] | None = Field(default=None, min_length=1, description="seeds")


class Config(Settings):
    """The whole configuration; `config.yaml` is one."""

    run: str = Field(description="the run's products go to results/<run>, its logs to logs/<run>")
    extensions: list[str] = Field(
        [], description="Python modules that register modes, tasks, data sets, products, ..."
    )
    device: Device = Field("auto", description="auto: a GPU if there is one")
    seeds: list[Seed] = Field(min_length=1, description="one model for each seed and cell")
    select: Select = Field(
        default=Select(), description="cuts the grid, for instance {tasks: [denoising], rates: [12]}"
    )
    data: Data
    datasets: dict[str, FolderSettings] = Field({}, description="data sets of your own images, by name")
    tasks: dict[str, TaskSettings] = Field(min_length=1)
    training: Training
    compute: Compute
    evaluation: Evaluation
    resources: Resources

    @field_validator("run")
    @classmethod
    def _folder_name(cls, run: str) -> str:
        # A plain name stays inside results/ and in the way of nothing that lies there already.
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", run) or run in RESERVED:
            raise ValueError(
                f"{run!r} is no name for a run; allowed: letters, digits, '.', '_' and '-', at most 100, but not"
                f" {' or '.join(RESERVED)}"
            )
        return run

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("each seed may be named once")
        return seeds

    @field_validator("tasks", mode="before")
    @classmethod
    def _left_out(cls, tasks: Any) -> Any:
        return {name: task for name, task in tasks.items() if task is not None} if isinstance(tasks, dict) else tasks

    @field_validator("tasks")
    @classmethod
    def _known(cls, tasks: dict[str, TaskSettings]) -> dict[str, TaskSettings]:
        unknown = [name for name in tasks if name not in TASKS]
        if unknown:
            raise ValueError(*(f"there is no task {name!r}; allowed: {', '.join(TASKS)}" for name in unknown))
        return tasks

    @field_validator("datasets")
    @classmethod
    def _names_of_their_own(cls, datasets: dict[str, FolderSettings]) -> dict[str, FolderSettings]:
        taken = [name for name, dataset in DATASETS.items() if not dataset.own]
        faults = [
            f"{name!r} is no name for a data set of your own; allowed: letters, digits and '_', and none of"
            f" {', '.join(taken)}"
            for name in datasets
            if name in taken or not re.fullmatch(r"[A-Za-z0-9_]{1,100}", name)
        ]
        if faults:
            raise ValueError(*faults)
        return datasets

    @model_validator(mode="after")
    def _images_fit_the_networks(self) -> Self:
        faults = []
        for name, task in self.tasks.items():
            own = self.datasets.get(task.dataset)
            found = own.image_shape if own else DATASETS[task.dataset].image_shape
            if found != (wanted := TASKS[name].image_shape):
                faults.append(
                    f"tasks.{name}.dataset: the images of {task.dataset} are {_sides(found)}, the task's networks"
                    f" take {_sides(wanted)}"
                )
        if faults:
            raise ValueError(*faults)
        return self


def _sides(shape: tuple[int, int, int]) -> str:
    channels, height, width = shape
    return f"{height} x {width} x {channels}"
