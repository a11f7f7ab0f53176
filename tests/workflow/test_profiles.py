"""The profiles, and what jobs ask for: parsed by Snakemake itself, explained key by key, growing by attempt."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from ecot.config import load, merge
from ecot.errors import EcotError
from ecot.grid.cell import Cell
from ecot.grid.paths import metrics_path, model_folder
from ecot.grid.plan import grid
from ecot.workflow import Pipeline

PROFILES = ("default", "slurm", "kubernetes")


@pytest.mark.workflow
@pytest.mark.parametrize("name", PROFILES)
def test_a_profile_is_all_that_a_user_types(name, config, repository, tmp_path):
    command = [
        "--workflow-profile",
        f"{repository}/profiles/{name}",
        "--snakefile",
        f"{repository}/Snakefile",
    ]
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", *command, "--dry-run"], cwd=tmp_path, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    assert re.search(rf"^evaluate +{len(grid(config))}$", run.stdout + run.stderr, re.M)


@pytest.mark.parametrize("name", PROFILES)
def test_each_key_of_a_profile_has_its_reason(name, repository):
    lines = (repository / "profiles" / name / "config.yaml").read_text().splitlines()
    keys = [i for i, line in enumerate(lines) if re.match(r"[a-z-]+:", line)]
    assert keys
    for i in keys:
        # Beside it, above it, or above the lines that it stands with.
        block = next(j for j in range(i, -1, -1) if j == 0 or not lines[j - 1])
        assert "#" in lines[i] or lines[block].startswith("#"), lines[i]


@pytest.mark.workflow
def test_what_the_slurm_profile_has_in_comments_can_be_taken_out_of_them(repository, tmp_path):
    text = (repository / "profiles/slurm/config.yaml").read_text()
    options = re.compile(r"^# (  [a-z_]+: |[a-z-]+:( |$))", re.M)
    (tmp_path / "config.yaml").write_text(options.sub(r"\1", text))
    restoration = Cell.parse("denoising/restoration/seed-0")
    target = str(model_folder(load(repository / "config.yaml"), restoration) / "model.safetensors")
    command = [target, "--dry-run", "--workflow-profile", str(tmp_path), "--snakefile", f"{repository}/Snakefile"]
    run = subprocess.run([sys.executable, "-m", "snakemake", *command], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    training = re.search(r"rule train_restoration:.*?resources: (.*?)\n", run.stdout + run.stderr, re.S)[1]
    for asked_for in ("slurm_partition=gpu", "slurm_account=project", "constraint=a100", "gres=gpu:a40:1", "gpu=0"):
        assert asked_for in training.split(", ")
    assert "slurm_extra=--mail-type=FAIL" in training


# Keeps the manifests that it is given and starts their commands here, but for the first, which is evicted.
KUBECTL = """\
#!{python}
import os, subprocess, sys
from pathlib import Path
import yaml

verb, pods = sys.argv[1], Path({pods!r})
if verb == "create":
    manifest = yaml.safe_load(sys.stdin)
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    number = len(list(pods.glob("*.yaml")))
    name = f"{{manifest['metadata']['generateName']}}{{number}}"
    (pods / f"{{name}}.yaml").write_text(yaml.safe_dump(manifest))
    run = '"$@"' if number else "false"
    script = f"{{run}} && echo Complete > {{pods}}/{{name}}.end || echo Failed > {{pods}}/{{name}}.end"
    environment = os.environ | {{variable["name"]: variable["value"] for variable in container["env"]}}
    with (pods / f"{{name}}.log").open("w") as log:
        command = ["bash", "-c", script, "pod", *container["command"]]
        subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    print(f"job.batch/{{name}}")
elif verb == "get":
    name = sys.argv[2].removeprefix("job.batch/")
    end = pods / f"{{name}}.end"
    if (pods / f"{{name}}.yaml").exists():
        print("Job:" + (end.read_text().strip() if end.exists() else ""), end="")
elif verb == "delete":
    for name in sys.argv[2:]:
        if not name.startswith("--"):
            (pods / f"{{name.removeprefix('job.batch/')}}.yaml").unlink()
"""


@pytest.fixture
def kubectl(tmp_path):
    """A folder of pods and the environment in which `kubectl` is a stand-in that runs them here."""
    pods = tmp_path / "pods"
    pods.mkdir()
    stand_in = tmp_path / "bin" / "kubectl"
    stand_in.parent.mkdir()
    stand_in.write_text(KUBECTL.format(python=sys.executable, pods=str(pods)))
    stand_in.chmod(0o755)
    path = f"{stand_in.parent}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    return pods, {**os.environ, "PATH": path}


@pytest.mark.workflow
def test_kubernetes_runs_jobs_and_retries_an_evicted_one(kubectl, repository, tmp_path):
    pods, environment = kubectl
    for name in ("Snakefile", "config.yaml", "config.demo.yaml", "envs", "profiles", "workflow", "src", "resources"):
        (tmp_path / name).symlink_to(repository / name)
    end_to_end = {"epochs": 1, "decays": {30: None, 2: None}}
    task = {"n_train": 64, "n_test": 32, "width": 0.1, "modes": {"end_to_end": end_to_end}}
    (tmp_path / "change.yaml").write_text(yaml.safe_dump({"tasks": {"super_resolution": task}}))
    config = load(repository / "config.yaml", repository / "config.demo.yaml", tmp_path / "change.yaml")
    target = str(metrics_path(config, Cell.parse("super_resolution/end_to_end/common/rate-4/seed-0")))
    change = ["device=auto", f"tasks={json.dumps({'super_resolution': task})}"]
    run = subprocess.run(
        [sys.executable, "-m", "snakemake", target, "--workflow-profile", "profiles/kubernetes",
         "--seconds-between-status-checks", "1", "--configfile", "config.demo.yaml", "--config", *change],
        cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert (tmp_path / target).is_file()
    jobs = [yaml.safe_load((pods / f"ecot-{number}.yaml").read_text())["spec"] for number in range(4)]
    limits = [job["template"]["spec"]["containers"][0]["resources"]["limits"] for job in jobs]
    # The data set, twice; the training; the measurement.
    assert [limit["memory"] for limit in limits] == ["2000M", "4000M", "2000M", "2000M"]
    assert [limit["nvidia.com/gpu"] for limit in limits] == [0, 0, 1, 1]
    assert [job["activeDeadlineSeconds"] for job in jobs] == [1200, 2400, 1200, 1200]


def test_kubernetes_jobs_are_asked_after_and_cancelled(kubectl, repository):
    pods, environment = kubectl
    scripts = repository / "profiles/kubernetes"

    def answer(script, job):
        done = subprocess.run([scripts / script, job], env=environment, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    (pods / "ecot-7.yaml").touch()
    assert answer("status", "job.batch/ecot-7") == "running"
    (pods / "ecot-7.end").write_text("FailureTarget Failed")
    assert answer("status", "job.batch/ecot-7") == "failed"
    (pods / "ecot-7.end").write_text("SuccessCriteriaMet Complete")
    assert answer("status", "job.batch/ecot-7") == "success"
    answer("cancel", "job.batch/ecot-7")
    assert answer("status", "job.batch/ecot-7") == "failed"
    environment["PATH"] = "/usr/bin:/bin"  # no kubectl, as if it did not answer
    assert answer("status", "job.batch/ecot-7") == "running"


def asked(pipeline, attempt, job="train"):
    """What a job with a GPU asks for at an attempt."""
    resources = pipeline.resources(job, gpu=True).items()
    return {name: value(None, attempt) if callable(value) else value for name, value in resources}


@pytest.fixture
def pipeline(values):
    """Makes the pipeline of config.yaml with a change."""
    return lambda change: Pipeline(merge(values, change))


def test_a_second_attempt_asks_for_more(pipeline):
    assert asked(pipeline({}), 1) == {"mem_mb": 6000, "runtime": 720, "gpu": 1}
    assert asked(pipeline({}), 3) == {"mem_mb": 18000, "runtime": 2160, "gpu": 1}
    assert asked(pipeline({"device": "cpu"}), 2) == {"mem_mb": 12000, "runtime": 1440, "gpu": 0}


@pytest.mark.parametrize(
    ("option", "models", "by_attempt"),
    [
        ("gpus", ["a40", "a100"], [{"gpu": 1, "gpu_model": "a40"}, {"gpu": 1, "gpu_model": "a100"}]),
        ("gres", ["a40", "a100"], [{"gpu": 0, "gres": "gpu:a40:1"}, {"gpu": 0, "gres": "gpu:a100:1"}]),
        ("gres", [], [{"gpu": 0, "gres": "gpu:1"}, {"gpu": 0, "gres": "gpu:1"}]),
    ],
)
def test_a_gpu_in_the_words_of_the_cluster(pipeline, option, models, by_attempt):
    made = pipeline({"resources": {"gpu": {"option": option, "models": models}}})
    for attempt, expected in zip((1, 2, 3), [*by_attempt, by_attempt[-1]], strict=True):
        found = asked(made, attempt, "evaluate")
        assert {name: found[name] for name in found if name not in ("mem_mb", "runtime")} == expected


def test_a_model_that_slurm_cannot_name_is_refused(pipeline):
    with pytest.raises(EcotError, match=r"resources\.gpu\.models\.0: 'a100:2'"):
        pipeline({"resources": {"gpu": {"models": ["a100:2"]}}})


def test_only_measurements_of_models_that_are_there_share_a_group(pipeline, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    made = pipeline({})
    folders = [
        model_folder(made.config, Cell.parse(f"denoising/{point}/seed-0"))
        for point in ("end_to_end/common/rate-12", "restoration")
    ]
    folders[0].mkdir(parents=True)
    (folders[0] / "run.json").touch()
    groups = []
    for folder in folders:
        task, *point, fingerprint = folder.relative_to("results/cells").parts
        names = SimpleNamespace(task=task, point="/".join(point), fingerprint=fingerprint)
        groups.append(made.measured_together(names))
    assert groups == ["measure", f"measure-{str(folders[1]).replace('/', '-')}"]
