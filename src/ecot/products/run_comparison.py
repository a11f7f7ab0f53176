"""Two runs side by side: a join of their indexes."""

import pandas as pd
from tabulate import tabulate

from ecot.grid import index

QUANTITIES = ["mse_input", "mse_target", "gelbrich"]


def compare(first: str, second: str) -> str:
    """The metrics of two runs at the cells that both have, as a Markdown table, and what only one of them has.

    Columns: cell, whether both have one and the same model, and each quantity of the first and the second run. A cell
    that is not measured has no numbers. Raises EcotError if a run has no index.
    """
    one, other = _table(first), _table(second)
    both = one.merge(other, on=["cell", "weight"], suffixes=(f" {first}", f" {second}"), how="outer", indicator=True)
    joint = both[both["_merge"] == "both"]
    header = ["cell", "model", *(f"{name} {run}" for name in QUANTITIES for run in (first, second))]
    lines = [
        [
            row["cell"] + ("" if pd.isna(row["weight"]) else f", lambda {row['weight']:g}"),
            "the same" if row[f"fingerprint {first}"] == row[f"fingerprint {second}"] else "another",
            *(row[f"{name} {run}"] for name in QUANTITIES for run in (first, second)),
        ]
        for _, row in joint.iterrows()
    ]
    parts = [tabulate(lines, headers=header, tablefmt="pipe", floatfmt=".4f", missingval="")]
    for side, run in (("left_only", first), ("right_only", second)):
        alone = both[both["_merge"] == side]
        if len(alone):
            parts.append(f"Only {run} has: {', '.join(alone['cell'])}.")
    return "\n\n".join(parts)


def _table(run: str) -> pd.DataFrame:
    rows = []
    for entry in index.read(run):
        path = entry.measurement / "metrics.csv"
        measured = pd.read_csv(path).iloc[0] if path.is_file() else {}
        values = {name: measured.get(name) for name in QUANTITIES}
        rows.append({"cell": entry.cell, "weight": entry.weight, "fingerprint": entry.fingerprint, **values})
    return pd.DataFrame(rows).astype({"weight": "float64"})
