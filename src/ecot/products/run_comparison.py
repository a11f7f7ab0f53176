"""Two runs side by side: a join of their indexes."""

from typing import Any

import pandas as pd
import yaml
from tabulate import tabulate

from ecot.artefacts import DamagedError
from ecot.artefacts import metrics as row
from ecot.artefacts.names import SETTINGS
from ecot.files import read_text
from ecot.grid import index
from ecot.grid.cell_settings import CellSettings

QUANTITIES = ["mse_input", "mse_target", "gelbrich"]


def compare(first: str, second: str) -> str:
    """The metrics of two runs at the cells that both have, as a Markdown table, and what only one of them has.

    Columns: cell, whether both have one and the same model, and each quantity of the first and the second run. A cell
    that neither run has measured is left out. Raises EcotError if a run has no index or
    a file is not the cell's.
    """
    one, other = _table(first), _table(second)
    both = one.merge(other, on=["cell", "weight"], suffixes=(f" {first}", f" {second}"), how="outer", indicator=True)
    values = [f"{name} {run}" for name in QUANTITIES for run in (first, second)]
    joint = both[both["_merge"] == "both"].dropna(subset=values, how="all")
    header = ["cell", "model", *values]
    lines = [
        [
            pair["cell"] + ("" if pd.isna(pair["weight"]) else f", lambda {pair['weight']:g}"),
            "the same" if pair[f"fingerprint {first}"] == pair[f"fingerprint {second}"] else "another",
            *("" if pd.isna(pair[name]) else f"{pair[name]:.4f}" for name in values),
        ]
        for _, pair in joint.iterrows()
    ]
    parts = [tabulate(lines, headers=header, tablefmt="pipe", disable_numparse=True)]
    for side, run in (("left_only", first), ("right_only", second)):
        alone = both[both["_merge"] == side]
        if len(alone):
            parts.append(f"Only {run} has: {', '.join(alone['cell'])}.")
    return "\n\n".join(parts)


def _table(run: str) -> pd.DataFrame:
    rows = []
    for entry in index.read(run):
        measured = _measured(entry)
        values = {name: measured.get(name) for name in QUANTITIES}
        rows.append({"cell": entry.cell, "weight": entry.weight, "fingerprint": entry.fingerprint, **values})
    return pd.DataFrame(rows).astype({"weight": "float64"})


def _measured(entry: index.Entry) -> dict[str, Any]:
    """The metrics of an entry, empty if it is not measured. DamagedError for a file that is another cell's."""
    path, settings_path = entry.measurement / "metrics.csv", entry.path / SETTINGS
    if not path.is_file():
        return {}
    try:
        settings = CellSettings.model_validate(yaml.safe_load(read_text(settings_path)))
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise DamagedError(settings_path, error, f"`ecot train {entry.cell} --force` trains the cell anew") from None
    return row.read(path, row.key(settings, entry.fingerprint, entry.measurement.name))
