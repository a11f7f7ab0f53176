"""YAML text to plain values and back, such that all readers of YAML understand it alike.

YAML 1.1 (PyYAML, Snakemake) and YAML 1.2 (most others) read some plain texts differently: 010, on, 1:30, 1e-4. A
person may mean either, so these are refused.
"""

import re
from collections.abc import Callable
from typing import Any

import yaml

from ecot.config import messages
from ecot.errors import MistakeError

# The plain texts that the core schema of YAML 1.2 (section 10.3.2) does not read as text.
_CORE: tuple[tuple[str, Callable[[str], Any]], ...] = (
    (r"null|Null|NULL|~|", lambda _: None),
    (r"true|True|TRUE|false|False|FALSE", lambda text: text.lower() == "true"),
    (r"[-+]?[0-9]+", int),
    (r"0o[0-7]+", lambda text: int(text[2:], 8)),
    (r"0x[0-9a-fA-F]+", lambda text: int(text, 16)),
    (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", float),
    (r"[-+]?\.(inf|Inf|INF)", lambda text: float(text.replace(".", ""))),
    (r"\.(nan|NaN|NAN)", lambda _: float("nan")),
)


def parse(text: str, origin: str) -> Any:
    """The values of a YAML text; `origin` names it in messages.

    Raises MistakeError with a line for each key that is written twice and each text that two versions of YAML read
    differently, and yaml.YAMLError, ValueError or RecursionError for what is no YAML.
    """
    loader = _Loader(text)
    try:
        values = loader.get_single_data()
    finally:
        loader.dispose()
    if loader.faults:
        raise MistakeError("\n".join(f"{origin}, {fault}" for fault in loader.faults))
    return values


def dump(values: Any) -> str:
    """YAML text that `parse`, and any other reader, takes for these values; mappings keep their order."""
    text: str = yaml.dump(values, Dumper=_Dumper, sort_keys=False)
    return text


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, which collects what is read differently elsewhere or overwritten in silence."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.faults: list[str] = []

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        plain = event.implicit[0]  # neither in quotes nor with a tag
        node = super().compose_scalar_node(anchor)
        if plain and node.tag != "tag:yaml.org,2002:merge":
            old, new = self._plain(node), _core(node.value)
            if type(old) is not type(new) or (old != new and old == old):
                line = node.start_mark.line + 1
                self.faults.append(messages.read_differently(line, node.value, old, new))
        return node

    def _plain(self, node: yaml.ScalarNode) -> Any:
        constructors: Any = self.yaml_constructors
        return constructors.get(node.tag, constructors[None])(self, node)

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        node = super().compose_mapping_node(anchor)
        lines: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                name, line = (key.tag, key.value), key.start_mark.line + 1
                if name in lines:
                    self.faults.append(messages.written_twice(line, key.value, lines[name]))
                lines.setdefault(name, line)
        return node


class _Dumper(yaml.SafeDumper):
    """PyYAML's safe dumper, which puts a text in quotes that YAML 1.2 takes for something else."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    quoted = not isinstance(_core(text), str)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="'" if quoted else None)


_Dumper.add_representer(str, _text)


def _core(text: str) -> Any:
    """What YAML 1.2 reads in a plain text."""
    return next((read(text) for pattern, read in _CORE if re.fullmatch(pattern, text)), text)
