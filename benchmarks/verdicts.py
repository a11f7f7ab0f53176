"""How often the rule of verdicts errs: python -m benchmarks.verdicts > table.md

Margins of a run are made up: normal, with standard deviation 1 over seeds, at as many points as Table 5 has. The
table stands in docs/claims.md; tests/paper/test_verdicts.py keeps the false verdicts below the level.
"""

import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecot.paper.verdicts import VERDICTS, Verdict, decide, student, word

POINTS = 30
SEEDS = (1, 2, 3, 5)
REPETITIONS = 10_000
Array = NDArray[np.float64]
Noise = Callable[[np.random.Generator, int], Array]


def independent(rng: np.random.Generator, n: int) -> Array:
    """Each point of each seed by itself."""
    return rng.standard_normal((n, POINTS))


def shared(rng: np.random.Generator, n: int) -> Array:
    """Half of the variance is the seed's, the same at all its points: one frozen model behind all rates."""
    return np.sqrt(0.5) * (independent(rng, n) + rng.standard_normal((n, 1)))


def unequal(rng: np.random.Generator, n: int) -> Array:
    """Standard deviations from 0.4 to 1.6 over the points, of mean square 1."""
    spread = np.geomspace(0.4, 1.6, POINTS)
    return independent(rng, n) * spread / np.sqrt((spread**2).mean())


@dataclass(frozen=True)
class Case:
    """True mean margins in standard deviations, the noise around them, and the verdicts that are false then."""

    title: str
    effect: Array
    false: tuple[Verdict, ...]
    noise: Noise = independent


FOR: tuple[Verdict, ...] = ("holds", "holds on average")
NONE, ONE = np.zeros(POINTS), np.ones(POINTS)
CASES = (
    Case("no effect", NONE, (*FOR, "fails")),
    Case("no effect, half of the variance common to a seed's points", NONE, (*FOR, "fails"), shared),
    Case("no effect, spread 0.4 to 1.6 over the points", NONE, (*FOR, "fails"), unequal),
    Case("1 standard deviation, as claimed", ONE, ("fails",)),
    Case("5 standard deviations, as claimed", 5 * ONE, ("fails",)),
    Case("1 standard deviation, against the claim", -ONE, FOR),
    Case("5 as claimed at 29 points, none at one", np.append(5 * ONE[1:], 0.0), ("holds", "fails")),
    Case("5 as claimed at 29 points, none at the noisiest", np.append(5 * ONE[1:], 0.0), ("holds", "fails"), unequal),
    Case("5 as claimed at 29 points, 5 against at one", np.append(5 * ONE[1:], -5.0), ("holds",)),
)


def rates(case: Case, n_seeds: int, repetitions: int, seed: int = 0) -> dict[Verdict, float]:
    """The share of each verdict in simulated runs."""
    rng = np.random.default_rng([seed, CASES.index(case), n_seeds])
    runs = (case.effect + case.noise(rng, n_seeds) for _ in range(repetitions))
    counts = Counter(word(student(run)) if n_seeds > 1 else decide(pd.DataFrame(run)) for run in runs)
    return {verdict: counts[verdict] / repetitions for verdict in VERDICTS}


def table(repetitions: int = REPETITIONS) -> str:
    """The shares in per cent as Markdown; those of false verdicts are bold."""
    names = [name for name in VERDICTS if name != "not comparable"]
    lines = [["True effect", "Seeds", *names]]
    lines.append(["---"] * len(lines[0]))
    for case in CASES:
        for n in SEEDS:
            found = rates(case, n, repetitions)
            shares = [f"{found[name]:.1%}" if found[name] else "" for name in names]
            shares = [
                f"**{share}**" if share and name in case.false else share
                for name, share in zip(names, shares, strict=True)
            ]
            lines.append([case.title, str(n), *shares])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
