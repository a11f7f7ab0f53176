"""The paper's statements about its experiments as checks on a run's numbers, and on the published ones.

A check turns numbers into margins, one row per seed and one column per point (a rate, or a step between two rates):
how far a number is on the claimed side. `decide` judges them:

    two seeds or more     holds if the mean margin is positive at every point and the interval of the mean over
                          all points lies above zero; fails if that interval, or the one of any point, lies below
                          zero; otherwise these cells cannot tell
    one seed              holds if every margin is positive, otherwise fails: the paper's own measure, one run

"Not testable" means: not with these cells.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd

from ecot.config import Config
from ecot.degradations.gaussian_noise import GaussianNoiseSettings
from ecot.paper import DATASETS, TASKS
from ecot.paper.differences import (
    COMPARISONS,
    ENDS,
    KEY,
    Comparison,
    Interval,
    Series,
    agreeing,
    interval,
    measured,
    of_paper,
    pooled,
)

Verdict = Literal["holds", "fails", "not testable"]
ROUNDING = 0.5e-4  # of a number printed with four decimals
NOISE_SHARE = 0.05
SIGMA = 20 / 255  # of the paper's noise (Section B.1)
BY_ID = {comparison.id: comparison for comparison in COMPARISONS}
TERMS = ("mse_x_y1", "mse_y_y2", "mse_y1_y2")
EVERYWHERE = "at every rate measured: the paper claims a direction, no size"


class Finding(NamedTuple):
    """A verdict, the numbers behind it, and over how many seeds."""

    verdict: Verdict
    evidence: str
    n_seeds: int


Check = Callable[[pd.DataFrame], Finding]


@dataclass(frozen=True)
class Claim:
    """A statement of the paper about a task: its sentence, where it stands, its criterion, the tables it speaks of.

    `check` judges a run's numbers and `published` those of the tables, None where the criterion comes from them.
    """

    id: str
    task: str
    claim: str
    place: str
    criterion: str
    tables: tuple[int, ...]
    check: Check
    published: Check | None


def judge(numbers: pd.DataFrame, config: Config, floors: Mapping[str, float]) -> pd.DataFrame:
    """Every claim's verdict on a run's numbers (see `differences.of_run`) and on the published ones.

    `floors`: by task, the least distortion that outputs of the target law can have on its test set (Gelbrich), for
    the tasks whose bounds are known. Columns: id, task, claim, place, tables, criterion, evidence, verdict, n_seeds,
    paper (the verdict on the published numbers), paper_evidence.
    """
    return pd.DataFrame([row(claim, numbers) for claim in claims(config, floors)])


def row(claim: Claim, numbers: pd.DataFrame) -> dict[str, object]:
    """The columns of `judge` for one claim."""
    on_run = claim.check(numbers[numbers.task == claim.task])
    on_paper = NOT_THERE if claim.published is None else claim.published(_printed(claim))
    return {
        **{name: getattr(claim, name) for name in ("id", "task", "claim", "place", "tables", "criterion")},
        **{"evidence": on_run.evidence, "verdict": on_run.verdict, "n_seeds": on_run.n_seeds},
        **{"paper": on_paper.verdict, "paper_evidence": on_paper.evidence},
    }


def claims(config: Config, floors: Mapping[str, float]) -> list[Claim]:
    """The claims about each task of the paper."""
    return [claim for task in TASKS for claim in _of_task(task, config, floors.get(task))]


NOT_THERE = Finding("not testable", "no such numbers are published, or they set the threshold", 0)


def decide(margins: pd.DataFrame) -> Verdict:
    """The verdict on margins, by the rule above."""
    if margins.empty:
        return "not testable"
    right = bool((margins.mean() > 0).all())
    total = pooled(margins)
    if total.n < 2:
        return "holds" if right else "fails"
    if total.high < 0 or any(interval(margins[point]).high < 0 for point in margins):
        return "fails"
    return "holds" if right and total.low > 0 else "not testable"


def bits_saved(first: pd.Series, second: pd.Series) -> float:
    """How many bits fewer `first` needs than `second` for the same distortion, on average; NaN if they reach no
    distortion in common.

    Both are distortions by rate. A rate at which the distortion is no lower than at a smaller one is left out, as one
    may always spend less; between the others the curves are straight. The mean is over the distortions that both
    reach.
    """
    curves = []
    for series in (first.dropna(), second.dropna()):
        falling = series[series < series.cummin().shift(fill_value=np.inf)].iloc[::-1]
        curves.append((falling.to_numpy(np.float64), falling.index.to_numpy(np.float64)))
    if min(len(distortion) for distortion, _ in curves) < 2:
        return np.nan
    low, high = max(d[0] for d, _ in curves), min(d[-1] for d, _ in curves)
    if low >= high:
        return np.nan
    at = np.unique(np.clip(np.concatenate([d for d, _ in curves]), low, high))
    saved = np.interp(at, *curves[1]) - np.interp(at, *curves[0])
    return float(np.trapezoid(saved, at) / (high - low))


def below(*comparisons: str) -> Check:
    """The first of each comparison is lower at every rate."""

    def check(numbers: pd.DataFrame) -> Finding:
        apart = _named({BY_ID[name]: BY_ID[name].differences(numbers, _task(numbers)) for name in comparisons})
        return _finding(-apart, apart, "lower", "difference")

    return check


def above(*comparisons: str) -> Check:
    """The first of each comparison is higher at every rate."""

    def check(numbers: pd.DataFrame) -> Finding:
        apart = _named({BY_ID[name]: BY_ID[name].differences(numbers, _task(numbers)) for name in comparisons})
        return _finding(apart, apart, "higher", "difference")

    return check


def falls(quantity: str) -> Check:
    """The quantity falls from each rate to the next, with and without common randomness."""

    def check(numbers: pd.DataFrame) -> Finding:
        parts = {}
        for randomness in ENDS:
            values = Series("end_to_end", randomness, quantity).of(numbers, _task(numbers))
            steps = values.diff(axis=1).iloc[:, 1:]
            steps.columns = [
                f"{randomness}, {a} to {b} bits" for a, b in zip(values.columns, values.columns[1:], strict=False)
            ]
            parts[randomness] = steps
        steps = pd.concat(parts.values(), axis=1)
        return _finding(-steps, steps, "lower", "step")

    return check


def saves_bits(numbers: pd.DataFrame) -> Finding:
    """Common randomness needs fewer bits for the same distortion."""
    curves = [ENDS[randomness].of(numbers, _task(numbers)) for randomness in ("common", "independent")]
    seeds = [seed for seed in curves[0].index if seed in curves[1].index]
    saved = pd.Series({seed: bits_saved(curves[0].loc[seed], curves[1].loc[seed]) for seed in seeds}, dtype=float)
    saved = saved.dropna()
    if saved.empty:
        return Finding("not testable", "the two curves reach no distortion in common", 0)
    mean = interval(saved)
    return Finding(
        decide(saved.to_frame("saved")), f"{mean.mean:.2f} bits fewer on average {_spread(mean, '.2f')}", mean.n
    )


def close(comparisons: tuple[str, ...], threshold: float, two_sided: bool) -> Check:
    """The first of each comparison is above the second (two-sided: away from it) by no more than a share."""

    def check(numbers: pd.DataFrame) -> Finding:
        task = _task(numbers)
        shares = _named({BY_ID[name]: relative(BY_ID[name], numbers, task) for name in comparisons})
        margins = threshold - (shares.abs() if two_sided else shares)
        side = f"within {threshold:.1%}" if two_sided else f"at most {threshold:.1%}"
        return _finding(margins, shares, side, "relative difference", "+.1%")

    return check


def relative(comparison: Comparison, numbers: pd.DataFrame, task: str) -> pd.DataFrame:
    """first / second - 1, one row per seed and one column per rate."""
    return measured(comparison.differences(numbers, task) / comparison.second.of(numbers, task))


@cache
def largest_published(comparisons: tuple[str, ...], tables: tuple[int, ...]) -> float:
    """The largest absolute relative difference of these comparisons in the paper, over both tasks."""
    numbers = of_paper(tables)
    shares = [relative(BY_ID[name], numbers, task) for name in comparisons for task in TASKS]
    return max(float(share.abs().to_numpy().max()) for share in shares if share.size)


def sums(numbers: pd.DataFrame) -> Finding:
    """The decomposed loss is the sum of its three terms."""
    joint = {name: Series("joint", "independent", name).of(numbers, _task(numbers)) for name in TERMS}
    total = Series("joint", "independent", "loss_decomposed").of(numbers, _task(numbers))
    misses = measured(sum(joint.values()) - total)
    misses.columns = [f"{rate} bits" for rate in misses.columns]
    return _finding(4 * ROUNDING - misses.abs(), misses, f"within {4 * ROUNDING:g}", "sum less the loss", "+.5f")


def consistent(sigma: float) -> Check:
    """mse_input - mse_target = sigma^2, but for what of the noise the output keeps."""

    def check(numbers: pd.DataFrame) -> Finding:
        parts = {}
        for randomness, series in ENDS.items():
            target = Series("end_to_end", randomness, "mse_target").of(numbers, _task(numbers))
            misses = measured(series.of(numbers, _task(numbers)) - target - sigma**2)
            parts[randomness] = misses.set_axis([f"{randomness}, {rate} bits" for rate in misses.columns], axis=1)
        misses, limit = pd.concat(parts.values(), axis=1), NOISE_SHARE * sigma**2
        return _finding(limit - misses.abs(), misses, f"within {limit:.1e}", "deviation", "+.5f")

    return check


def above_floor(floor: float | None) -> Check:
    """No distortion is below what outputs of the target law allow."""

    def check(numbers: pd.DataFrame) -> Finding:
        if floor is None:
            return Finding("not testable", "the floor of this test set is not computed", 0)
        parts = [
            series.of(numbers, _task(numbers)).rename(columns=lambda rate, r=randomness: f"{r}, {rate} bits") - floor
            for randomness, series in ENDS.items()
        ]
        excess = pd.concat(parts, axis=1)
        return _finding(excess, excess, f"above the floor {floor:.4f}", "excess")

    return check


def printed_twice(tables: tuple[int, ...]) -> Check:
    """What two tables print agrees."""

    def check(numbers: pd.DataFrame) -> Finding:
        pairs = [
            of_paper([one]).merge(of_paper([other]), on=[*KEY, "quantity"]).assign(tables=f"Tables {one} and {other}")
            for one, other in combinations(tables, 2)
        ]
        twice = pd.concat(pairs)
        twice = twice[twice.task == _task(numbers)]
        apart = twice[(twice.value_x - twice.value_y).abs() > 2 * ROUNDING + 1e-9]
        pairs_apart = "; ".join(
            f"{row.tables}: {row.quantity}, {row.mode}, {row.randomness}, {row.rate_bits} bits, {row.value_x:g} and"
            f" {row.value_y:g}"
            for row in apart.itertuples()
        )
        evidence = f"{len(twice)} numbers are printed twice, {len(apart)} differently" + (
            f": {pairs_apart}" if pairs_apart else ""
        )
        return Finding("fails" if len(apart) else "holds", evidence, 1)

    return check


def _same_cells(_numbers: pd.DataFrame) -> Finding:
    return Finding("not testable", "all tables of a run are made of the same cells", 0)


def _of_task(task: str, config: Config, floor: float | None) -> list[Claim]:
    settings = config.tasks.get(task)
    same_data = settings is not None and settings.dataset == DATASETS[task]
    about_task = [
        *_rate_distortion(task),
        _output_law(task, floor, same_data),
        *_decomposition(task),
        *_baseline(task),
    ]
    if task == "denoising":
        noise = settings.degradation if settings else None
        sigma = noise.std / 255 if isinstance(noise, GaussianNoiseSettings) and not noise.clip else None
        about_task.append(_noise(task, sigma))
    return [*about_task, _printed_alike(task)]


def _rate_distortion(task: str) -> list[Claim]:
    """Section 3.1 and B.6."""
    table, target = {"super_resolution": (5, 9), "denoising": (6, 10)}[task]
    return [
        _alike(
            f"common_better/{task}",
            "With common randomness the distortion to the input is lower at every rate.",
            f"Section 3.1, Figure 5, Table {table}",
            f"mse_input, common less independent, below zero {EVERYWHERE}",
            (table,),
            below("common_input"),
        ),
        _alike(
            f"common_saves_bits/{task}",
            "Common randomness reduces the rate that a given distortion needs.",
            f"Section 3.1, Figure 5, Table {table}",
            "horizontal distance of the two curves, linear between rates, mean over the distortions that both reach,"
            " above zero: the paper claims a direction, no size",
            (table,),
            saves_bits,
        ),
        _alike(
            f"common_better_target/{task}",
            "With common randomness the distortion to the ground truth is lower, too.",
            f"B.6, Table {target}",
            f"mse_target, common less independent, below zero {EVERYWHERE}",
            (target,),
            below("common_target"),
        ),
        _alike(
            f"distortion_falls/{task}",
            "The distortion falls as the rate grows.",
            f"Section 3.1, Figure 5, Table {table}; A.1",
            "mse_input from each rate to the next, with and without common randomness, below zero",
            (table,),
            falls("mse_input"),
        ),
        _alike(
            f"outputs_clearer/{task}",
            "As the rate grows, the outputs become clearer.",
            f"Figure 5, Table {target}",
            "mse_target from each rate to the next, with and without common randomness, below zero",
            (target,),
            falls("mse_target"),
        ),
    ]


def _output_law(task: str, floor: float | None, same_data: bool) -> Claim:
    """Section 3.1; the floor is compared with the published numbers if the run's data set is the paper's."""
    return Claim(
        f"output_law/{task}",
        task,
        "The distortions are such as outputs of the law of the clean images can have.",
        "Section 3.1, (15)",
        "mse_input above the Gelbrich floor of the test set, below which no output of that law can be; how far the"
        " outputs are from it is in tables/constraint.md",
        (5,) if task == "super_resolution" else (6,),
        above_floor(floor),
        above_floor(floor if same_data else None),
    )


def _decomposition(task: str) -> list[Claim]:
    """Section 3.2."""
    loss = largest_published(("decomposed",), (1, 11))
    terms = ("joint_mse_x_y1", "joint_mse_y_y2")
    overhead = largest_published(terms, (2,))
    return [
        Claim(
            f"decomposed_close/{task}",
            task,
            "The decomposed loss is very close to the end-to-end loss.",
            "Section 3.2, Tables 1 and 11",
            f"decomposed / end-to-end loss - 1 within {loss:.1%} at every rate, the largest of Tables 1 and 11, which"
            " the paper calls very close",
            (1, 11),
            close(("decomposed",), loss, two_sided=True),
            None,
        ),
        _alike(
            f"loss_is_sum/{task}",
            "The decomposed loss is the sum of its three terms.",
            "Section 3.2, (18), Table 11",
            f"sum less loss within {4 * ROUNDING:g} at every rate, the rounding of four printed numbers",
            (11,),
            sums,
        ),
        Claim(
            f"joint_close/{task}",
            task,
            "Joint training leaves the errors of both branches not much above those of separate training.",
            "Section 3.2, Table 2",
            f"joint / separate - 1 of E|X-Y1|^2 and E|Y~-Y2|^2 at most {overhead:.1%} at every rate, the largest of"
            " Table 2",
            (2,),
            close(terms, overhead, two_sided=False),
            None,
        ),
        _alike(
            f"separate_lowers_errors/{task}",
            "Separate training drives down the errors (a) and (b) of both branches.",
            "Section 3.2, Table 2",
            f"joint less separate above zero for both terms {EVERYWHERE}",
            (2,),
            above(*terms),
        ),
        Claim(
            f"separate_raises_transport/{task}",
            task,
            "Separate training increases (c), the distance between the two reconstructions.",
            "Section 3.2",
            f"E|Y1-Y2|^2, joint less separate, below zero {EVERYWHERE}",
            (),
            below("joint_mse_y1_y2"),
            None,
        ),
    ]


def _baseline(task: str) -> list[Claim]:
    """B.5."""
    table = {"super_resolution": 7, "denoising": 8}[task]
    return [
        _alike(
            f"beats_baseline/{task}",
            "The end-to-end system beats restoration followed by compression.",
            f"B.5, Table {table}",
            f"mse_input, end to end less baseline, with and without common randomness, below zero {EVERYWHERE}",
            (table,),
            below("baseline_common", "baseline_independent"),
        )
    ]


def _noise(task: str, sigma: float | None) -> Claim:
    """B.1 with B.6: X = Y + N leaves E|X-Y^|^2 = E|Y-Y^|^2 + sigma^2 - 2 E<N, Y^>."""
    return Claim(
        f"noise_consistent/{task}",
        task,
        "Distortions to input and to ground truth differ by the noise's variance.",
        "B.1, B.6, Tables 6 and 10",
        f"mse_input - mse_target - sigma^2 within {NOISE_SHARE:.0%} of sigma^2, the share of the noise that an output"
        " made from few bits may keep",
        (6, 10),
        consistent(sigma) if sigma else _no_noise,
        consistent(SIGMA),
    )


def _printed_alike(task: str) -> Claim:
    """The paper against itself."""
    tables = (5, 7, 1, 11, 2) if task == "super_resolution" else (6, 8, 1, 11, 2)
    return Claim(
        f"printed_alike/{task}",
        task,
        "A number that stands in two tables is the same in both.",
        f"Tables {', '.join(map(str, sorted(tables)))}",
        f"difference at most {2 * ROUNDING:g}, the rounding of two printed numbers",
        tables,
        _same_cells,
        printed_twice(tables),
    )


def _alike(identity: str, claim: str, place: str, criterion: str, tables: tuple[int, ...], check: Check) -> Claim:
    """A claim that is checked in the same way on the run and on the published numbers."""
    return Claim(identity, identity.partition("/")[2], claim, place, criterion, tables, check, check)


def _no_noise(_numbers: pd.DataFrame) -> Finding:
    return Finding("not testable", "the task's degradation is not unclipped Gaussian noise", 0)


def _printed(claim: Claim) -> pd.DataFrame:
    numbers = of_paper(claim.tables)
    return numbers[numbers.task == claim.task]


def _task(numbers: pd.DataFrame) -> str:
    """The one task of these numbers; no name if there are none."""
    return str(numbers.task.iloc[0]) if len(numbers) else ""


def _named(parts: Mapping[Comparison, pd.DataFrame]) -> pd.DataFrame:
    """Side by side, with the comparison's series in the columns' names where there are several."""
    frames = []
    for comparison, frame in parts.items():
        label = "" if len(parts) == 1 else f"{_distinct(comparison, parts)}, "
        frames.append(frame.rename(columns=lambda rate, label=label: f"{label}{rate} bits"))
    return pd.concat(frames, axis=1)


def _distinct(comparison: Comparison, among: Mapping[Comparison, pd.DataFrame]) -> str:
    """The randomness, or the quantity where the randomness of all is the same."""
    if len({other.first.randomness for other in among}) > 1:
        return comparison.first.randomness
    return comparison.first.quantity


def _finding(margins: pd.DataFrame, values: pd.DataFrame, side: str, noun: str, form: str = "+.4f") -> Finding:
    """The verdict on margins, with the values that they are made of as evidence."""
    if margins.empty:
        return Finding("not testable", "not enough cells", 0)
    means, at = margins.mean(), values.mean()
    wrong = means.index[~(means > 0)]
    several = f"{at.min():{form}} to {at.max():{form}}, mean " if len(at) > 1 else ""
    parts = [
        f"{side} at {len(means) - len(wrong)} of {len(means)} points",
        f"{noun} {several}{at.mean():{form}} {_spread(pooled(values), form)}",
    ]
    if len(margins) > 1:
        parts.append(f"seed by seed {agreeing(margins, 1.0)} of {int(margins.notna().to_numpy().sum())}")
    if len(wrong):
        parts.append("not at " + ", ".join(f"{point} ({at[point]:{form}})" for point in wrong))
    verdict = decide(margins)
    if verdict == "not testable":
        parts.append("undecided: an interval covers zero")
    return Finding(verdict, "; ".join(parts), len(margins))


def _spread(mean: Interval, form: str) -> str:
    """The interval in words."""
    if mean.n < 2:
        return "(one seed, no interval)" if mean.n else "(no seed has all points)"
    return f"[{mean.low:{form}}, {mean.high:{form}}] (95 %, {mean.n} seeds)"
