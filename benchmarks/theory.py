"""How wide the brackets of `finite.d_ncr` are, and what the solvers for finite sources cost.

    python -m benchmarks.theory widths --out widths.csv     # 120 random problems, 3 x 3 to 4 x 4 letters
    python -m benchmarks.theory table before.csv after.csv  # the tables in README.md from such files

The problems are drawn from seeds: marginals from the flat Dirichlet law, costs uniform on [0, 1], and rates that are
a share of the smaller of both entropies. A width is (upper - lower) / (largest cost).
"""

import argparse
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from ecot.theory import finite

SIZES = (3, 3), (3, 4), (4, 4)
SHARES = 0.3, 0.5, 0.7, 0.9
SEEDS = range(10)


class Problem(NamedTuple):
    """One random problem and what it was drawn from."""

    n: int
    m: int
    share: float
    seed: int
    p_x: np.ndarray
    p_y: np.ndarray
    cost: np.ndarray
    rate: float


def problems() -> Iterator[Problem]:
    """The 120 problems: 3 sizes, 4 shares of the smaller entropy, 10 seeds."""
    for seed in SEEDS:
        for n, m in SIZES:
            rng = np.random.default_rng([seed, n, m])
            p_x, p_y, cost = rng.dirichlet(np.ones(n)), rng.dirichlet(np.ones(m)), rng.random((n, m))
            for share in SHARES:
                rate = share * min(entropy(p_x), entropy(p_y))
                yield Problem(n, m, share, seed, p_x, p_y, cost, rate)


def entropy(p: np.ndarray) -> float:
    """In bits, of a positive law."""
    return float(-(p * np.log2(p)).sum())


def widths(out: Path, options: dict[str, float]) -> None:
    """Solve every problem with these options of `finite.solve_ncr`; write a row as soon as it is there."""
    rows = []
    for problem in problems():
        start = time.process_time()
        found = finite.solve_ncr(problem.p_x, problem.p_y, problem.cost, problem.rate, **options)
        seconds = time.process_time() - start
        rows.append(
            {
                "n": problem.n,
                "m": problem.m,
                "share": problem.share,
                "seed": problem.seed,
                "rate_bits": problem.rate,
                "lower": found.lower,
                "upper": found.upper,
                "largest_cost": problem.cost.max(),
                "seconds": seconds,
            }
        )
        pd.DataFrame(rows).to_csv(out, index=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("widths")
    run.add_argument("--out", type=Path, required=True)
    run.add_argument("--tolerance", type=float)
    run.add_argument("--time-limit", type=float)
    arguments = parser.parse_args()
    options = {name: getattr(arguments, name) for name in ("tolerance", "time_limit")}
    widths(arguments.out, {name: value for name, value in options.items() if value is not None})


if __name__ == "__main__":
    main()
