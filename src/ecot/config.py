"""Every setting of the project: its type, its meaning, what is allowed.

`load` reads and checks a configuration; `json_schema` exports this description for editors. Nothing
here knows how a setting is used, and nothing imports torch, so that a workflow can be planned fast.
"""

import difflib
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails

from ecot.errors import EcotError
from ecot.files import read_text

Randomness = Literal["common", "independent"]
Mode = Literal["end_to_end", "joint", "separate", "restoration", "baseline"]
Device = Literal["auto", "cpu", "cuda", "mps"]
DatasetName = Literal["mnist", "mnist_sample", "svhn", "street_digits", "street_digits_sample"]
Interpolation = Literal["nearest", "area", "bilinear", "bicubic"]
TASKS = Path(__file__).parent / "tasks"
RESERVED = ("datasets", "reference")  # folders of results/ that belong to no run
SIZE_LIMIT = 1 << 20  # values and characters of a configuration, of which the paper's has some 3,000
Rate = Annotated[int, Field(gt=0, le=10_000)]


# The modes that stand on a frozen model of another mode.
NEEDS: dict[Mode, Mode] = {"joint": "end_to_end", "separate": "end_to_end", "baseline": "restoration"}


class Settings(BaseModel):
    """Unknown keys and silent conversions ("4" for 4, true for 1) are refused; values do not change."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Resampling(Settings):
    """X is Y made `factor` times smaller and brought back to its size (Section B.1)."""

    kind: Literal["resampling"]
    factor: int = Field(4, ge=2, description="how many times smaller each side becomes")
    interpolation: Interpolation = Field("bicubic", description="the same in both directions")
    clip: bool = Field(False, description="clip X to [0, 1]")


class GaussianNoise(Settings):
    """X = Y + N(0, (std/255)^2), drawn anew at every visit of an image in training (Section B.1)."""

    kind: Literal["gaussian_noise"]
    std: float = Field(20.0, ge=0, allow_inf_nan=False, description="grey levels of 255")
    clip: bool = Field(False, description="clip X to [0, 1]")


Degradation = Annotated[Resampling | GaussianNoise, Field(discriminator="kind")]


class NamedWeight(Settings):
    """lambda of a mode: the paper's value and one fitted to its tables, kept apart."""

    published: float = Field(ge=0, allow_inf_nan=False, description="the paper's value")
    fitted: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="the value that the target fit_weight found; null: none yet"
    )
    use: Literal["published", "fitted"] = Field("published", description="the one to train with")

    @model_validator(mode="after")
    def _used_value_is_there(self) -> Self:
        if self.use == "fitted" and self.fitted is None:
            raise ValueError("use: fitted, but there is no fitted value; write fitted: VALUE or use: published")
        return self


def _weight_tag(value: object) -> str | None:
    if isinstance(value, Mapping | NamedWeight):
        return "NamedWeight"
    return "number" if isinstance(value, int | float) and not isinstance(value, bool) else None


Weight = Annotated[
    Annotated[float, Field(ge=0, allow_inf_nan=False), Tag("number")] | Annotated[NamedWeight, Tag("NamedWeight")],
    Discriminator(
        _weight_tag,
        custom_error_type="weight_type",
        custom_error_message="Input should be a number, or a mapping of published, fitted and use",
    ),
]


class Schedule(Settings):
    """How long and how fast a network is trained (Section B.3)."""

    epochs: int = Field(ge=1, description="passes over the training set")
    learning_rate: float = Field(gt=0, allow_inf_nan=False, description="Adam's step size at the start")
    decay_epoch: int = Field(ge=0, description="the rate is divided once, after this many epochs")
    decay_factor: float = Field(5.0, gt=0, allow_inf_nan=False, description="... by this")


class ModeSchedule(Schedule):
    """How the network of a mode is trained."""

    distribution_weight: Weight = Field(
        description="lambda of (15), (70), (71): weight of the Wasserstein-1 term; 0: no critic."
        " A number of one's own, or the published and a fitted value and which of them to use"
    )

    @property
    def weight(self) -> float:
        """The lambda to train with."""
        named = self.distribution_weight
        if not isinstance(named, NamedWeight):
            return named
        return named.fitted if named.use == "fitted" and named.fitted is not None else named.published

    @property
    def weight_origin(self) -> str:
        """Where it comes from: "published", "fitted" or, a number of the user's, "own"."""
        return self.distribution_weight.use if isinstance(self.distribution_weight, NamedWeight) else "own"

    def points(self) -> list[tuple[Randomness | None, int | None]]:
        """Randomness and rate of each cell; None where there is none."""
        return [(None, None)]


class RatedSchedule(ModeSchedule):
    """A schedule that is run at every rate, without common randomness."""

    rates: list[Rate] = Field(min_length=1, description="bits an image, multiples of log2(levels)")

    @field_validator("rates")
    @classmethod
    def _ascending(cls, rates: list[int]) -> list[int]:
        if rates != sorted(set(rates)):
            raise ValueError(f"rates must ascend without repetition; write {sorted(set(rates))}")
        return rates

    def points(self) -> list[tuple[Randomness | None, int | None]]:
        """Randomness and rate of each cell."""
        return [("independent", rate) for rate in self.rates]


class RandomizedSchedule(RatedSchedule):
    """A schedule that is run at every rate, with and without common randomness."""

    randomness: list[Randomness] = Field(
        min_length=1, description="common: the dither is shared (14); independent: it is not (16)"
    )

    @field_validator("randomness")
    @classmethod
    def _distinct(cls, randomness: list[Randomness]) -> list[Randomness]:
        if len(set(randomness)) < len(randomness):
            raise ValueError("each kind of randomness may be named once")
        return randomness

    def points(self) -> list[tuple[Randomness | None, int | None]]:
        """Randomness and rate of each cell."""
        return [(randomness, rate) for rate in self.rates for randomness in self.randomness]


class Modes(Settings):
    """The experiments of a task; one that is left out is not run."""

    end_to_end: RandomizedSchedule | None = Field(None, description="encoder, decoder, critic on (15)")
    joint: RatedSchedule | None = Field(None, description="two decoders behind the frozen encoder on (18)")
    separate: RatedSchedule | None = Field(None, description="two compressors, for (18)(a) and (b) each alone")
    restoration: ModeSchedule | None = Field(None, description="the U-Net of the baseline on (70)")
    baseline: RandomizedSchedule | None = Field(None, description="a compressor behind the frozen U-Net on (71)")

    @model_validator(mode="after")
    def _have_what_they_need(self) -> Self:
        for mode, needed in NEEDS.items():
            if getattr(self, mode) is not None and getattr(self, needed) is None:
                raise ValueError(f"{mode} needs a model of {needed}; add modes.{needed} or leave {mode} out")
        return self


class FitWeight(Settings):
    """The sweep of lambda from which the target fit_weight finds the value that gives the paper's tables."""

    weights: list[Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        min_length=3, description="values of lambda in end_to_end; the fitted value lies between the outer ones"
    )
    rates: list[Rate] = Field(
        min_length=1, description="bits an image at which the paper has both mse_input and mse_target"
    )

    @field_validator("weights", "rates")
    @classmethod
    def _ascending(cls, values: list[float]) -> list[float]:
        if values != sorted(set(values)):
            raise ValueError(f"must ascend without repetition; write {sorted(set(values))}")
        return values


class TaskSettings(Settings):
    """One restoration problem: where X and Y come from and what is trained on them."""

    dataset: DatasetName = Field(description="the data set whose images are Y")
    n_train: int | None = Field(None, ge=1, description="use only the first n training images; null: all")
    n_test: int | None = Field(None, ge=1, description="use only the first n test images; null: all")
    degradation: Degradation = Field(description="how X is made from Y")
    levels: int = Field(description="L, the quantiser's levels a dimension; a power of two")
    width: float = Field(1.0, gt=0, le=4, description="factor on the networks' inner channels; 1: the paper's")
    modes: Modes
    fit_weight: FitWeight | None = Field(None, description="the sweep of the target fit_weight; null: none")

    @field_validator("levels")
    @classmethod
    def _power_of_two(cls, levels: int) -> int:
        if not 2 <= levels <= 65_536 or levels & (levels - 1):
            raise ValueError(f"{levels} is not a power of two; allowed: 2, 4, 8, ..., 65536")
        return levels

    @model_validator(mode="after")
    def _rates_fit_levels(self) -> Self:
        bits = int(math.log2(self.levels))
        lists = {f"modes.{name}": mode for name, mode in self.schedules().items()} | {"fit_weight": self.fit_weight}
        for name, settings in lists.items():
            for rate in settings.rates if isinstance(settings, RatedSchedule | FitWeight) else []:
                if rate % bits:
                    below, above = rate // bits * bits, -(-rate // bits) * bits
                    nearest = f"{below} or {above}" if below else f"{above}"
                    raise ValueError(
                        f"{name}.rates: {rate} is not a multiple of log2(levels) = {bits}; write {nearest}"
                    )
        return self

    def schedules(self) -> dict[Mode, ModeSchedule]:
        """The schedules of the modes that are run, by mode."""
        return {name: mode for name in get_args(Mode) if (mode := getattr(self.modes, name)) is not None}

    def rates(self) -> list[int]:
        """All rates of the task's grid, bits an image, ascending."""
        return sorted({rate for schedule in self.schedules().values() for _, rate in schedule.points() if rate})


class Training(Settings):
    """What all trainings share (Table 3)."""

    batch_size: int = Field(64, ge=2, le=65_536, description="images a step")
    betas: list[Annotated[float, Field(ge=0, lt=1)]] = Field(
        [0.5, 0.999], min_length=2, max_length=2, description="Adam's beta_1 and beta_2"
    )
    gradient_penalty: float = Field(10.0, ge=0, allow_inf_nan=False, description="lambda_GP")
    critic_batches: Literal["unpaired", "paired"] = Field(
        "unpaired", description="the critic's clean images: drawn on their own, or those behind the batch's X"
    )


class Compute(Settings):
    """How trainings are computed; what decides no model in the sense of the paper, and retrains none."""

    tf32: bool = Field(True, description="on a GPU, train with TF32 convolutions and matrix products")
    deterministic: bool = Field(True, description="on a GPU, the same numbers every time; false: faster")
    jobs_per_device: int = Field(1, ge=1, description="cells that share a GPU; --resources gpu=N counts such slots")
    save_minutes: float = Field(
        3.0, gt=0, allow_inf_nan=False, description="how often a training saves its state, to resume from"
    )


class Evaluation(Settings):
    """How a trained model is measured on the test set."""

    seed: int = Field(0, ge=0, description="fixes test noise and test dither")
    n_samples: int = Field(8, ge=1, le=1_000, description="test images shown in each picture")
    critic_steps: int = Field(
        500, ge=1, description="budget of the fresh critic that estimates W1 to p_Y: steps of 64 images each"
    )


class RuleResources(Settings):
    """What one job of a rule asks for."""

    threads: int = Field(1, ge=1, description="CPU cores")
    mem_mb: int = Field(2000, ge=1, description="memory, MB, times the attempt")
    runtime: int = Field(10, ge=1, description="wall time, minutes, times the attempt")


class GpuRequest(Settings):
    """How a job asks Slurm for its GPU."""

    option: Literal["gpus", "gres"] = Field("gpus", description="--gpus, or --gres where a cluster takes no other")
    models: list[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.]+$")]] = Field(
        [], description="one an attempt, the last for all later ones; empty: any"
    )


class Resources(Settings):
    """What jobs ask for, by kind of job."""

    train: RuleResources
    evaluate: RuleResources
    other: RuleResources
    gpu: GpuRequest


class Data(Settings):
    """Where raw data lie."""

    root: str = Field("data", description="folder of the downloaded files, in torchvision's layout")


class Config(Settings):
    """The whole configuration; `config.yaml` is one."""

    run: str = Field(description="results go to results/<run>, logs to logs/<run>")
    device: Device = Field("auto", description="auto: a GPU if there is one")
    seeds: list[Annotated[int, Field(ge=0)]] = Field(min_length=1, description="one model a seed and cell")
    data: Data
    tasks: dict[str, TaskSettings] = Field(min_length=1)
    training: Training
    compute: Compute
    evaluation: Evaluation
    resources: Resources

    @field_validator("run")
    @classmethod
    def _folder_name(cls, run: str) -> str:
        # A plain name stays inside results/ and in the way of nothing that lies there already.
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", run) or run in RESERVED:
            raise ValueError(
                f"{run!r} is no name for a run; allowed: letters, digits, '.', '_' and '-', but not"
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
        # As with modes, a task that a later file sets to null is left out.
        return {name: task for name, task in tasks.items() if task is not None} if isinstance(tasks, dict) else tasks

    @field_validator("tasks")
    @classmethod
    def _known(cls, tasks: dict[str, TaskSettings]) -> dict[str, TaskSettings]:
        for name, task in tasks.items():
            # Looked for as a file: to import it would import torch.
            if not name.isidentifier() or not (TASKS / f"{name}.py").is_file():
                raise ValueError(f"no task {name!r}: it would be the module src/ecot/tasks/{name}.py")
            if not task.schedules():
                raise ValueError(f"{name}.modes: an empty grid; name at least one of {', '.join(get_args(Mode))}")
        return tasks


def merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `change` laid over it: mappings key by key, anything else replaced."""
    merged = dict(base)
    for key, value in change.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


def load(*paths: Path) -> Config:
    """Read configuration files, each laid over those before it.

    Raises EcotError in one line for a file that cannot be read and a line for each wrong setting.
    """
    merged: dict[str, Any] = {}
    for path in paths:
        try:
            content = yaml.safe_load(read_text(path))
        except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
            raise EcotError(f"configuration {path} cannot be read: {' '.join(str(error).split())}") from None
        if not isinstance(content, dict):
            raise EcotError(f"configuration {path} must be a mapping of settings, not {type(content).__name__}")
        check_size(content)
        merged = merge(merged, content)
    return validate(merged)


def check_size(values: Mapping[str, Any]) -> None:
    """EcotError for values that are more than a configuration: aliases let a short file stand for billions."""
    waiting: list[Any] = [values]
    size = 0
    while waiting:
        value = waiting.pop()
        size += len(value) if isinstance(value, Mapping | list | str) else 1
        if size > SIZE_LIMIT:
            raise EcotError(f"the configuration holds more than {SIZE_LIMIT:,} values and characters; write less")
        if isinstance(value, Mapping):
            waiting.extend(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def validate(values: Mapping[str, Any]) -> Config:
    """Check plain values; EcotError has a line a wrong setting: name, value, what is allowed."""
    try:
        return Config.model_validate(dict(values))
    except ValidationError as error:
        raise EcotError("\n".join(_explain(problem) for problem in error.errors())) from None


def json_schema() -> dict[str, Any]:
    """The JSON schema of `Config`, for editors and other programs."""
    return Config.model_json_schema()


def _explain(problem: ErrorDetails) -> str:
    """One line for one pydantic error."""
    # The discriminator's value appears in the location of a union; it is no key of the file.
    tags = {name for kind in (Resampling, GaussianNoise) for name in get_args(kind.model_fields["kind"].annotation)}
    tags |= {"number", NamedWeight.__name__}
    location = ".".join(str(part) for part in problem["loc"] if part not in tags)
    value, context = problem["input"], problem.get("ctx", {})
    match problem["type"]:
        case "extra_forbidden":
            allowed = _allowed_keys(problem["loc"][:-1])
            close = difflib.get_close_matches(str(problem["loc"][-1]), allowed, n=1)
            hint = f"; did you mean {close[0]}?" if close else ""
            return f"{location}: unknown setting{hint} allowed: {', '.join(allowed)}".replace(
                "setting allowed", "setting; allowed"
            )
        case "missing":
            return f"{location}: missing; write a value for it"
        case "union_tag_invalid" | "union_tag_not_found":
            return f"{location}.kind: allowed: {context.get('expected_tags', 'resampling, gaussian_noise')}"
        case "value_error":
            return f"{location}: {context['error']}"
        case "too_short":
            least = "one value" if context["min_length"] == 1 else f"{context['min_length']} values"
            return f"{location}: {f'only {value}' if value else 'an empty list'}; write at least {least}"
    message = problem["msg"][0].lower() + problem["msg"][1:]
    if problem["type"] in ("float_type", "weight_type") and isinstance(value, str):
        message += " (YAML takes 1e-4 for text: write 1.0e-4)"
    return f"{location}: {value!r}: {message.replace('input should', 'must')}"


def _allowed_keys(location: Sequence[int | str]) -> list[str]:
    """Names of the settings at a location of the schema."""
    node: Any = json_schema()
    definitions = node["$defs"]

    def resolve(node: Any, tag: object = None) -> Any:
        for option in node.get("anyOf", []) + node.get("oneOf", []):
            if "$ref" in option and tag in (None, option["$ref"].rsplit("/", 1)[1], kind_of(resolve(option))):
                return resolve(option)
        return definitions[node["$ref"].rsplit("/", 1)[1]] if "$ref" in node else node

    def kind_of(node: Any) -> object:
        return node.get("properties", {}).get("kind", {}).get("const")

    for part in location:
        properties = node.get("properties", {})
        if part in properties:
            node = properties[part] if "oneOf" in properties[part] else resolve(properties[part])
        elif "oneOf" in node:
            node = resolve(node, part)
        else:
            node = resolve(node.get("additionalProperties", {}))
    return list(node.get("properties", {}))
