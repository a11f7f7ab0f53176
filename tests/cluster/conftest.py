"""A Slurm for all tests here, and checkouts whose Snakemake submits to it."""

import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from slurm import Slurm, missing

REPOSITORY = Path(__file__).resolve().parents[2]

# What the profile cannot know, that this Slurm has no database, and how soon the tests would like to hear of it.
SNAKEMAKE = (
    sys.executable, "-m", "snakemake", "--workflow-profile", "profiles/slurm",
    "--slurm-status-command", "squeue", "--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "10",
)  # fmt: skip


class Checkout:
    """A copy of the checkout whose Snakemake submits to a Slurm."""

    def __init__(self, folder: Path, slurm: Slurm, change: dict) -> None:
        self.folder = folder
        self.slurm = slurm
        for name in (
            "Snakefile",
            "config.yaml",
            "config.demo.yaml",
            "envs",
            "profiles",
            "workflow",
            "src",
            "resources",
        ):
            source = REPOSITORY / name
            (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
        (folder / "change.yaml").write_text(yaml.safe_dump(change))

    @contextmanager
    def submitting(self, *arguments: str) -> Iterator["Run"]:
        """Snakemake in the background; interrupted, if it still runs, at the end."""
        # Targets come first: --configfile would take them for more files.
        command = [*SNAKEMAKE, *arguments, "--configfile", "config.demo.yaml", "change.yaml"]
        environment = self.slurm.environment | {
            "PATH": f"{Path(sys.executable).parent}:{self.slurm.environment['PATH']}"
        }
        output = self.folder / "snakemake.out"
        with output.open("w") as file:
            process = subprocess.Popen(command, cwd=self.folder, env=environment, stdout=file, stderr=file)
        run = Run(self, process, output)
        try:
            yield run
        finally:
            run.interrupt()
            run.report(" ".join(arguments) or "(everything)")

    def snakemake(self, *arguments: str, timeout: float = 240) -> "Run":
        """A whole run of Snakemake."""
        with self.submitting(*arguments) as run:
            run.wait(timeout)
        return run


class Run:
    """One call of Snakemake, and Slurm's records of its jobs."""

    def __init__(self, checkout: Checkout, process: subprocess.Popen[bytes], output: Path) -> None:
        self._checkout = checkout
        self.devices: dict[int, set[str]] = {}
        self._process = process
        self._output = output
        self._earlier = {job.number for job in checkout.slurm.jobs()}
        self._queue: list[str] = []
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    @property
    def returncode(self) -> int | None:
        return self._process.poll()

    @property
    def text(self) -> str:
        """What Snakemake has printed."""
        return self._output.read_text()

    def jobs(self, name: str = "") -> list:
        """Slurm's records of this run's jobs with `name` in their names, in order."""
        jobs = [job for job in self._checkout.slurm.jobs() if job.fields["WorkDir"] == str(self._checkout.folder)]
        return [job for job in jobs if job.number not in self._earlier and name in job.name]

    def wait(self, timeout: float) -> int:
        return self._process.wait(timeout)

    def until(self, happened, timeout: float = 90) -> None:
        """Wait for something; fails with Snakemake's words if it does not happen or Snakemake ends before."""
        end = time.monotonic() + timeout
        while not happened():
            assert self.returncode is None, self.text
            assert time.monotonic() < end, self.text
            time.sleep(0.2)

    def interrupt(self) -> None:
        """As Ctrl-C does; nothing if it has ended."""
        if self.returncode is None:
            self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            self._watcher.join(10)

    def report(self, title: str) -> None:
        """Print the queue as it went by and Slurm's records, for the log of the tests."""
        print(f"\n=== snakemake {title}: exit status {self.returncode}\n--- the queue, whenever it changed")
        print("\n".join(self._queue))
        print("--- scontrol show job, at the end")
        for job in self.jobs():
            print(job, "on", *sorted(self.devices.get(job.number, {"no device"})))

    def _watch(self) -> None:
        """Note the devices of jobs, which Slurm tells only while they run, and the queue."""
        start = time.monotonic()
        before = ""
        while self.returncode is None:
            jobs = self.jobs()
            for job in jobs:
                if job.devices:
                    self.devices.setdefault(job.number, set()).update(job.devices)
            counts = {state: [job.number for job in jobs if job.state == state] for state in ("RUNNING", "PENDING")}
            now = f"running {counts['RUNNING']}, pending {counts['PENDING']}"
            if now != before:
                self._queue.append(f"{time.monotonic() - start:6.1f} s  {now}")
                before = now
            time.sleep(0.5)


@pytest.fixture(scope="session")
def slurm(tmp_path_factory):
    """The Slurm of the tests."""
    if missing():
        pytest.fail(missing())
    made = Slurm(tmp_path_factory.mktemp("slurm"))
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="session")
def checkout(slurm, tmp_path_factory):
    """Makes a checkout with a change to config.demo.yaml."""
    return lambda change: Checkout(tmp_path_factory.mktemp("checkout"), slurm, change)
