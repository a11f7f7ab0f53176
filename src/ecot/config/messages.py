"""What is said about a wrong configuration: one line for each setting, with its value and what is allowed."""

import datetime
import difflib
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel
from pydantic_core import ErrorDetails

from ecot.config.root import Config
from ecot.degradations import KINDS, DegradationSettings
from ecot.settings import Settings

Location = tuple[int | str, ...]


def explain_all(problems: list[ErrorDetails], values: Mapping[str, Any]) -> str:
    """A line for each error of pydantic in the configuration `values`.

    Of a configuration that lacks whole sections, which is one to be laid over another, one line says so.
    """
    missing = [problem for problem in problems if problem["type"] == "missing"]
    sections = [str(problem["loc"][0]) for problem in missing if len(problem["loc"]) == 1]
    if not sections:
        return "\n".join(line for problem in problems for line in explain(problem, values))
    others = [line for problem in problems if problem not in missing for line in explain(problem, values)]
    part = (
        f"this is a part of a configuration: {', '.join(sections)} {'is' if len(sections) == 1 else 'are'} missing."
        " Lay it over config.yaml: ecot ... --config config.yaml --config FILE, or snakemake ... --configfile FILE"
    )
    return "\n".join([part, *others])


def read_differently(line: int, text: str, old: Any, new: Any) -> str:
    """A plain text that YAML 1.1 takes for `old` and YAML 1.2 for `new`."""
    values = [value for value in (old, new) if not isinstance(value, str | datetime.date)]
    ways = " or ".join([*dict.fromkeys(_written(value) for value in values), f"'{text}' for text"])
    return f"line {line}: {text} is {_meant(old)} in YAML 1.1 and {_meant(new)} in YAML 1.2; write {ways}"


def written_twice(line: int, key: str, first: int) -> str:
    """A key of a mapping that is there already."""
    return f"line {line}: {key} is written twice, first in line {first}; keep one of them"


def _meant(value: Any) -> str:
    if isinstance(value, str | datetime.date):
        return "text" if isinstance(value, str) else "a date"
    return _written(value)


def _written(value: Any) -> str:
    """A value as all versions of YAML read it."""
    return str(yaml.safe_dump(value)).removesuffix("...\n").strip()


def empty_over(name: str) -> str:
    """An empty mapping is laid over one with entries."""
    return (
        f"{name}: {{}} laid over a mapping changes nothing of it; write NAME: null for each entry that is to be taken"
        " out"
    )


def unreadable(path: Path, error: Exception) -> str:
    """A configuration file cannot be read or is no YAML."""
    if isinstance(error, FileNotFoundError):
        return (
            f"configuration {path} cannot be read: there is no such file in {Path.cwd()}; run the command where it"
            " is, or name it with --config FILE"
        )
    return f"configuration {path} cannot be read: {' '.join(str(error).split())}"


def explain(problem: ErrorDetails, values: Mapping[str, Any]) -> list[str]:
    """The lines for one error of pydantic in the configuration `values`."""
    if problem["type"] == "value_error":  # a validator of this project may find several faults
        location = ".".join(str(part) for part in problem["loc"])
        return [f"{location}: {fault}" if location else fault for fault in problem["ctx"]["error"].args]
    return [_line(problem, values)]


def _line(problem: ErrorDetails, values: Mapping[str, Any]) -> str:
    location = ".".join(str(part) for part in problem["loc"])
    value, context = problem["input"], problem.get("ctx", {})
    match problem["type"]:
        case "extra_forbidden":
            allowed = list(_model_at(problem["loc"][:-1], values).model_fields)
            close = difflib.get_close_matches(str(problem["loc"][-1]), allowed, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            return f"{location}: unknown setting; {hint}allowed: {', '.join(allowed)}"
        case "missing":
            return f"{location}: missing; write a value for it"
        case "too_short":
            least = "one value" if context["min_length"] == 1 else f"{context['min_length']} values"
            return f"{location}: {f'only {value}' if value else 'an empty list'}; write at least {least}"
    message = problem["msg"][0].lower() + problem["msg"][1:]
    if problem["type"] == "float_type" and isinstance(value, str):
        message += " (YAML takes 1e-4 for text: write 1.0e-4)"
    return f"{location}: {value!r}: {message.replace('input should', 'must')}"


def _model_at(location: Location, values: Any) -> type[BaseModel]:
    """The class of settings at a location of the configuration."""
    model: type[BaseModel] = Config
    for part in location:
        values = values[part] if isinstance(values, Mapping | list) else None  # type: ignore[index]
        if part in model.model_fields:
            model = _settings_in(model.model_fields[str(part)].annotation) or model
        if issubclass(model, DegradationSettings) and isinstance(values, Mapping):
            model = KINDS[values["kind"]].settings
    return model


def _settings_in(annotation: Any) -> type[Settings] | None:
    """The class of settings that a type holds: itself, or the one inside a list, a mapping or an option."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return annotation
    return next((found for part in typing.get_args(annotation) if (found := _settings_in(part))), None)
