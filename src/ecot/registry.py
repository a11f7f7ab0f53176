"""Named things that people add: modes, tasks, data sets, degradations, measures, products."""

import difflib
from collections.abc import Iterator, Mapping
from typing import Protocol, TypeVar

from ecot.errors import MistakeError


class Named(Protocol):
    """Anything with a name."""

    @property
    def name(self) -> str:
        """The name that configurations and commands use."""


T = TypeVar("T", bound=Named)


class Registry(Mapping[str, T]):
    """The things of one kind, by name, in the order in which they were registered."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}

    def register(self, item: T) -> T:
        """Add `item` and return it. Raises MistakeError if another item has its name."""
        if self._items.get(item.name, item) != item:
            raise MistakeError(f"two {self.kind}s have the name {item.name!r}; give one of them another name")
        self._items[item.name] = item
        return item

    def put(self, item: T) -> None:
        """Add `item`, in the place of one of its name."""
        self._items[item.name] = item

    def __getitem__(self, name: str) -> T:
        if name not in self._items:
            close = difflib.get_close_matches(name, self._items, n=1)
            hint = f"did you mean {close[0]}? " if close else ""
            raise MistakeError(f"there is no {self.kind} {name!r}; {hint}allowed: {', '.join(self._items)}")
        return self._items[name]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)
