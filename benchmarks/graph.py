"""Planning: time and memory of `snakemake --dry-run` on the paper's grid, against the number of cells.

    python -m benchmarks.graph [--seeds 1 --seeds 10]

Each plan is made by a process of its own in an empty folder, where everything is still to be made. The seconds of the
processor stand beside those of the clock, since other programs on the machine do not stretch them.
"""

import os
import platform
import re
import sys
from importlib.metadata import version
from tempfile import TemporaryDirectory

import click

from benchmarks.processes import REPOSITORY, timed
from ecot import config as configuration
from ecot.artefacts.record import commit
from ecot.grid.plan import grid


@click.command(context_settings={"show_default": True})
@click.option("--seeds", multiple=True, default=(1, 2, 5, 10), type=click.IntRange(min=1), help="Seeds per cell.")
def main(seeds: tuple[int, ...]) -> None:
    """Measure how long the paper's grid takes to plan."""
    click.echo(
        f"{os.cpu_count()} cores, Python {platform.python_version()}, snakemake {version('snakemake')}, {commit()}"
    )
    paper = configuration.load(REPOSITORY / "config.yaml")
    click.echo(f"{'seeds':>6}{'cells':>8}{'jobs':>8}{'seconds':>10}{'processor':>11}{'peak MB':>9}")
    for n in seeds:
        config = paper.model_copy(update={"seeds": list(range(n))})
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(REPOSITORY / "Snakefile")]
        with TemporaryDirectory() as folder:
            plan = timed([*command, "--dry-run", "--config", f"seeds={config.seeds}"], folder)
        jobs = re.search(r"^total +(\d+)$", plan.output, re.M)
        if jobs is None:
            raise click.ClickException(plan.output)
        cells = len(grid(config))
        click.echo(
            f"{n:>6}{cells:>8}{jobs[1]:>8}{plan.seconds:>10.1f}{plan.processor_seconds:>11.1f}{plan.peak_mb:>9.0f}"
        )


if __name__ == "__main__":
    main()
