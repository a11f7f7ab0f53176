"""How wide the brackets of `finite.d_ncr` are, and what the solvers for finite sources cost.

    python -m benchmarks.theory widths --out widths.csv     # 120 random problems, 3 x 3 to 4 x 4 letters
    python -m benchmarks.theory table before.csv after.csv  # the table of README.md from such files
    python -m benchmarks.theory sizes                       # time and memory of d_cr and d_cr_asymptotic
    python -m benchmarks.theory figure --out ternary.svg    # the picture of docs/theory.md

The problems are drawn from seeds: marginals from the flat Dirichlet law, costs uniform on [0, 1], and rates that are
a share of the smaller of both entropies. A width is (upper - lower) / (largest cost).
"""

import argparse
import subprocess
import sys
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
WIDTHS = 1e-6, 1e-4, 1e-3
SOLVES = {"solve_cr": (8, 11, 13, 20, 32), "solve_cr_asymptotic": (32, 64, 128, 200, 256)}
SOLVE = """
import resource, time
import numpy as np
from ecot.theory import finite

rng = np.random.default_rng(0)
p_x, p_y, cost = rng.dirichlet(np.ones({n})), rng.dirichlet(np.ones({n})), rng.random(({n}, {n}))
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before, start = peak(), time.process_time()
found = finite.{function}(p_x, p_y, cost, 1.5)
seconds, memory = time.process_time() - start, peak() - before
print(f"{{seconds:.1f}} {{memory:.0f}} {{found.distortion:.6f}} {{found.lower_bound:.6f}}")
"""
LINES = (
    ("d_ncr", "k-", "one shot, no common randomness"),
    ("d_cr", "k--", "one shot, common randomness"),
    ("d_ncr_asymptotic", "0.45", "long blocks, no common randomness"),
    ("d_cr_asymptotic", "k-.", "long blocks, common randomness"),
    ("distortion_rate", "k:", "long blocks, any output law"),
)


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


def table(files: list[Path]) -> str:
    """The share of problems whose width is at most so much, in all and for each share of the smaller entropy."""
    rows = []
    for file in files:
        found = pd.read_csv(file)
        found["width"] = (found.upper - found.lower) / found.largest_cost
        for share, group in [("all", found), *found.groupby("share")]:
            closed = {f"<= {limit:g}": f"{(group.width <= limit).mean():.0%}" for limit in WIDTHS}
            rows.append(
                {
                    "run": file.stem,
                    "share": share,
                    **closed,
                    "widest": f"{group.width.max():.1e}",
                    "mean s": f"{group.seconds.mean():.1f}",
                    "most s": f"{group.seconds.max():.1f}",
                }
            )
    return pd.DataFrame(rows).to_markdown(index=False)


def sizes() -> str:
    """Seconds of the processor and peak memory over that of the imports, each solve in a process of its own."""
    rows = []
    for function, n in [(f, n) for f, sizes in SOLVES.items() for n in sizes]:
        done = subprocess.run(
            [sys.executable, "-c", SOLVE.format(function=function, n=n)], capture_output=True, text=True, check=True
        )
        seconds, megabytes, value, lower = done.stdout.split()
        rows.append({"function": function, "letters": f"{n} x {n}", "s": seconds, "MB": megabytes})
        rows[-1] |= {"distortion": value, "lower bound": lower}
    return pd.DataFrame(rows).to_markdown(index=False)


def figure(out: Path) -> None:
    """`curves.ternary` as a picture, readable in grey."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    from ecot.theory import curves

    frame = curves.ternary(progress=lambda done, number: print(f"{done} of {number} rates", flush=True))
    by_curve = dict(list(frame.groupby("curve")))
    rates = by_curve["d_ncr"].rate_bits
    _, axes = plt.subplots(figsize=(6.4, 4.4))
    for name in ("d_ncr", "d_ncr_asymptotic"):
        lower, upper = by_curve[f"{name}_lower"].distortion, by_curve[name].distortion
        axes.fill_between(rates, lower, upper, color="0.8", linewidth=0)
    for name, style, label in LINES:
        axes.plot(rates, by_curve[name].distortion, style, label=label)
    axes.set(xlabel="rate [bits per letter]", ylabel="distortion", ylim=(0, None))
    axes.legend(frameon=False, loc="upper right")
    plt.savefig(out, bbox_inches="tight", metadata={"Date": None})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("widths")
    run.add_argument("--out", type=Path, required=True)
    run.add_argument("--tolerance", type=float)
    run.add_argument("--time-limit", type=float)
    commands.add_parser("table").add_argument("files", type=Path, nargs="+")
    commands.add_parser("sizes")
    commands.add_parser("figure").add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    if arguments.command == "widths":
        options = {name: getattr(arguments, name) for name in ("tolerance", "time_limit")}
        widths(arguments.out, {name: value for name, value in options.items() if value is not None})
    elif arguments.command == "figure":
        figure(arguments.out)
    else:
        print(table(arguments.files) if arguments.command == "table" else sizes())


if __name__ == "__main__":
    main()
