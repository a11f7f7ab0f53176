"""Paired comparisons: two series of numbers at the same task, rate and seed, and an interval over the seeds.

Numbers are tidy: columns task, mode, randomness, rate_bits, seed, dither, quantity, value, one row per number. Those
of a run come from its metrics; the published ones count as one seed. `dither` is empty but for joint cells, of which
the comparisons take the reading of the paper's tables where they name no other.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from ecot import paper
from ecot.modes import MODES, Dither, Randomness
from ecot.quantities import QUANTITIES, measures

CONFIDENCE = 0.95
KEY = ["task", "mode", "randomness", "rate_bits", "seed"]


class Interval(NamedTuple):
    """Mean of n numbers and its confidence interval; NaN where n < 2."""

    mean: float
    low: float
    high: float
    n: int


def interval(values: ArrayLike) -> Interval:
    """Student's interval for the mean at the level CONFIDENCE; NaN among `values` are left out."""
    x = np.asarray(values, dtype=np.float64)
    x = x[~np.isnan(x)]
    if x.size < 2:
        return Interval(float(x.mean()) if x.size else np.nan, np.nan, np.nan, x.size)
    half = float(stdtrit(x.size - 1, (1 + CONFIDENCE) / 2) * x.std(ddof=1) / np.sqrt(x.size))
    return Interval(float(x.mean()), float(x.mean()) - half, float(x.mean()) + half, x.size)


def of_run(metrics: pd.DataFrame) -> pd.DataFrame:
    """The numbers of a run, from the rows of metrics.csv."""
    measures()  # completes QUANTITIES
    about = [*KEY, "dither"]
    rated = metrics.reindex(columns=[*about, *QUANTITIES]).dropna(subset=["rate_bits"])
    return rated.melt(about, var_name="quantity").dropna(subset=["value"]).reset_index(drop=True)


def of_paper(tables: Collection[int]) -> pd.DataFrame:
    """The numbers printed in these tables; where two print the same one, that of the table named first."""
    published = paper.published()
    parts = [published[published.table == table] for table in tables]
    # Tables 1 and 11 call mse_input by another name.
    printed = pd.concat(parts).replace({"quantity": {"loss_end_to_end": "mse_input"}}).assign(seed=0)
    numbers = printed.drop_duplicates([*KEY, "quantity"])[[*KEY, "quantity", "value"]]
    return numbers.assign(dither=None).reset_index(drop=True)


@dataclass(frozen=True)
class Series:
    """One quantity of one kind of cell, over rates and seeds; `dither`: of which reading, where there are several."""

    mode: str
    randomness: Randomness
    quantity: str
    dither: Dither | None = None

    def of(self, numbers: pd.DataFrame, task: str) -> pd.DataFrame:
        """Its values for a task: one row per seed, one column per rate (bits, ascending); NaN where there is none."""
        values = numbers[
            (numbers.task == task)
            & (numbers["mode"] == self.mode)
            & (numbers.randomness == self.randomness)
            & (numbers.quantity == self.quantity)
            & (numbers.dither.isna() | (numbers.dither == self.dither))
        ]
        return values.astype({"rate_bits": int}).pivot_table(index="seed", columns="rate_bits", values="value")


def measured(values: pd.DataFrame) -> pd.DataFrame:
    """Without the seeds and the rates that have no value at all."""
    return values.dropna(how="all").dropna(axis="columns", how="all")


@dataclass(frozen=True)
class Comparison:
    """The difference `first` - `second`, which the paper makes a statement about."""

    id: str
    title: str
    first: Series
    second: Series

    @property
    def series(self) -> tuple[Series, Series]:
        """Both."""
        return self.first, self.second

    def differences(self, numbers: pd.DataFrame, task: str) -> pd.DataFrame:
        """One row per seed, one column per rate; only seeds and rates at which both were measured."""
        return measured(self.first.of(numbers, task) - self.second.of(numbers, task))


def _by_randomness(mode: str, quantity: str) -> tuple[Series, Series]:
    return Series(mode, "common", quantity), Series(mode, "independent", quantity)


TABLES_DITHER: Dither = next(iter(MODES["joint"].readings))  # the reading of the paper's tables
ENDS: dict[Randomness, Series] = {
    randomness: Series("end_to_end", randomness, "mse_input") for randomness in ("common", "independent")
}
COMPARISONS = (
    Comparison("common_input", "common randomness - none, mse_input", *_by_randomness("end_to_end", "mse_input")),
    Comparison("common_target", "common randomness - none, mse_target", *_by_randomness("end_to_end", "mse_target")),
    *(
        Comparison(
            f"baseline_{randomness}",
            f"end to end - baseline, mse_input, {randomness} randomness",
            series,
            Series("baseline", randomness, "mse_input"),
        )
        for randomness, series in ENDS.items()
    ),
    *(
        Comparison(
            f"baseline_law_{randomness}",
            f"end to end - baseline, Gelbrich² to pY, {randomness} randomness",
            Series("end_to_end", randomness, "gelbrich"),
            Series("baseline", randomness, "gelbrich"),
        )
        for randomness in ENDS
    ),
    *(
        Comparison(
            f"decomposed{'' if dither == TABLES_DITHER else f'_{dither}'}",
            f"decomposed - end-to-end loss, {dither} dither",
            Series("joint", "independent", "loss_decomposed", dither),
            ENDS["independent"],
        )
        for dither in MODES["joint"].readings
    ),
    *(
        Comparison(
            f"joint_{quantity}",
            f"joint - separate, {quantity}, {TABLES_DITHER} dither",
            Series("joint", "independent", quantity, TABLES_DITHER),
            Series("separate", "independent", quantity),
        )
        for quantity in ("mse_x_y1", "mse_y_y2", "mse_y1_y2")
    ),
)

COMPARED = {(series.mode, series.randomness) for comparison in COMPARISONS for series in comparison.series}  # kinds


def pooled(values: pd.DataFrame) -> Interval:
    """The interval of the mean over all columns: one number per row (seed), of rows that have a value in each."""
    return interval(values.dropna().mean(axis=1))


def table(numbers: pd.DataFrame, tasks: Collection[str]) -> pd.DataFrame:
    """One row per task, comparison and rate, and one per task and comparison over all rates (rate_bits empty).

    Columns: task, comparison, title, rate_bits, difference (mean over seeds), low and high (its interval, empty for
    one seed), n_seeds, n_agree (pairs with the sign of the mean), n_pairs. The row over all rates is made of the
    seeds that have them all.
    """
    rows = [row for task in tasks for comparison in COMPARISONS for row in _rows(comparison, numbers, task)]
    columns = [
        "task",
        "comparison",
        "title",
        "rate_bits",
        "difference",
        "low",
        "high",
        "n_seeds",
        "n_agree",
        "n_pairs",
    ]
    return pd.DataFrame(rows, columns=columns).astype({"rate_bits": "Int64"})


def _rows(comparison: Comparison, numbers: pd.DataFrame, task: str) -> Iterator[tuple[object, ...]]:
    differences = comparison.differences(numbers, task)
    for rate in differences:
        pairs = differences[rate].dropna()
        agree = agreeing(pairs, pairs.mean())
        yield task, comparison.id, comparison.title, rate, *interval(pairs), agree, len(pairs)
    if len(differences.columns) > 1:
        mean, n_pairs = pooled(differences), int(differences.notna().to_numpy().sum())
        yield task, comparison.id, comparison.title, None, *mean, agreeing(differences, mean.mean), n_pairs


def agreeing(values: ArrayLike, mean: float) -> int:
    """How many values have the sign of the mean."""
    return int((np.sign(np.asarray(values, dtype=np.float64)) == np.sign(mean)).sum())
