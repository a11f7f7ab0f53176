"""Reading configurations: from files or plain values to a checked `Config`."""

import importlib
import sys
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from ecot.config.messages import empty_over, explain_all, unreadable
from ecot.config.parsing import parse
from ecot.config.root import Config
from ecot.data import folder
from ecot.degradations import KINDS
from ecot.errors import MistakeError
from ecot.files import read_text

SIZE_LIMIT = 1 << 20  # values and characters of a configuration, of which the paper's has some 3,000


def load(*paths: Path) -> Config:
    """Read configuration files, each laid over those before it, and check the whole.

    Raises MistakeError in a line for each file that cannot be read and for each wrong setting.
    """
    return validate(read(paths))


def read(paths: Iterable[Path], assignments: Iterable[str] = ()) -> dict[str, Any]:
    """The values of configuration files and of assignments NAME=VALUE, each laid over those before it.

    The values of assignments are YAML, too. Raises MistakeError with a line for each fault of the texts.
    """
    merged: dict[str, Any] = {}
    faults: list[str] = []
    for parsed in (*(partial(_file, path) for path in paths), *(partial(_assigned, text) for text in assignments)):
        try:
            values = parsed()
            check_size(values)
            merged = merge(merged, values)
        except MistakeError as error:
            faults.append(str(error))
    if faults:
        raise MistakeError("\n".join(faults))
    return merged


def _file(path: Path) -> dict[str, Any]:
    try:
        content = parse(read_text(path), str(path))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise MistakeError(unreadable(path, error)) from None
    if not isinstance(content, dict):
        raise MistakeError(f"configuration {path} must be a mapping of settings, not {type(content).__name__}")
    return content


def _assigned(text: str) -> dict[str, Any]:
    name, _, value = text.partition("=")
    try:
        return {name: parse(value, f"--config {name}")}
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        raise MistakeError(f"--config {name}: {' '.join(str(error).split())}") from None


def merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """`base` with `change` laid over it: mappings key by key, anything else replaced.

    Raises MistakeError for an empty mapping over one with entries, of which it would change nothing.
    """
    faults: list[str] = []
    merged = _merge(base, change, "", faults)
    if faults:
        raise MistakeError("\n".join(faults))
    return merged


def _merge(base: Mapping[str, Any], change: Mapping[str, Any], above: str, faults: list[str]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in change.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            if old and not value:
                faults.append(empty_over(f"{above}{key}"))
            merged[key] = _merge(old, value, f"{above}{key}.", faults)
        else:
            merged[key] = value
    return merged


def check_size(values: Mapping[str, Any]) -> None:
    """MistakeError for values that are more than a configuration: aliases let a short file stand for billions."""
    waiting: list[Any] = [values]
    size = 0
    while waiting:
        value = waiting.pop()
        size += len(value) if isinstance(value, Mapping | list | str) else 1
        if size > SIZE_LIMIT:
            raise MistakeError(f"the configuration holds more than {SIZE_LIMIT:,} values and characters; write less")
        if isinstance(value, Mapping):
            waiting.extend(value)
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def validate(values: Mapping[str, Any]) -> Config:
    """Check plain values, after their extensions are imported.

    Raises MistakeError with one line for each wrong setting: its name, its value and what is allowed.
    """
    extensions = values.get("extensions", [])
    if isinstance(extensions, list):
        import_extensions(name for name in extensions if isinstance(name, str))
    own = values.get("datasets", {})
    try:
        config = Config.model_validate(dict(values), context={"own": list(own) if isinstance(own, Mapping) else []})
        return config.model_copy(update={"datasets": folder.register(config.datasets)})
    except ValidationError as error:
        raise MistakeError(explain_all(error.errors(), values)) from None


def import_extensions(names: Iterable[str]) -> None:
    """Import the modules that register a user's own modes, tasks, data sets, degradations, measures and products.

    They are looked for in the working directory and among the installed packages. Raises MistakeError if one cannot
    be imported.
    """
    for name in names:
        if (directory := str(Path.cwd())) not in sys.path:
            sys.path.insert(0, directory)
        try:
            importlib.import_module(name)
        except (ImportError, SyntaxError, ValueError, TypeError) as error:  # TypeError: a relative name
            raise MistakeError(
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
