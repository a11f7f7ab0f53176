"""Copies of the checkout, so that code can be edited and results thrown away."""

import csv
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

REPOSITORY = Path(__file__).resolve().parents[2]


class Checkout:
    """A copy of the checkout with the tiny grid beside it."""

    def __init__(self, folder, tiny):
        self.folder = folder
        for name in ("Snakefile", "config.yaml", "envs", "profiles", "workflow", "src", "resources"):
            source = REPOSITORY / name
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, folder / name)
        (folder / "tiny.yaml").write_text(yaml.safe_dump(tiny))

    def command(self, *arguments, config="tiny.yaml"):
        # Targets come first: --configfile would take them for more files.
        return [sys.executable, "-m", "snakemake", *arguments, *(["--configfile", config] if config else [])]

    @property
    def environment(self):
        return {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}

    def snakemake(self, *arguments, config="tiny.yaml", under=()):
        return subprocess.run(
            [*under, *self.command(*arguments, config=config)],
            cwd=self.folder, capture_output=True, text=True, env=self.environment, timeout=1200,
        )  # fmt: skip

    def planned(self, *arguments, config="tiny.yaml"):
        """Jobs of a dry run by rule; empty when there is nothing to be done."""
        done = self.snakemake("--dry-run", *arguments, config=config)
        assert done.returncode == 0, done.stderr
        text = done.stdout + done.stderr
        jobs = {name: int(n) for name, n in re.findall(r"^([a-z_0-9]+) +(\d+)$", text, re.M)}
        assert bool(jobs) != ("Nothing to be done" in text), text
        jobs.pop("total", None), jobs.pop("all", None)
        return jobs

    def index(self, run="tiny"):
        """The folders of models and of measurements of a run that was started, by the name of the cell."""
        lines = csv.DictReader((self.folder / f"results/{run}/cells.csv").open())
        return {line["cell"]: line for line in lines if not line["weight"]}

    def model(self, cell, run="tiny"):
        """The folder of a cell's model."""
        return self.folder / self.index(run)[cell]["path"]

    def measurement(self, cell, run="tiny"):
        """The folder of a cell's measurement."""
        return self.folder / self.index(run)[cell]["measurement"]

    def ecot(self, *arguments, config="tiny.yaml", **options):
        """A command of the copy, outside Snakemake."""
        configs = ["--config", "config.yaml", "--config", config]
        return subprocess.run(
            [sys.executable, "-m", "ecot", *arguments, *configs], cwd=self.folder, capture_output=True, text=True,
            env={**self.environment, "PYTHONPATH": str(self.folder / "src")}, timeout=1200, **options,
        )  # fmt: skip

    def edit(self, path, text):
        """Append to a file of the copy; returns what undoes it."""
        file = self.folder / path
        before = file.read_text()
        file.write_text(before + text)
        return lambda: file.write_text(before)
