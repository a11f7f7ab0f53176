"""What common randomness buys in a run, at which rate, and how sure that is: the head of the report."""

from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from ecot import paper
from ecot.config import Config
from ecot.grid.plan import tasks
from ecot.paper import differences
from ecot.paper.comparable import match
from ecot.products import captions, metrics
from ecot.products.captions import count
from ecot.tasks import TASKS

COMPARISON = "common_input"
SPOKEN = ("common_better", "common_saves_bits")  # the claims that answer the question
NOT_PUBLISHED = "–"


@dataclass(frozen=True)
class Line:
    """One rate: both distortions and what lies between them, in words."""

    rate: str
    common: str
    independent: str
    saved: str
    relative: str
    interval: str
    agree: str
    published: str


@dataclass(frozen=True)
class Answer:
    """The answer for one task: a sentence, what it rests on, a line for each rate."""

    task: str
    title: str
    sentence: str
    sureness: str
    about: list[str]
    claims: list[dict[str, str]]
    lines: list[Line]


def answers(config: Config, table: pd.DataFrame, claims: pd.DataFrame | None) -> Iterator[Answer]:
    """One answer per task that has end-to-end cells of both kinds; `claims` are the rows of claims.csv."""
    numbers = differences.of_run(table)
    for task in tasks(config):
        rows = differences.table(numbers, [task])
        rows = rows[rows.comparison == COMPARISON]
        at_rates = rows.dropna(subset=["rate_bits"]).set_index("rate_bits")
        if at_rates.empty:
            continue
        means = metrics.over_seeds(table[(table.task == task) & (table["mode"] == "end_to_end")], "mse_input")
        wide = means.pivot_table(index="rate_bits", columns="randomness", values="value").loc[at_rates.index]
        saved = -at_rates.difference
        over_all = rows[rows.rate_bits.isna()]
        mean = over_all.iloc[0] if len(over_all) else at_rates.iloc[0]
        spoken = _claims(claims, task)
        yield Answer(
            task,
            TASKS[task].title,
            _sentence(saved, wide.independent, mean),
            _sureness(mean, spoken),
            captions.describe(config, [task], table),
            spoken,
            [_line(rate, wide, at_rates, _published(config, task)) for rate in at_rates.index],
        )


def _sentence(saved: pd.Series, without: pd.Series, mean: pd.Series) -> str:
    """What this run says; a gain that the spread of the seeds leaves open is called that."""
    lower, n = int((saved > 0).sum()), len(saved)
    average, most = saved.mean(), saved.idxmax()
    size = f"{abs(average):.4f} per pixel on average ({abs(average / without.mean()):.1%})"
    if mean.low <= 0 <= mean.high:  # false where there is one seed, and so no interval
        head = (
            "This run does not tell whether common randomness lowers the distortion: the mean gain is"
            f" {_signed(average)} per pixel, and the seeds differ by more than that"
        )
    else:
        head = f"Common randomness {'lowers' if average > 0 else 'raises'} the distortion by {size}"
    return (
        f"{head}. It is lower with it at {lower} of {count(n, 'rate')}; the largest gain is at {most} bits:"
        f" {_signed(saved[most])} ({_signed((saved / without)[most], '.1%')})."
    )


def _sureness(mean: pd.Series, spoken: list[dict[str, str]]) -> str:
    """What the numbers rest on: seeds, the interval, the verdict."""
    if pd.isna(mean.low):
        sure = "There is one seed, so the spread between trainings is unknown, and the signs alone speak."
    else:
        sure = (
            f"Over {mean.n_seeds} seeds the {differences.CONFIDENCE:.0%} interval of the mean gain is"
            f" {_signed(-mean.high)} to {_signed(-mean.low)};"
            f" {mean.n_agree} of {mean.n_pairs} pairs of equal seed and rate have the sign of the mean."
        )
    verdicts = [claim["verdict"] for claim in spoken if claim["id"].startswith(f"{SPOKEN[0]}/")]
    return f"{sure} The paper's statement, lower at every rate: {verdicts[0]}." if verdicts else sure


def _signed(value: float, form: str = ".4f") -> str:
    """With the sign of mathematics."""
    return f"{value:+{form}}".replace("-", "−")


def _claims(claims: pd.DataFrame | None, task: str) -> list[dict[str, str]]:
    if claims is None:
        return []
    wanted = [f"{name}/{task}" for name in SPOKEN]
    return [
        {name: str(row[name]) for name in ("id", "claim", "verdict", "evidence")}
        for _, row in claims[claims.id.isin(wanted)].iterrows()
    ]


def _published(config: Config, task: str) -> pd.Series:
    """The paper's gain by rate, empty where its numbers answer another question."""
    if not match(config, task, "end_to_end").comparable:
        return pd.Series(dtype="float64")
    rows = differences.table(differences.of_paper([5, 6]), [task]) if task in paper.TASKS else pd.DataFrame()
    rows = rows[rows.comparison == COMPARISON].dropna(subset=["rate_bits"])
    return -rows.set_index("rate_bits").difference


def _line(rate: int, wide: pd.DataFrame, at_rates: pd.DataFrame, published: pd.Series) -> Line:
    row, both = at_rates.loc[rate], wide.loc[rate]
    return Line(
        str(rate),
        f"{both.common:.4f}",
        f"{both.independent:.4f}",
        _signed(-row.difference),
        _signed(-row.difference / both.independent, ".1%"),
        "one seed" if pd.isna(row.low) else f"{_signed(-row.high)} to {_signed(-row.low)}",
        f"{row.n_agree} of {row.n_pairs}",
        _signed(published[rate]) if rate in published.index else NOT_PUBLISHED,
    )
