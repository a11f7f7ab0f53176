"""What of the paper holds: the claims about its experiments, on a run's cells, and those of its theory."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ecot import paper
from ecot.config import Config
from ecot.grid.cell import Cell
from ecot.grid.paths import clean_scores_path, image_bounds_path, results_folder
from ecot.grid.plan import rated, tasks
from ecot.paper import checks, differences
from ecot.paper.verdicts import VERDICTS
from ecot.products import image_bounds, metrics, reading
from ecot.products.base import Product, declare
from ecot.products.captions import count, describe, missing_note
from ecot.products.tables import write_list
from ecot.quantities import measures
from ecot.tasks import TASKS

NOTES = (
    "Verdict: on this run's cells. One seed: consistent or inconsistent with the statement, by the sign at each"
    " point. Several seeds: tests at 5 % for the statement as a whole, with the spread pooled over the points. It"
    " holds if every point is on its side, holds on average if the mean over the points is and no point is shown to"
    " be on the other, fails if the mean or a point is on the other side, and is not testable otherwise (rates of"
    " error: docs/claims.md). Paper: the same check on the published numbers, one run, as printed.",
)
THEORY = "Theory, computed anew"


@dataclass(frozen=True)
class Claims(Product):
    """claims.csv and .md: the verdict on each claim of the paper. Those on the theory need no cell."""

    def cells(self, config: Config) -> list[Cell]:
        return compared_cells(config)

    def reads(self, config: Config) -> list[Path]:
        return test_set_paths(config)

    def files(self, config: Config) -> list[Path]:
        return [results_folder(config) / f"claims{suffix}" for suffix in (".csv", ".md")]

    def write(self, config: Config, folder: Path) -> None:
        measured = metrics.read(self.cells(config), config)
        judged = experiments(measured.table, config)
        rows = pd.concat([judged, theory()], ignore_index=True).astype({"n_seeds": "Int64"})
        there = [task for task in paper_tasks(config) if task in set(measured.table.task)]
        notes = [*describe(config, there, measured.table), *NOTES, *missing_note(measured.missing)]
        parts = [(_heading(rows[rows.task == task], task), rows[rows.task == task]) for task in paper.TASKS]
        parts.append((THEORY, rows[rows.task.isna()]))
        sections = [(f"{title}: {count_verdicts(part.verdict)}", _statements(part)) for title, part in parts]
        rows["tables"] = [", ".join(map(str, names)) if isinstance(names, tuple) else "" for names in rows.tables]
        write_list(folder / "claims", self.title, notes, sections, rows)


def paper_tasks(config: Config) -> list[str]:
    """The tasks of the paper that the grid has."""
    return [task for task in tasks(config) if task in paper.TASKS]


def test_set_paths(config: Config) -> list[Path]:
    """The files that say what is known of the test sets without any system."""
    paths = (image_bounds_path, clean_scores_path)
    return [path(config, task) for task in paper_tasks(config) for path in paths]


def compared_cells(config: Config) -> list[Cell]:
    """The cells that the paper's claims speak of."""
    kinds = differences.COMPARED
    return [cell for cell in rated(config) if cell.task in paper.TASKS and (cell.mode, cell.randomness) in kinds]


def experiments(table: pd.DataFrame, config: Config) -> pd.DataFrame:
    """The verdicts on rows of metrics, as `ecot.paper.checks.judge` gives them."""
    return checks.judge(differences.of_run(table), config, test_sets(config))


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


def test_sets(config: Config) -> dict[str, checks.TestSet]:
    """What is known of the test set of each task of the paper."""
    return {task: checks.TestSet(_floor(config, task), _clean(config, task)) for task in paper_tasks(config)}


def _floor(config: Config, task: str) -> float | None:
    """The Gelbrich floor; None if the bounds are not computed."""
    bounds = image_bounds.read(config, task)
    return None if bounds is None else float(bounds.distortion["gelbrich_floor"])


def _clean(config: Config, task: str) -> dict[str, float]:
    """By measure the farther from p_Y of what clean test and clean training images score; nothing if not computed.

    A measure by which both are as near as can be is left out: no factor of zero tells outputs apart.
    """
    scores = reading.clean_scores(config, task)
    if scores is None:
        return {}
    farther = {name: float(checks.distance(name, scores[[name]]).max().iloc[0]) for name in measures()}
    return {name: score for name, score in farther.items() if score > 0}


def _heading(rows: pd.DataFrame, task: str) -> str:
    """The task, and what makes it another one than the paper's."""
    problem = rows.problem.iloc[0]
    return f"{TASKS[task].title}, another problem than the paper's ({problem})" if problem else TASKS[task].title


def count_verdicts(verdicts: pd.Series) -> str:
    """For instance "5 hold, 1 fails, 2 not testable"."""
    counts = verdicts.value_counts()
    parts = []
    for word in VERDICTS:
        if word in counts:
            plural = word.replace("holds", "hold").replace("fails", "fail")
            parts.append(f"{counts[word]} {word if counts[word] == 1 else plural}")
    return ", ".join(parts)


def _statements(rows: pd.DataFrame) -> str:
    """Each statement under the heading of its verdict, with what is computed and found."""
    parts = []
    for row in rows.itertuples():
        seeds = "" if pd.isna(row.n_seeds) or not row.n_seeds else f", {count(int(row.n_seeds), 'seed')}"
        lines = [f"- Criterion: {row.criterion}.", f"- Evidence: {row.evidence}."]
        if not pd.isna(row.paper):
            found = "" if pd.isna(row.paper_evidence) else f" ({row.paper_evidence})"
            lines.append(f"- The published numbers: {row.paper}{found}.")
        text = "\n".join(line.replace("..", ".") for line in lines)
        parts.append(f"### {row.verdict[0].upper()}{row.verdict[1:]}: {row.claim}\n\n{row.place}{seeds}.\n\n{text}")
    return "\n\n".join(parts)


@declare
def _products(config: Config) -> Iterator[Claims]:
    if compared_cells(config):
        caption = (
            "Each statement of the paper that can be tested: where it stands, the criterion, the numbers, the verdict"
            " on this run's cells, and the verdict of the same check on the published numbers. Statements of the"
            " theory are computed anew by ``ecot.theory`` and depend on no run."
        )
        yield Claims("claims", "Claims of the paper", caption, "Paper")
