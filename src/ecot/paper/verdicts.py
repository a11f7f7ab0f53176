"""The rule of verdicts: from margins to a word, with known rates of error (docs/claims.md).

A margin says how far a number is on the claimed side. Margins stand in a table with one row per seed and one column
per point (a rate, or a step between two rates). With fewer than two seeds that have all points there is no spread:

    consistent         every mean margin is on the claimed side
    inconsistent       some mean margin is not

With two or more, Student's tests decide, at 5 % for the claim as a whole:

    fails              the mean over all points is on the other side at 2.5 %, or a point is at 0.5 % / points and,
                       by its own spread alone, at 5 %
    holds              every point is on the claimed side, each at 2.5 %: the claim as it is written
    holds on average   the mean over all points is, at 5 %, and no point is shown to be on the other side
    not testable       none of these

What is left of 5 % is for points that spread unequally. A claim of one point is one test to either side, each at 5 %.
Requiring every point needs no correction for their number (intersection-union, Berger 1982). The spread of a point is
pooled over all points; where its own is larger, that one counts, since points need not spread alike. A seed may move
all its points together, as one frozen model behind all rates does. So the mean is tested against the spread of the
seeds' means, and the degrees of freedom of the pooled spread are Satterthwaite's for the two variances, between seeds
and within them.
"""

from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr

Verdict = Literal[
    "holds", "holds on average", "fails", "consistent", "inconsistent", "not comparable", "not testable"
]
VERDICTS: tuple[Verdict, ...] = (
    "holds", "holds on average", "consistent", "fails", "inconsistent", "not comparable", "not testable"
)  # fmt: skip
LEVEL = 0.05  # of a claim as a whole
Array = NDArray[np.float64]


class PValues(NamedTuple):
    """One-sided p-values that a mean margin is above zero."""

    points: Array  # of each point, by the pooled spread, or by the point's own where that is larger
    own: Array  # of each point by its own spread
    mean: float  # of the mean over all points


def decide(margins: pd.DataFrame, level: float = LEVEL) -> Verdict:
    """The verdict on margins, one row per seed and one column per point; NaN where there is no number."""
    if margins.empty:
        return "not testable"
    complete = margins.dropna()
    if len(complete) < 2:
        return "consistent" if bool((margins.mean() > 0).all()) else "inconsistent"
    return word(student(complete.to_numpy(np.float64)), level)


def word(found: PValues, level: float = LEVEL) -> Verdict:
    """The verdict on p-values."""
    if found.points.size == 1:
        return "holds" if found.mean < level else "fails" if 1 - found.mean < level else "not testable"
    opposed = (1 - found.points < level / 10 / found.points.size) & (1 - found.own < level)
    if 1 - found.mean < level / 2 or opposed.any():
        return "fails"
    if (found.points < level / 2).all():
        return "holds"
    return "holds on average" if found.mean < level else "not testable"


def student(margins: Array) -> PValues:
    """Student's tests on margins, shape (seeds, points), at least two seeds and no NaN.

    With s^2 the variance over seeds, pooled over points, a point's statistic is its mean times sqrt(seeds) / s. Its
    degrees of freedom are seeds - 1 if all points of a seed move together, and points times as many if they move
    independently of each other (Satterthwaite 1946). Where a point's own variance is larger, that one counts.
    """
    n, points = margins.shape
    means, of_seed, own = margins.mean(axis=0), margins.mean(axis=1), margins.var(axis=0, ddof=1)
    between = points * float(of_seed.var(ddof=1))  # mean squares: of the seeds, and of what is left
    apart = margins - means - of_seed[:, None] + margins.mean()
    within = float((apart**2).sum()) / ((n - 1) * (points - 1)) if points > 1 else 0.0
    parts = between / points, (points - 1) * within / points
    spread = parts[0] ** 2 + parts[1] ** 2 / max(points - 1, 1)
    freedom = (n - 1) * sum(parts) ** 2 / spread if spread else n - 1.0
    return PValues(
        _above_zero(means, np.maximum(own, sum(parts)) / n, freedom),
        _above_zero(means, own / n, n - 1.0),
        float(_above_zero(margins.mean(), np.float64(between / points / n), n - 1.0)),
    )


def _above_zero(mean: Array | np.floating, variance: Array | np.floating, freedom: float) -> Array:
    """The one-sided p-value that means with these variances are above zero; 1/2 where both are zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.nan_to_num(mean / np.sqrt(variance), nan=0.0, posinf=np.inf, neginf=-np.inf)
    return np.asarray(stdtr(freedom, -t), dtype=np.float64)
