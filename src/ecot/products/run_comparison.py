"""Two runs: what differs between them in settings, in code and machines, and in numbers."""

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd
import yaml
from tabulate import tabulate

from ecot.artefacts import DamagedError
from ecot.artefacts import metrics as row
from ecot.artefacts import record as run_record
from ecot.artefacts.names import RECORD, SETTINGS
from ecot.errors import EcotError
from ecot.files import read_text
from ecot.grid import index
from ecot.grid.cell import Cell
from ecot.grid.cell_settings import CellSettings
from ecot.grid.paths import RESULTS
from ecot.modes import MODES
from ecot.paper.differences import CONFIDENCE, interval
from ecot.quantities import QUANTITIES
from ecot.tasks import TASKS

NUMBERS = ("mse_input", "mse_target", "gelbrich")
MADE_BY = ("code", "commit", "device", "python", "torch", "numpy")  # of the run record


def compare(first: str, second: str) -> str:
    """What differs between two runs, as Markdown: settings, code and machines, and the numbers of common cells.

    A number is the mean over the seeds that both runs have measured, its difference `second` - `first` that of pairs
    of equal seed, with an interval where there are two. Raises EcotError if a run has no index or a file is not the
    cell's.
    """
    entries = {run: {(entry.cell, entry.weight): entry for entry in index.read(run)} for run in (first, second)}
    parts = [_settings(first, second), _made_by(first, second, entries), _numbers(first, second, entries)]
    for run, other in ((first, second), (second, first)):
        alone = sorted({cell for cell, _ in entries[run].keys() - entries[other].keys()})
        if alone:
            parts.append(f"Only {run} has: {', '.join(alone)}.")
    return "\n\n".join(parts)


def _settings(first: str, second: str) -> str:
    values = [dict(_flat(_configuration(run))) for run in (first, second)]
    keys = sorted(key for key in {**values[0], **values[1]} if key != "run")
    lines = [
        (key, *(str(found.get(key, "-")) for found in values))
        for key in keys
        if values[0].get(key, "-") != values[1].get(key, "-")
    ]
    return f"## Settings\n\n{_table(lines, ['setting', first, second]) if lines else 'The settings are the same.'}"


def _configuration(run: str) -> Any:
    path = RESULTS / run / "config.yaml"
    try:
        return yaml.safe_load(read_text(path))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise DamagedError(path, error, "`ecot index` writes it anew") from None


def _flat(values: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each value that is no mapping, by its path in dots."""
    if isinstance(values, Mapping) and values:
        for key, value in values.items():
            yield from _flat(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, values


def _made_by(first: str, second: str, entries: Mapping[str, Mapping[Any, index.Entry]]) -> str:
    common = entries[first].keys() & entries[second].keys()
    same = sum(entries[first][key].fingerprint == entries[second][key].fingerprint for key in common)
    found = {run: _records(entries[run].values()) for run in (first, second)}
    lines = [
        (name, *(", ".join(sorted(found[run][name])) or "-" for run in (first, second)))
        for name in MADE_BY
        if found[first][name] != found[second][name]
    ]
    about = f"{same} of {len(common)} cells that both have are one and the same model."
    table = _table(lines, ["made by", first, second]) if lines else "The finished models were made by the same code."
    return f"## Code and machines\n\n{about}\n\n{table}"


def _records(entries: Any) -> dict[str, set[str]]:
    """The values in the run records of the finished models."""
    found: dict[str, set[str]] = {name: set() for name in MADE_BY}
    for entry in entries:
        path = entry.path / RECORD
        if not path.is_file():
            continue
        record = run_record.of_cell(entry.path, _settings_of(entry))
        for name in MADE_BY:
            found[name].add(str(record.get(name, "not recorded")))
    return found


def _numbers(first: str, second: str, entries: Mapping[str, Mapping[Any, index.Entry]]) -> str:
    rows = []
    for key in entries[first].keys() & entries[second].keys():
        pair = [entries[run][key] for run in (first, second)]
        measured = [_measured(entry) for entry in pair]
        cell = Cell.parse(key[0])
        same = pair[0].fingerprint == pair[1].fingerprint
        for name in NUMBERS:
            values = [found.get(name) for found in measured]
            if None not in values:
                rows.append((*_kind(cell, key[1]), cell.seed, name, *values, same))
    if not rows:
        return "## Numbers\n\nNo cell is measured in both runs."
    columns = ["kind", "rate", "seed", "quantity", "first", "second", "same"]
    table = pd.DataFrame(rows, columns=columns)
    table["place"] = pd.to_numeric(table.rate)  # rates ascend as numbers
    lines = []
    for (kind, _, rate, name), group in table.groupby(["kind", "place", "rate", "quantity"], sort=True, dropna=False):
        apart = interval(group.second - group["first"])
        spread = "" if pd.isna(apart.low) else f"{apart.low:+.4f} to {apart.high:+.4f}"
        change = "the same models" if group.same.all() else f"{apart.mean:+.4f}"
        numbers = (f"{group['first'].mean():.4f}", f"{group.second.mean():.4f}")
        lines.append(
            (kind, rate, QUANTITIES[name].text, *numbers, change, "" if group.same.all() else spread, apart.n)
        )
    head = ["cell", "bits", "quantity", first, second, "difference", f"{CONFIDENCE:.0%} interval", "seeds"]
    return f"## Numbers\n\n{_table(lines, head)}"


def _kind(cell: Cell, weight: float | None) -> tuple[str, str]:
    """A cell without its seed in words, and its rate."""
    parts = [TASKS[cell.task].title, MODES[cell.mode].title]
    parts += [f"{cell.randomness} randomness"] if cell.randomness else []
    parts += [f"{cell.dither} dither"] if cell.dither else []
    parts += [] if weight is None else [f"lambda {weight:g}"]
    return ", ".join(parts), "" if cell.rate_bits is None else str(cell.rate_bits)


def _table(lines: list[Any], header: list[str]) -> str:
    texts = [[str(cell).replace("|", r"\|") for cell in line] for line in lines]
    return tabulate(texts, headers=header, tablefmt="pipe", disable_numparse=True)


def _measured(entry: index.Entry) -> dict[str, Any]:
    """The metrics of an entry, empty if it is not measured. DamagedError for a file that is another cell's."""
    path = entry.measurement / "metrics.csv"
    if not path.is_file():
        return {}
    return row.read(path, row.key(_settings_of(entry), entry.fingerprint, entry.measurement.name))


def _settings_of(entry: index.Entry) -> CellSettings:
    path = entry.path / SETTINGS
    try:
        return CellSettings.model_validate(yaml.safe_load(read_text(path)))
    except (OSError, ValueError, RecursionError, yaml.YAMLError, EcotError) as error:
        raise DamagedError(path, error, f"`ecot train {entry.cell} --force` trains the cell anew") from None
