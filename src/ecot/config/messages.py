"""What is said about a wrong configuration: one line for each setting, with its value and what is allowed."""

import difflib
import typing
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from ecot.config.root import Config
from ecot.degradations import KINDS, DegradationSettings
from ecot.settings import Settings

Location = tuple[int | str, ...]


def explain(problem: ErrorDetails, values: Mapping[str, Any]) -> str:
    """The line for one error of pydantic in the configuration `values`."""
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
        case "value_error":
            return f"{location}: {context['error']}"
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
