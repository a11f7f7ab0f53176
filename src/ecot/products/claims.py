"""What of the paper holds: the claims about its experiments, on a run's cells, and those of its theory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ecot import paper
from ecot.artefacts import DamagedError
from ecot.config import Config
from ecot.grid.cell import Cell
from ecot.grid.paths import image_bounds_path, results_folder
from ecot.grid.plan import rated, tasks
from ecot.paper import checks, differences
from ecot.products import metrics, reading
from ecot.products.base import Product, declare
from ecot.products.captions import describe, missing_note
from ecot.products.tables import Grid, write_markdown
from ecot.tasks import TASKS

NOTES = (
    "Verdict: on this run's cells. With several seeds a claim holds if the mean is on its side at every point and the"
    f" {differences.CONFIDENCE:.0%} interval of the mean over all points is wholly on it, fails if that interval or"
    " that of a single point is wholly on the other side, and is not testable otherwise; with one seed the sign"
    " decides. Paper: the same check on the published numbers, one run, as printed.",
)
THEORY = "Theory, computed anew"


@dataclass(frozen=True)
class Claims(Product):
    """claims.csv and .md: the verdict on each claim of the paper. Those on the theory need no cell."""

    def cells(self, config: Config) -> list[Cell]:
        return compared_cells(config)

    def reads(self, config: Config) -> list[Path]:
        return [image_bounds_path(config, task) for task in paper_tasks(config)]

    def files(self, config: Config) -> list[Path]:
        return [results_folder(config) / f"claims{suffix}" for suffix in (".csv", ".md")]

    def write(self, config: Config, folder: Path) -> None:
        measured = metrics.read(self.cells(config), config)
        judged = experiments(measured.table, config)
        rows = pd.concat([judged, theory()], ignore_index=True).astype({"n_seeds": "Int64"})
        there = [task for task in paper_tasks(config) if task in set(measured.table.task)]
        notes = [*describe(config, there, measured.table), *NOTES, *missing_note(measured.missing)]
        parts = [(TASKS[task].title, rows[rows.task == task]) for task in paper.TASKS]
        parts.append((THEORY, rows[rows.task.isna()]))
        blocks = [(f"{title}: {_count(part.verdict)}", _verdicts(part)) for title, part in parts]
        blocks += [(f"{title}: criteria and evidence", _evidence(part)) for title, part in parts]
        rows["tables"] = [", ".join(map(str, names)) if isinstance(names, tuple) else "" for names in rows.tables]
        write_markdown(folder / "claims", self.title, notes, blocks, rows)


def paper_tasks(config: Config) -> list[str]:
    """The tasks of the paper that the grid has."""
    return [task for task in tasks(config) if task in paper.TASKS]


def compared_cells(config: Config) -> list[Cell]:
    """The cells that the paper's claims speak of."""
    kinds = differences.COMPARED
    return [cell for cell in rated(config) if cell.task in paper.TASKS and (cell.mode, cell.randomness) in kinds]


def experiments(table: pd.DataFrame, config: Config) -> pd.DataFrame:
    """The verdicts on rows of metrics, as `ecot.paper.checks.judge` gives them."""
    return checks.judge(differences.of_run(table), config, floors(config))


def theory() -> pd.DataFrame:
    """The verdicts on the paper's theory, in the same columns; it depends on no run, and no numbers are published."""
    from ecot.theory.claims import STATEMENTS

    rows = []
    for statement in STATEMENTS:
        holds, evidence = statement.check()
        rows.append(
            {
                "id": statement.id,
                "claim": statement.claim,
                "place": statement.place,
                "criterion": statement.test,
                "evidence": evidence,
                "verdict": "holds" if holds else "fails",
            }
        )
    return pd.DataFrame(rows)


def floors(config: Config) -> dict[str, float]:
    """The Gelbrich floor of the test set of each task of the paper whose bounds are computed."""
    paths = {task: image_bounds_path(config, task) for task in paper_tasks(config)}
    return {task: _floor(path) for task, path in paths.items() if path.is_file()}


def _floor(path: Path) -> float:
    try:
        return float(reading.table(path).set_index("bound").distortion["gelbrich_floor"])
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        raise DamagedError(path, error, "delete it and run the same command again, which makes it again") from None


def _count(verdicts: pd.Series) -> str:
    """For instance "5 hold, 1 fails, 2 not testable"."""
    counts = verdicts.value_counts()
    names = {"holds": ("holds", "hold"), "fails": ("fails", "fail"), "not testable": 2 * ("not testable",)}
    return ", ".join(f"{counts[name]} {names[name][int(counts[name] != 1)]}" for name in names if name in counts)


def _verdicts(rows: pd.DataFrame) -> Grid:
    header = ["Claim", "Place", "Verdict", "Seeds", "Paper", "Id"]
    lines = [
        [row.claim, row.place, f"**{row.verdict}**", _or_empty(row.n_seeds), _or_empty(row.paper), row.id]
        for row in rows.itertuples()
    ]
    return [header, *lines]


def _evidence(rows: pd.DataFrame) -> Grid:
    header = ["Id", "Criterion", "Evidence", "On the published numbers"]
    lines = [[row.id, row.criterion, row.evidence, _or_empty(row.paper_evidence)] for row in rows.itertuples()]
    return [header, *lines]


def _or_empty(value: object) -> str:
    return "" if pd.isna(value) else str(value)


@declare
def _products(config: Config) -> Iterator[Claims]:
    if compared_cells(config):
        caption = (
            "Each statement of the paper that can be tested: where it stands, the criterion, the numbers, the verdict"
            " on this run's cells, and the verdict of the same check on the published numbers. Statements of the"
            " theory are computed anew by ``ecot.theory`` and depend on no run."
        )
        yield Claims("claims", "Claims of the paper", caption, "Paper")
