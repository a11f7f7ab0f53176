"""The workflow on a real Slurm with two counted GPUs, judged by Slurm's own records.

The GPUs are only counted: jobs ask for them, as `device: auto` does, find that torch sees none and
compute on the CPU. `make test-cluster` runs this, and its output shows the queue.
"""

import json
from pathlib import Path

import pytest

from ecot import config as configuration
from ecot.grid.cell import Cell
from ecot.grid.paths import metrics_path, model_folder
from ecot.grid.plan import grid

pytestmark = pytest.mark.cluster

SHORT = {"epochs": 1, "decays": {1: None, 2: None, 30: None, 40: None, 50: None, 100: None}}
MODES = ("end_to_end", "joint", "separate", "restoration", "baseline")


def small(rate):
    """A change to a task of the demo: every mode at one rate, and little to compute."""
    modes = {mode: SHORT | ({} if mode == "restoration" else {"rates": [rate]}) for mode in MODES}
    return {"n_train": 128, "n_test": 64, "width": 0.1, "modes": modes}


# Every mode of one task, and of the other task what they all build on.
DENOISING = small(60) | {"modes": dict.fromkeys(MODES) | {"end_to_end": small(60)["modes"]["end_to_end"]}}
QUICK = {"device": "auto", "seeds": [0], "tasks": {"super_resolution": small(10), "denoising": DENOISING}}
CELL = "super_resolution/end_to_end/common/rate-{}/seed-0"
EPOCHS = 60  # of the training that is cancelled: on a fast machine, too, it lasts long enough for that


def lasting(epochs, resources):
    """A change that makes a training of super-resolution take 0.1 to 1 s an epoch and save its state every second."""
    end_to_end = {"end_to_end": {"epochs": epochs, "rates": [4, 10, 30]}}
    task = {"super_resolution": {"n_train": 512, "modes": end_to_end}}
    change = {"tasks": task, "compute": {"save_minutes": 1 / 60}}
    return configuration.merge(QUICK, change | ({"resources": resources} if resources else {}))


def configured(made):
    """The configuration of a checkout."""
    return configuration.load(*(made.folder / f"{name}.yaml" for name in ("config", "config.demo", "change")))


def model(made, rate):
    """The folder of a cell's model, relative to its checkout."""
    return model_folder(configured(made), Cell.parse(CELL.format(rate)))


def target(made, rate):
    """The file of a cell's model."""
    return str(model(made, rate) / "model.safetensors")


def log_of(made, rate):
    """The log of a cell's training, relative to its checkout."""
    return Path("logs") / model(made, rate).relative_to("results") / "train.log"


def most_at_a_time(jobs):
    """The most jobs that ran together; one that starts in the second in which another ends comes after it."""
    events = sorted((moment, change) for job in jobs for moment, change in zip(job.span, (1, -1), strict=True))
    running = [sum(change for _, change in events[: i + 1]) for i in range(len(events))]
    return max(running)


@pytest.fixture(scope="module")
def demo(checkout):
    """A checkout, and the run of the whole demo in it."""
    made = checkout(QUICK)
    return made, made.snakemake(timeout=1200)


def test_the_demo_is_computed(demo):
    made, run = demo
    assert run.returncode == 0, run.text
    assert {job.state for job in run.jobs()} == {"COMPLETED"}
    config = configured(made)
    for kind in ("train_", "measure"):
        assert [job.gpus for job in run.jobs(kind)] == ["gpu:1"] * len(list(grid(config)))
    tables = {path.name: path.read_text() for path in (made.folder / "results/demo/tables").iterdir()}
    rates = [f"rate_distortion_table_{task}" for task in ("super_resolution", "denoising")]
    numbers = sorted({*range(1, 16)} - {8})  # Table 8 is of denoising's baseline
    names = [*(f"table_{i:02d}" for i in numbers), "constraint", *rates]
    expected = {f"{name}.{suffix}" for name in names for suffix in ("csv", "md", "tex")}
    expected |= {f"{name}.{suffix}" for name in ("paired", "measured_rates") for suffix in ("csv", "md")}
    assert set(tables) == expected | {"shared_randomness.csv"}
    assert not any("INCOMPLETE" in text for text in tables.values())


def test_two_gpus_are_shared_by_two_jobs_at_a_time(demo):
    _, run = demo
    jobs = [job for job in run.jobs() if job.gpus]
    assert most_at_a_time(jobs) == 2
    devices = [run.devices[job.number] for job in jobs if job.number in run.devices]
    assert all(len(held) == 1 for held in devices)
    assert set.union(*devices) == {"0", "1"}


def test_measurements_of_models_that_are_there_share_a_job(demo):
    made, _ = demo
    variants = ("end_to_end/common/rate-10", "end_to_end/independent/rate-10", "restoration")
    config = configured(made)
    config = config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"n_samples": 4})})
    cells = [Cell.parse(f"super_resolution/{variant}/seed-0") for variant in variants]
    targets = [str(metrics_path(config, cell)) for cell in cells]
    run = made.snakemake(*targets, "--config", "evaluation={n_samples: 4}", "resources={gpu: {option: gres}}")
    assert run.returncode == 0, run.text
    (job,) = run.jobs()
    assert "measure" in job.name
    # One GPU, core and memory for all, who take turns; and the time of all.
    assert (job.gpus, job.fields["NumCPUs"], job.memory, job.time_limit) == ("gpu:1", "1", "2000M", "01:00:00")
    assert "TresPerNode" in job.fields, "not by --gres"
    assert len(run.devices[job.number]) == 1


def test_an_interrupt_empties_the_queue(checkout):
    made = checkout(lasting(100000, {}))
    with made.submitting(*(target(made, rate) for rate in (4, 10, 30))) as run:

        def states():
            return sorted(job.state for job in run.jobs("train_"))

        logs = [made.folder / log_of(made, rate) for rate in (4, 10, 30)]
        run.until(lambda: sum(log.is_file() and "epoch 1/" in log.read_text() for log in logs) == 2)
        assert states() == ["PENDING", "RUNNING", "RUNNING"]
        run.interrupt()
        made.slurm.wait(lambda: not made.slurm.queue(), "an empty queue")
        assert states() == ["CANCELLED"] * 3
    assert run.returncode != 0
    assert not list((made.folder / ".snakemake/locks").glob("*"))


@pytest.fixture(scope="module")
def cut_short(checkout):
    """Two checkouts and their runs, side by side: a training over its time limit, and one cancelled in Slurm."""
    slow = checkout(lasting(100000, {"train": {"runtime": 1}, "gpu": {"models": ["large"]}}))
    unlucky = checkout(lasting(EPOCHS, {"gpu": {"models": ["small", "large"]}}))
    log = unlucky.folder / log_of(unlucky, 10)
    state = unlucky.folder / model(unlucky, 10) / "state.safetensors"
    with slow.submitting(target(slow, 10), "--retries", "0") as over:
        with unlucky.submitting(target(unlucky, 10)) as cancelled:
            cancelled.until(lambda: state.is_file() and "epoch 3/" in log.read_text())
            (job,) = cancelled.jobs("train_")
            unlucky.slurm.ask("scancel", str(job.number))
            cancelled.wait(400)
        over.wait(240)
    return (slow, over), (unlucky, cancelled)


def test_a_job_over_its_time_limit_is_named_with_its_log(cut_short):
    (made, run), _ = cut_short
    assert run.returncode == 1
    (job,) = run.jobs("train_")
    assert job.state == "TIMEOUT"
    assert f"SLURM-job '{job.number}' failed, SLURM status is: 'TIMEOUT'" in run.text, run.text
    slurm_log = next((made.folder / "logs/slurm").rglob(f"{job.number}.log"))
    for log in (log_of(made, 10), slurm_log.relative_to(made.folder)):
        assert f"log: {log}\n" in run.text
    assert "DUE TO TIME LIMIT" in slurm_log.read_text()


def test_a_cancelled_job_is_retried_with_more_of_everything(cut_short):
    _, (_, run) = cut_short
    assert run.returncode == 0, run.text
    first, second = run.jobs("train_")
    assert (first.state, first.gpus, first.memory, first.time_limit) == (
        "CANCELLED", "gpu:small:1", "2000M", "00:20:00"
    )  # fmt: skip
    assert (second.state, second.gpus, second.memory, second.time_limit) == (
        "COMPLETED", "gpu:large:1", "4000M", "00:40:00"
    )  # fmt: skip
    assert (run.devices[first.number], run.devices[second.number]) == ({"0"}, {"1"})


def test_a_retried_training_resumes(cut_short):
    _, (made, _) = cut_short
    log = (made.folder / log_of(made, 10)).read_text()  # of the second attempt: the first one's was overwritten
    assert "resumed" in log
    assert "epoch 1/" not in log
    assert f"epoch {EPOCHS}/{EPOCHS}" in log
    assert json.loads((made.folder / model(made, 10) / "run.json").read_text())["resumed"] == 1
