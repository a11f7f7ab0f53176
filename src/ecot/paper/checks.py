"""The paper's statements about its experiments as checks on a run's numbers, and on the published ones.

A check turns numbers into margins, one row per seed and one column per point (a rate, or a step between two rates):
how far a number is on the claimed side. `ecot.paper.verdicts` turns margins into a verdict.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from ecot.config import Config
from ecot.degradations.gaussian_noise import GaussianNoiseSettings
from ecot.paper import TASKS
from ecot.paper.comparable import match
from ecot.paper.differences import (
    COMPARISONS,
    ENDS,
    Comparison,
    Interval,
    Series,
    agreeing,
    interval,
    measured,
    of_paper,
    pooled,
)
from ecot.paper.verdicts import LEVEL, Verdict, decide
from ecot.quantities import measures

NOISE_SHARE = 0.05
LAW_FACTOR = 2.0  # so many times as far from p_Y as clean images are
SIGMA = 20 / 255  # of the paper's noise (Section B.1)
BY_ID = {comparison.id: comparison for comparison in COMPARISONS}
BASELINE = ("baseline_common", "baseline_independent")
BASELINE_LAW = ("baseline_law_common", "baseline_law_independent")
EVERYWHERE = "at every rate measured: the paper claims a direction, no size"
BETTER = ("holds", "holds on average")


class Finding(NamedTuple):
    """A verdict, the numbers behind it, and over how many seeds."""

    verdict: Verdict
    evidence: str
    n_seeds: int


Check = Callable[[pd.DataFrame], Finding]


@dataclass(frozen=True)
class TestSet:
    """What is known of a task's test set, without any system.

    `floor`: the least distortion that outputs of the target law can have on it (Gelbrich), None if not computed.
    `clean`: by measure, the farther from p_Y of what clean test images and clean training images score.
    """

    floor: float | None = None
    clean: Mapping[str, float] = field(default_factory=dict)


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


def judge(numbers: pd.DataFrame, config: Config, test_sets: Mapping[str, TestSet]) -> pd.DataFrame:
    """Every claim's verdict on a run's numbers (see `differences.of_run`) and on the published ones.

    Columns: id, task, claim, place, tables, criterion, evidence, verdict, n_seeds, problem (what makes the run's task
    another one than the paper's, empty if nothing), paper (the verdict on the published numbers), paper_evidence.
    """
    return pd.DataFrame([row(claim, numbers, config) for claim in claims(config, test_sets)])


def row(claim: Claim, numbers: pd.DataFrame, config: Config) -> dict[str, object]:
    """The columns of `judge` for one claim."""
    on_run = claim.check(numbers[numbers.task == claim.task])
    on_paper = NOT_THERE if claim.published is None else claim.published(_printed(claim))
    problem = match(config, claim.task).problem if claim.task in config.tasks else ()
    return {
        **{name: getattr(claim, name) for name in ("id", "task", "claim", "place", "tables", "criterion")},
        **{"evidence": on_run.evidence, "verdict": on_run.verdict, "n_seeds": on_run.n_seeds},
        **{"problem": "; ".join(problem), "paper": on_paper.verdict, "paper_evidence": on_paper.evidence},
    }


def claims(config: Config, test_sets: Mapping[str, TestSet]) -> list[Claim]:
    """The claims about each task of the paper."""
    return [claim for task in TASKS for claim in _of_task(task, config, test_sets.get(task, TestSet()))]


NOT_THERE = Finding("not testable", "no such numbers are published, or they set the threshold", 0)


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


def close(comparisons: tuple[str, ...], threshold: float) -> Check:
    """The first of each comparison is away from the second, to either side, by no more than a share of it."""

    def check(numbers: pd.DataFrame) -> Finding:
        task = _task(numbers)
        shares = _named({BY_ID[name]: relative(BY_ID[name], numbers, task) for name in comparisons})
        # By the side on which the mean lies: two one-sided tests, of which this is the one that decides.
        margins = threshold - np.sign(shares.mean()) * shares
        return _finding(margins, shares, f"within {threshold:.1%}", "relative difference", "+.1%")

    return check


def relative(comparison: Comparison, numbers: pd.DataFrame, task: str) -> pd.DataFrame:
    """first / second - 1, one row per seed and one column per rate."""
    return measured(comparison.differences(numbers, task) / comparison.second.of(numbers, task))


@cache
def largest_published(comparisons: tuple[str, ...], tables: tuple[int, ...], task: str) -> float:
    """The largest absolute relative difference of these comparisons in the paper, for a task."""
    numbers = of_paper(tables)
    shares = [relative(BY_ID[name], numbers, task) for name in comparisons]
    return max(float(share.abs().to_numpy().max()) for share in shares)


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


def near_law(clean: Mapping[str, float]) -> Check:
    """Outputs score at most LAW_FACTOR times what clean images do, by every measure.

    A point is one kind of cell at one rate; its number is the largest ratio over the measures.
    """

    def check(numbers: pd.DataFrame) -> Finding:
        if not clean:
            return Finding("not testable", "what clean images score is not computed", 0)
        parts = []
        for randomness in ENDS:
            ratios = {
                name: distance(name, Series("end_to_end", randomness, name).of(numbers, _task(numbers))) / reference
                for name, reference in clean.items()
            }
            stacked = pd.concat(ratios, names=["measure"])
            worst = stacked.groupby(level="seed").max()
            parts.append(worst.rename(columns=lambda rate, r=randomness: f"{r}, {rate} bits"))
        ratios_at = pd.concat(parts, axis=1)
        return _finding(LAW_FACTOR - ratios_at, ratios_at, f"within {LAW_FACTOR:g} times", "largest ratio", ".1f")

    return check


def distance(measure: str, values: pd.DataFrame) -> pd.DataFrame:
    """A measure as a distance from p_Y: 1 - value for a share that is better the higher it is."""
    return 1 - values if measures()[measure].quantity.better == "higher" else values


def beats_baseline(numbers: pd.DataFrame) -> Finding:
    """Better than the baseline in distortion or in distance to p_Y, and not worse in the other."""
    task = _task(numbers)
    closer, truer = (
        -_named({BY_ID[name]: BY_ID[name].differences(numbers, task) for name in names})
        for names in (BASELINE, BASELINE_LAW)
    )
    if closer.empty:
        return Finding("not testable", "not enough cells", 0)
    lower = f"distortion lower at {_right(closer)}"
    if truer.empty:
        return Finding("not comparable", f"{lower}; how far the outputs are from p_Y is not known", len(closer))
    evidence = (
        f"{lower}, Gelbrich² to p_Y at {_right(truer)}; end to end less baseline on average {{:+.4f}} and {{:+.4f}}"
    )
    evidence = evidence.format(-closer.mean().mean(), -truer.mean().mean())
    both = closer.columns.intersection(truer.columns)
    return Finding(dominance(closer[both], truer[both]), evidence, len(closer))


def dominance(first: pd.DataFrame, second: pd.DataFrame) -> Verdict:
    """The verdict that one is better by either of two margins and not worse by the other, 5 % for both together."""
    if min(len(first.dropna()), len(second.dropna())) < 2:
        a, b = first.mean(), second.mean()
        if bool((((a > 0) & (b >= 0)) | ((a >= 0) & (b > 0))).all()):
            return "consistent"
        return "inconsistent" if bool((((a < 0) & (b <= 0)) | ((a <= 0) & (b < 0))).any()) else "not comparable"
    words = [decide(margins, LEVEL / 2) for margins in (first, second)]
    means = [float(margins.to_numpy().mean()) for margins in (first, second)]
    better, worse = [word in BETTER for word in words], [word == "fails" for word in words]
    if any(better) and any(worse):
        return "not comparable"
    if any(better) and all(is_so or mean >= 0 for is_so, mean in zip(better, means, strict=True)):
        return "holds" if "holds" in words else "holds on average"
    if any(worse) and all(is_so or mean <= 0 for is_so, mean in zip(worse, means, strict=True)):
        return "fails"
    return "not testable"


def _of_task(task: str, config: Config, test_set: TestSet) -> list[Claim]:
    settings = config.tasks.get(task)
    about_task = [
        *_rate_distortion(task),
        *_output_law(task, test_set, same_test_set(config, task)),
        *_decomposition(task),
        _baseline(task),
    ]
    if task == "denoising":
        noise = settings.degradation if settings else None
        sigma = noise.std / 255 if isinstance(noise, GaussianNoiseSettings) and not noise.clip else None
        about_task.append(_noise(task, sigma))
    return about_task


def same_test_set(config: Config, task: str) -> bool:
    """Whether a task is measured on all the images that the paper's numbers are measured on."""
    return match(config, task).comparable and config.tasks[task].n_test is None


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


def _output_law(task: str, test_set: TestSet, same: bool) -> list[Claim]:
    """Section 3.1; the floor is compared with the published numbers if it is of the paper's test set."""
    tables = (5,) if task == "super_resolution" else (6,)
    return [
        Claim(
            f"output_law/{task}",
            task,
            "The outputs have the law of the clean images.",
            "Section 3.1, (15)",
            f"by every measure of tables/constraint.md, end-to-end outputs at most {LAW_FACTOR:g} times as far from"
            " p_Y as the farther of clean test and clean training images (accuracy: the share of errors)",
            tables,
            near_law(test_set.clean),
            None,
        ),
        Claim(
            f"above_floor/{task}",
            task,
            "No distortion is lower than outputs of the law of the clean images allow.",
            "Section 3.1, (15)",
            "mse_input above the Gelbrich floor of the test set: below it the outputs cannot have that law; any bad"
            " output lies above it, so that this alone shows nothing",
            tables,
            above_floor(test_set.floor),
            above_floor(test_set.floor if same else None),
        ),
    ]


def _decomposition(task: str) -> list[Claim]:
    """Section 3.2, in the reading of the dither that the tables have."""
    loss = largest_published(("decomposed",), (1, 11), task)
    terms = ("joint_mse_x_y1", "joint_mse_y_y2")
    overhead = largest_published(terms, (2,), task)
    return [
        Claim(
            f"decomposed_close/{task}",
            task,
            "The decomposed loss is very close to the end-to-end loss.",
            "Section 3.2, Tables 1 and 11",
            f"decomposed / end-to-end loss - 1 within {loss:.1%} at every rate, this task's largest of Tables 1 and"
            " 11, which the paper calls very close",
            (1, 11),
            close(("decomposed",), loss),
            None,
        ),
        Claim(
            f"joint_close/{task}",
            task,
            "Joint training leaves the errors of both branches close to those of separate training.",
            "Section 3.2, Table 2",
            f"joint / separate - 1 of E|X-Y1|^2 and E|Y~-Y2|^2 within {overhead:.1%} at every rate, this task's"
            " largest of Table 2",
            (2,),
            close(terms, overhead),
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
    ]


def _baseline(task: str) -> Claim:
    """B.5."""
    table = {"super_resolution": 7, "denoising": 8}[task]
    return _alike(
        f"beats_baseline/{task}",
        "The end-to-end system beats restoration followed by compression.",
        f"B.5, Table {table}",
        "mse_input and Gelbrich² to p_Y, end to end less baseline: below zero in one and not above in the other, with"
        " and without common randomness; the two systems weigh the law differently, so that the distortion alone"
        " compares nothing",
        (table,),
        beats_baseline,
    )


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


def _right(margins: pd.DataFrame) -> str:
    """For instance "3 of 4 points"."""
    return f"{int((margins.mean() > 0).sum())} of {margins.shape[1]} points"


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
        parts.append("undecided: the seeds differ by too much")
    return Finding(verdict, "; ".join(parts), len(margins))


def _spread(mean: Interval, form: str) -> str:
    """The interval in words."""
    if mean.n < 2:
        return "(one seed, no interval)" if mean.n else "(no seed has all points)"
    return f"[{mean.low:{form}}, {mean.high:{form}}] (95 %, {mean.n} seeds)"
