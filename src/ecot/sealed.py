"""Small files that are read again: each says what it was made for, and ends with a checksum of what it says.

A sealed table is a CSV file. Every row begins with what the table was made for, and its last entry is the checksum of
the whole table: a table that is another cell's, or was cut off or edited, is noticed.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ecot.files import write_text

CHECKSUM = "checksum"

Row = dict[str, str]


def digest(content: object) -> str:
    """A checksum of plain values, in 16 hexadecimal digits."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def write(path: Path, made_for: Mapping[str, object], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a table of one or more rows with equal columns. None becomes an empty entry."""
    lines = [{name: _text(value) for name, value in {**made_for, **row}.items()} for row in rows]
    checksum = _checksum(lines)
    text = io.StringIO()
    writer = csv.DictWriter(text, [*lines[0], CHECKSUM], lineterminator="\n")
    writer.writeheader()
    writer.writerows({**line, CHECKSUM: checksum} for line in lines)
    write_text(path, text.getvalue())


def rows(text: str) -> list[Row]:
    """The rows of a table. ValueError or csv.Error if there are none, or if one lacks an entry or has too many."""
    found = list(csv.DictReader(io.StringIO(text), strict=True))
    if not found or any(None in row or None in row.values() for row in found):
        raise ValueError(f"it has {len(found)} rows, and not all are complete")
    return found


def require(found: Iterable[Row], made_for: Mapping[str, object]) -> None:
    """ValueError, which says what differs, unless each row was made for this. An entry of None is not compared."""
    for row in found:
        if missing := [name for name in made_for if name not in row]:
            raise ValueError(f"it has no column {missing[0]}")
        differing = [
            f"{name} is {row[name]}, not {_text(value)}"
            for name, value in made_for.items()
            if value is not None and row[name] != _text(value)
        ]
        if differing:
            raise ValueError(f"it was made for something else: {'; '.join(differing)}")


def verify(found: list[Row]) -> None:
    """ValueError unless the rows are those that were written."""
    content = [{name: text for name, text in row.items() if name != CHECKSUM} for row in found]
    if {row.get(CHECKSUM) for row in found} != {_checksum(content)}:
        raise ValueError("it has changed since it was written: its checksum is another one")


def _checksum(lines: list[Row]) -> str:
    return digest([list(line.items()) for line in lines])


def _text(value: Any) -> str:
    return "" if value is None else str(value)
