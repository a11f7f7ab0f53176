"""Reading configurations: from files or plain values to a checked `Config`."""

import importlib
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ecot.config.messages import explain
from ecot.config.root import Config
from ecot.degradations import KINDS
from ecot.errors import EcotError
from ecot.files import read_text

SIZE_LIMIT = 1 << 20  # values and characters of a configuration, of which the paper's has some 3,000


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


def merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `change` laid over it: mappings key by key, anything else replaced."""
    merged = dict(base)
    for key, value in change.items():
        old = merged.get(key)
        both = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = merge(old, value) if both else value  # type: ignore[arg-type]
    return merged


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
    """Check plain values, after their extensions are imported.

    Raises EcotError with one line for each wrong setting: its name, its value and what is allowed.
    """
    extensions = values.get("extensions", [])
    if isinstance(extensions, list):
        import_extensions(name for name in extensions if isinstance(name, str))
    try:
        return Config.model_validate(dict(values))
    except ValidationError as error:
        raise EcotError("\n".join(explain(problem, values) for problem in error.errors())) from None


def import_extensions(names: Iterable[str]) -> None:
    """Import the modules that register a user's own modes, tasks, data sets, degradations, measures and products.

    They are looked for in the working directory and among the installed packages. Raises EcotError if one cannot be
    imported.
    """
    for name in names:
        if (directory := str(Path.cwd())) not in sys.path:
            sys.path.insert(0, directory)
        try:
            importlib.import_module(name)
        except (ImportError, SyntaxError, ValueError, TypeError) as error:  # TypeError: a relative name
            raise EcotError(
                f"extensions: {name!r} cannot be imported ({error}); it must be a Python module in the working"
                " directory or an installed one"
            ) from None


def json_schema() -> dict[str, Any]:
    """The JSON schema of `Config`, for editors and other programs."""
    schema = Config.model_json_schema()
    kinds = {kind.name: kind.settings.model_json_schema() for kind in KINDS.values()}
    schema["$defs"]["TaskSettings"]["properties"]["degradation"] = {
        "description": "how X is made from Y",
        "oneOf": list(kinds.values()),
    }
    return schema
