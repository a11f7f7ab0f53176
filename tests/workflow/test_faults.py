"""Faults of one machine: nothing finished is lost, nothing half-written passes for whole, each message has a way out.

One cell and its table stand for the grid.
"""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager

import pandas as pd
import pytest
from checkout import Checkout

pytestmark = pytest.mark.workflow

SCHEDULE = {"epochs": 4, "decays": {30: None, 2: 5.0}, "rates": [8], "randomness": ["common"]}
ONE = {
    "run": "tiny",
    "device": "cpu",
    "seeds": [0],
    "tasks": {
        "super_resolution": {
            "dataset": "mnist_sample", "n_train": 1280, "n_test": 64, "width": 0.1,
            "modes": {
                "end_to_end": SCHEDULE, "joint": None, "separate": None, "restoration": None, "baseline": None,
            },
        },
        "denoising": None,
    },
}  # fmt: skip
TABLE = "results/tiny/tables/table_05.csv"
CELL = "super_resolution/end_to_end/common/rate-8/seed-0"
FILES = {"model.safetensors", "config.yaml", "history.csv", "run.json"}
OFTEN = ("--config", "compute={save_minutes: 1.0e-9}")  # a state at every step
PATIENCE = 120  # seconds, on a machine that does much else


def tiny(**settings):
    """The option that changes settings of the task."""
    return "--config", f"tasks={json.dumps({'super_resolution': settings})}"


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A checkout in which the cell is trained and its table made."""
    made = Checkout(tmp_path_factory.mktemp("finished"), ONE)
    run = made.snakemake(TABLE, "--cores", "1")
    assert run.returncode == 0, run.stderr
    return made


class Copy(Checkout):
    """A copy of a checkout, with what it has made and the memory of Snakemake."""

    def __init__(self, folder, original):
        self.folder = folder
        self.original = original.folder
        shutil.copytree(original.folder, folder, dirs_exist_ok=True)
        self.cell = self.model(CELL)
        self.measured = self.measurement(CELL)
        self.target = str((self.cell / "model.safetensors").relative_to(folder))
        self.logs = folder / "logs" / self.cell.relative_to(folder / "results")
        self.log = self.logs / "train.log"
        self.lock = self.cell.with_name(f".{self.cell.name}.lock")

    @contextmanager
    def running(self, *arguments):
        """Snakemake in the background; ended, with its jobs, if a test fails."""
        process = subprocess.Popen(
            self.command(*arguments), cwd=self.folder, env=self.environment, start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    @contextmanager
    def training(self):
        """Snakemake, and the process of its training, once that has saved a state."""
        with self.running(self.target, "--cores", "1", *OFTEN) as snakemake:
            wait(lambda: (self.cell / "state.safetensors").is_file())
            yield snakemake, int(self.lock.read_text().split()[1])

    def without_the_cell(self):
        """The same before the training: the data set is there, the cell and the table are not."""
        shutil.rmtree(self.folder / "results/tiny")
        shutil.rmtree(self.folder / "results/cells")
        return self

    def equals_the_original(self):
        """Whether the model is that of an undisturbed run; nothing else may lie about."""
        assert {path.name for path in self.cell.iterdir()} - {"measurements"} == {*FILES, ".kept"}
        assert not self.lock.exists()
        undisturbed = self.original / self.cell.relative_to(self.folder)
        losses = [pd.read_csv(folder / "history.csv").distortion for folder in (self.cell, undisturbed)]
        return losses[0].equals(losses[1]) and model_of(self.cell) == model_of(undisturbed)

    def target_of(self, options):
        """The model of the cell under other settings, which a dry run names."""
        plan = self.snakemake(TABLE, "--dry-run", *options)
        return re.search(r"output: (\S+/model\.safetensors)", plan.stdout + plan.stderr)[1]

    @property
    def resumed(self):
        return json.loads((self.cell / "run.json").read_text())["resumed"]


@pytest.fixture
def made(finished, tmp_path):
    return Copy(tmp_path, finished)


def model_of(folder):
    """The bytes of the model in a folder: equal models are equal files."""
    return (folder / "model.safetensors").read_bytes()


def wait(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def limit_files(size, process=0):
    """The largest file that a process can write from now on: to it, the disk is full (EFBIG)."""
    resource.prlimit(process, resource.RLIMIT_FSIZE, (size, size))


def test_snakemake_is_killed(made):
    """The training that it leaves and the one that the next run starts do not write to one folder."""
    made.without_the_cell()
    with made.training() as (snakemake, left):
        os.kill(left, signal.SIGSTOP)  # it will not end before the next one starts
        os.kill(snakemake.pid, signal.SIGKILL)
        snakemake.wait()
    assert not (made.cell / "run.json").exists()
    assert made.snakemake(made.target, "--unlock").returncode == 0
    with made.running(made.target, "--cores", "1", "--rerun-incomplete") as again:
        waiting = f"process {left} on "
        wait(lambda: made.log.is_file() and waiting in made.log.read_text(errors="replace"))
        os.kill(left, signal.SIGKILL)
        assert again.wait(PATIENCE) == 0
    assert made.equals_the_original()
    assert made.resumed == 1


def test_the_disk_is_full_while_states_and_the_model_are_saved(made):
    made.without_the_cell()
    with made.training() as (snakemake, process):
        limit_files(20_000, process)
        assert snakemake.wait(PATIENCE) == 1
    text = made.log.read_text()
    assert re.search(
        r"/state\.safetensors cannot be written .* The training goes on, and its state is saved again", text
    )
    # The log is a file, too: of the failure to write the model it may have no more than the start.
    assert {path.name for path in made.cell.iterdir()} == {"state.safetensors"}
    assert made.snakemake(made.target, "--cores", "1").returncode == 0
    assert made.equals_the_original()
    assert made.resumed == 1


def test_the_disk_is_full_while_a_table_is_written(made):
    before = (made.folder / TABLE).read_bytes()
    run = subprocess.run(
        [sys.executable, "-m", "ecot", "make", "table_05", "--config", "config.yaml", "--config", "tiny.yaml"],
        cwd=made.folder, capture_output=True, text=True, preexec_fn=lambda: limit_files(50),
        env={**made.environment, "PYTHONPATH": str(made.folder / "src")},
    )  # fmt: skip
    assert run.returncode == 1
    assert re.fullmatch(
        rf"ecot: (table_05 is not written: )?{TABLE} cannot be written \(File too large\); .* same command again\n",
        run.stderr,
    )
    assert (made.folder / TABLE).read_bytes() == before
    assert not [path for path in (made.folder / TABLE).parent.iterdir() if path.name.startswith(".")]


# Mode bits bind root as well once it has given up the right to ignore them.
UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.getuid() == 0 else ()


def test_the_results_are_read_only(made):
    folders = [made.folder / "results", *(path for path in (made.folder / "results").rglob("*") if path.is_dir())]
    contents = {path: path.read_bytes() for path in (made.folder / "results").rglob("*") if path.is_file()}
    for folder in folders:
        folder.chmod(0o555)
    try:
        idle = made.snakemake(TABLE, "--cores", "1", under=UNPRIVILEGED)
        run = made.snakemake(TABLE, "--cores", "1", *tiny(n_test=32), under=UNPRIVILEGED)
        command = [
            *(sys.executable, "-m", "ecot", "evaluate", CELL),
            *("--config", "config.yaml", "--config", "tiny.yaml"),
        ]
        alone = subprocess.run(
            [*UNPRIVILEGED, *command], cwd=made.folder, capture_output=True, text=True,
            env={**made.environment, "PYTHONPATH": str(made.folder / "src")},
        )  # fmt: skip
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert idle.returncode == 0, idle.stderr
    assert run.returncode == 1
    assert re.search(r"^results/tiny/\S+ cannot be written \(Permission denied\); .*rights", run.stderr, re.M)
    assert "Traceback" not in run.stderr
    assert not list((made.folder / ".snakemake/locks").glob("*"))
    assert alone.returncode == 1
    assert re.search(
        r"^ecot: \S+/\.[0-9a-f]+\.lock cannot be written \(Permission denied\); .*rights", alone.stderr, re.M
    )
    assert {path: path.read_bytes() for path in contents} == contents


def test_a_second_snakemake_is_refused_and_disturbs_nothing(made):
    made.without_the_cell()
    with made.training() as (first, process):
        os.kill(process, signal.SIGSTOP)  # it will not end before the second one starts
        second = made.snakemake(made.target, "--cores", "1")
        os.kill(process, signal.SIGCONT)
        assert first.poll() is None
        assert second.returncode == 1
        assert "cannot be locked" in second.stderr
        assert str(made.folder) in second.stderr
        assert "--unlock" in second.stderr
        assert first.wait(PATIENCE) == 0
    assert made.equals_the_original()


def test_a_data_file_is_damaged_between_runs(made):
    path = made.folder / "results/datasets/mnist_sample.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[:1000] + bytes([whole[1000] ^ 1]) + whole[1001:])
    more = tiny(modes={"end_to_end": {"rates": [8, 10]}})
    run = made.snakemake(TABLE, "--cores", "1", *more)
    assert run.returncode == 1
    log = (made.logs.parents[2] / "rate-10/seed-0").glob("*/train.log").__next__().read_text()
    message = re.search(r"^ecot: results/datasets/mnist_sample\.npz is damaged .* `(ecot data .*?)`", log, re.M)
    assert (made.folder / TABLE).read_bytes() == (made.original / TABLE).read_bytes()
    # The way out makes it the same again, and then only the new cell is missing.
    subprocess.run(
        [sys.executable, "-m", *message[1].split()], cwd=made.folder, check=True,
        env={**made.environment, "PYTHONPATH": str(made.folder / "src")},
    )  # fmt: skip
    assert path.read_bytes() == whole
    assert made.planned(TABLE) == {}
    assert made.planned(TABLE, *more) == {"train_end_to_end": 1, "evaluate": 1, "table_05": 1}


def test_a_model_file_is_truncated(made):
    path, fewer = made.cell / "model.safetensors", tiny(n_test=32)
    path.write_bytes(path.read_bytes()[:-100])
    assert made.snakemake(TABLE, "--cores", "1", *fewer).returncode == 1
    logs = "".join(path.read_text() for path in (made.logs / "measurements").glob("*.log"))
    assert re.search(r"^ecot: \S+/model\.safetensors is damaged .*; `ecot train .* --force` trains", logs, re.M)
    # A hard link shares its content with the kept file, so that a file altered in place has to be trained again.
    forced = made.ecot("train", CELL, "--force")
    assert forced.returncode == 0, forced.stderr
    run = made.snakemake(TABLE, "--cores", "1", *fewer)
    assert run.returncode == 0, run.stderr
    assert model_of(made.cell) == model_of(made.original / made.cell.relative_to(made.folder))
    assert pd.read_csv(made.measurement(CELL) / "metrics.csv").n_test.tolist() == [32]


YEAR = 365 * 24 * 3600


def test_the_clock_is_set_back(made):
    results = [path for path in (made.folder / "results").rglob("*") if path.is_file()]
    inputs = [path for path in results if path.name in ("run.json", "model.safetensors") or "datasets" in path.parts]
    table = (made.folder / TABLE).read_text()
    for changed, shift in ((results, YEAR), (inputs, -YEAR), (results, -YEAR), (inputs, YEAR)):
        for path in changed:
            os.utime(path, (time.time() + shift,) * 2)
        assert made.planned(TABLE) == {}
    # All results are of next year. Another cell is trained, and the run ends there: its measurement and the table are
    # not taken for finished.
    for path in results:
        os.utime(path, (time.time() + YEAR,) * 2)
    shorter = tiny(modes={"end_to_end": {"epochs": 1, "decays": {2: None}}})
    run = made.snakemake(made.target_of(shorter), "--cores", "1", *shorter)
    assert run.returncode == 0, run.stderr
    assert made.planned(TABLE, *shorter) == {"evaluate": 1, "table_05": 1}
    assert made.snakemake(TABLE, "--cores", "1", *shorter).returncode == 0
    assert (made.folder / TABLE).read_text() != table
