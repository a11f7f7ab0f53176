"""The paired comparisons of a run: tables/paired.{csv,md}."""

import pandas as pd

from ecot.cells import results_folder
from ecot.config import Config
from ecot.errors import EcotError
from ecot.paper import paired
from ecot.reporting import metrics
from ecot.reporting.captions import describe, missing_note, task_title
from ecot.reporting.tables import Grid, write_markdown

NOTES = (
    f"Difference of two models of the same seed, mean over seeds, with Student's interval at {paired.CONFIDENCE:.0%};"
    " one seed has none. Noise and dither of the test are the same in all cells. The row of all rates averages over"
    " the rates first, so that it has one number a seed; only seeds with all rates are in it.",
)


def write(config: Config) -> None:
    """Write tables/paired.csv, .md of what is measured; the missing cells are named. EcotError if no cell is."""
    found = metrics.rated(config)
    if found.table.empty:
        raise EcotError(f"no cell is measured in {results_folder(config)}")
    tasks = [task for task in config.tasks if task in set(found.table.task)]
    rows = paired.table(paired.of_run(found.table), tasks)
    notes = [*describe(config, tasks, found.table), *NOTES, *missing_note(found.missing)]
    blocks = [
        (f"{task_title(str(task))}: {title}", _block(own))
        for (task, title), own in rows.groupby(["task", "title"], sort=False)
    ]
    write_markdown(results_folder(config) / "tables" / "paired", "Paired comparisons", notes, blocks, rows)


def _block(rows: pd.DataFrame) -> Grid:
    header = ["Rate (bits)", "Difference", f"{paired.CONFIDENCE:.0%} interval", "Seeds", "Pairs of that sign"]
    lines = [
        [
            "all" if pd.isna(row.rate_bits) else str(row.rate_bits),
            _signed(row.difference),
            "" if pd.isna(row.low) else f"{row.low:+.4f} to {row.high:+.4f}",
            str(row.n_seeds),
            f"{row.n_agree} of {row.n_pairs}",
        ]
        for row in rows.itertuples()
    ]
    return [header, *lines]


def _signed(value: float) -> str:
    """Empty where no seed has all rates."""
    return "" if pd.isna(value) else f"{value:+.4f}"
