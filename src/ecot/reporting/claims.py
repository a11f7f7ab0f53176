"""What of the paper holds: the claims about its experiments, on a run's cells, and those of its theory."""

import pandas as pd

from ecot.cells import bounds_path, results_folder
from ecot.config import Config
from ecot.paper import claims, paired
from ecot.reporting import metrics, reading
from ecot.reporting.captions import describe, missing_note, task_title
from ecot.reporting.tables import Grid, write_markdown
from ecot.theory.claims import STATEMENTS

NOTES = (
    "Verdict: on this run's cells. With several seeds a claim holds if the mean is on its side at every point and the"
    f" {paired.CONFIDENCE:.0%} interval of the mean over all points is wholly on it, fails if that interval or"
    " one of a"
    " single point is wholly on the other side, and is not testable otherwise; with one seed the sign decides. Paper:"
    " the same check on the published numbers, one run, as printed.",
)
THEORY = "Theory, computed anew"


def experiments(table: pd.DataFrame, config: Config) -> pd.DataFrame:
    """The verdicts on metrics, as `ecot.paper.claims.judge` gives them."""
    return claims.judge(paired.of_run(table), config, floors(config))


def theory() -> pd.DataFrame:
    """The verdicts on the paper's theory, in the same columns; it depends on no run, and no numbers are published."""
    rows = []
    for statement in STATEMENTS:
        holds, evidence = statement.check()
        row = {name: getattr(statement, name) for name in ("id", "claim", "place", "test")}
        rows.append({**row, "evidence": evidence, "verdict": "holds" if holds else "fails"})
    return pd.DataFrame(rows)


def floors(config: Config) -> dict[str, float]:
    """By task, the Gelbrich floor of its test set, of those tasks whose bounds are computed."""
    found = {}
    for task in config.tasks:
        path = bounds_path(config, task)
        if path.is_file():
            found[task] = float(reading.table(path).set_index("bound").distortion["gelbrich_floor"])
    return found


def write(config: Config) -> None:
    """Write claims.csv and .md of what is measured; the missing cells are named."""
    found = metrics.rated(config)
    judged = experiments(found.table, config)
    rows = pd.concat([judged, theory()], ignore_index=True).astype({"n_seeds": "Int64"})
    tasks = [task for task in config.tasks if task in set(found.table.task)]
    notes = [*describe(config, tasks, found.table), *NOTES, *missing_note(found.missing)]
    parts = [(task_title(task), rows[rows.task == task]) for task in claims.TASKS]
    parts.append((THEORY, rows[rows.task.isna()]))
    blocks = [(f"{title}: {_count(own.verdict)}", _verdicts(own)) for title, own in parts]
    blocks += [(f"{title}: tests and evidence", _evidence(own)) for title, own in parts]
    rows["tables"] = [", ".join(map(str, tables)) if isinstance(tables, tuple) else "" for tables in rows.tables]
    write_markdown(results_folder(config) / "claims", "Claims of the paper", notes, blocks, rows)


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
    header = ["Id", "Test", "Evidence", "On the published numbers"]
    lines = [[row.id, row.test, row.evidence, _or_empty(row.paper_evidence)] for row in rows.itertuples()]
    return [header, *lines]


def _or_empty(value: object) -> str:
    return "" if pd.isna(value) else str(value)
