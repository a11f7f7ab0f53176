"""Leases with fake devices: an `nvidia-smi` that the test puts on the PATH, real processes, real locks."""

import fcntl
import itertools
import json
import logging
import os
import signal
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

from ecot.errors import EcotError
from ecot.machine import leases
from ecot.machine.leases import VARIABLE, lease

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="NVIDIA's devices are found on Linux")

# Says when it is ready, waits for a line, holds a lease for `argv[2]` seconds and prints what it saw and when.
CELL = """
import json, logging, os, sys, time
logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
from ecot.machine.leases import lease
print("ready", flush=True)
sys.stdin.readline()
with lease("auto", int(sys.argv[1])):
    start = time.monotonic()  # one clock for all processes
    time.sleep(float(sys.argv[2]))
    seen = {"device": os.environ["CUDA_VISIBLE_DEVICES"], "torch": "torch" in sys.modules}
    print(json.dumps({**seen, "start": start, "end": time.monotonic()}))
"""
# Holds a lease over two children, an executed program and a plain fork, prints their ids, and never ends.
PARENT = """
import os, subprocess, sys, time
from ecot.machine.leases import lease
with lease("auto", 1):
    executed = subprocess.Popen(["sleep", "60"], close_fds=False)
    forked = os.fork()
    if forked == 0:
        os.write(1, b"%d " % os.getpid())
        time.sleep(60)
        os._exit(0)
    os.write(1, b"%d " % executed.pid)
    time.sleep(60)
"""


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Make a machine of `count` GPUs outside any scheduler; returns their UUIDs, of which no other test has heard."""
    made, folder = [], leases._folder()

    def make(count, mig=0):
        lines = []
        for index in range(count):
            made.append(f"GPU-{uuid.uuid4()}")
            lines.append(f"GPU {index}: NVIDIA A100-SXM4-40GB (UUID: {made[-1]})")
        for index in range(mig):  # on the last GPU
            made.append(f"MIG-{uuid.uuid4()}")
            lines.append(f"  MIG 1g.5gb      Device  {index}: (UUID: {made[-1]})")
        program = tmp_path / "nvidia-smi"
        program.write_text("#!/bin/sh\n[ \"$*\" = -L ] && cat << 'END'\n" + "\n".join(lines) + "\nEND\n")
        program.chmod(0o755)
        return made

    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    for name in (VARIABLE, *leases.SCHEDULERS):
        monkeypatch.delenv(name, raising=False)
    yield make
    for name in made:
        for path in folder.glob(f"{name}.*"):
            path.unlink()


def start(script, *arguments, **environment):
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | environment,
    )


def go(*cells):
    """Let cells compete for their leases, once all of them are ready."""
    for cell in cells:
        assert cell.stdout.readline() == "ready\n"
    for cell in cells:
        cell.stdin.write("\n")
        cell.stdin.flush()


def finish(cell):
    out, log = cell.communicate(timeout=60)
    assert cell.returncode == 0, log
    return json.loads(out), log


def held(name, slot=0):
    """Whether somebody holds a slot, asked of the kernel."""
    with (leases._folder() / f"{name}.{slot}").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def test_eight_cells_on_two_slots_never_overlap(machine):
    names = machine(3)
    # Two devices for one cell each, and, at the same time, one device for two.
    groups = {(0, 1): 1, (2,): 2}
    cells = {
        (own, jobs): [start(CELL, jobs, 0.2, **{VARIABLE: ",".join(map(str, own))}) for _ in range(8)]
        for own, jobs in groups.items()
    }
    go(*itertools.chain(*cells.values()))
    for (own, jobs), started in cells.items():
        done = [finish(cell) for cell in started]
        seen = sorted((cell for cell, _ in done), key=lambda cell: cell["start"])
        assert not any(cell["torch"] for cell in seen)
        assert {cell["device"] for cell in seen} == {names[index] for index in own}
        events = sorted([(cell["start"], 1) for cell in seen] + [(cell["end"], -1) for cell in seen])
        running = [sum(change for _, change in events[: i + 1]) for i in range(len(events))]
        assert max(running) == 2
        files = {log.split("leased ")[1].split("(")[1] for _, log in done}
        assert len(files) == 2
        for index in own:
            on_it = [cell for cell in seen if cell["device"] == names[index]]
            assert all(on_it[i]["end"] <= on_it[i + jobs]["start"] for i in range(len(on_it) - jobs))
        waited = [log for _, log in done if "waiting" in log]
        assert waited
        assert all(log.count("waiting") == 1 for log in waited)


def test_a_killed_cell_frees_its_slot_at_once_though_its_children_live(machine):
    (name,) = machine(1)
    parent = start(PARENT)
    orphans = []
    try:
        while len(orphans) < 2:
            orphans += [int(word) for word in os.read(parent.stdout.fileno(), 100).split()]
        assert held(name)
        waiting = start(CELL, 1, 0)
        go(waiting)
        line = waiting.stderr.readline()
        assert f"{name}.0 by process {parent.pid}" in line
        waiting.kill()
        waiting.communicate()

        parent.send_signal(signal.SIGKILL)
        parent.wait()
        assert not held(name)
        after = start(CELL, 1, 0)
        go(after)
        cell, log = finish(after)
        assert cell["device"] == name
        assert "waiting" not in log
        for orphan in orphans:
            assert "Z" not in Path(f"/proc/{orphan}/stat").read_text().rpartition(")")[2]
    finally:
        parent.kill()
        for orphan in orphans:
            os.kill(orphan, signal.SIGKILL)
        parent.communicate()


def test_a_failing_cell_frees_its_slot_and_leaves_the_variable(machine, monkeypatch):
    names = machine(2)
    monkeypatch.setenv(VARIABLE, "1,0")

    def fail():
        assert os.environ[VARIABLE] == names[1]
        assert held(names[1])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), lease("cuda", 1):
        fail()
    assert not held(names[1])
    assert os.environ[VARIABLE] == "1,0"


@pytest.mark.parametrize(
    "spelling", ["{index}", "{name}", "{name:.12}", " {index} ", "{index},{name}", "{index},-1,0"]
)
def test_every_spelling_of_a_device_locks_the_same_file(machine, monkeypatch, spelling):
    name = machine(2)[1]
    monkeypatch.setenv(VARIABLE, spelling.format(index=1, name=name))
    with lease("auto", 1):
        assert os.environ[VARIABLE] == name
        assert held(name)


def test_the_device_with_most_free_slots_is_taken(machine, monkeypatch):
    names = machine(2)

    def enter(jobs=2):
        monkeypatch.setenv(VARIABLE, "0,1")  # the lease before left its own device there
        held = lease("auto", jobs)
        held.__enter__()
        return held, os.environ[VARIABLE]

    (first, a), (second, b), (third, c) = enter(), enter(), enter()
    assert [a, b, c] == [names[0], names[1], names[0]]
    first.__exit__(None, None, None)
    second.__exit__(None, None, None)
    assert (held(names[0], 0), held(names[0], 1)) == (False, True)
    fourth, device = enter()
    assert device == names[1]
    for each in (third, fourth):
        each.__exit__(None, None, None)


def test_mig_devices_stand_for_their_gpu(machine, monkeypatch):
    whole, split, *parts = machine(2, mig=2)
    text = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=True).stdout
    names = leases.listed(text)
    assert leases.devices(None, names) == [whole, *parts]
    assert leases.devices("1", names) == leases.devices(split, names) == parts
    assert leases.devices(f"{parts[1]},0", names) == [parts[1], whole]
    monkeypatch.setenv(VARIABLE, parts[1][:-8])
    with lease("cuda", 1):
        assert os.environ[VARIABLE] == parts[1]
        assert held(parts[1])


def test_an_old_driver_names_mig_devices_with_slashes():
    text = "GPU 0: A100 (UUID: GPU-1)\n  MIG 3g.20gb Device 0: (UUID: MIG-GPU-1/2/0)\n"
    assert leases.listed(text) == {
        "0": ["MIG-GPU-1/2/0"],
        "GPU-1": ["MIG-GPU-1/2/0"],
        "MIG-GPU-1/2/0": ["MIG-GPU-1/2/0"],
    }


NAMES = leases.listed("GPU 0: T4 (UUID: GPU-aab)\nGPU 1: T4 (UUID: GPU-aac)\n")


@pytest.mark.parametrize(
    ("visible", "fault"),
    [
        ("2", "'2' is no device here"),
        ("0,2", "'2' is no device here"),
        ("0;1", "'0;1' is no device here"),
        ("0,", "'' is no device here"),
        ("gpu0", "'gpu0' is no device here"),
        ("GPU-b", "'GPU-b' is no device here"),
        ("GPU-aabb", "'GPU-aabb' is no device here"),
        ("MIG-aab", "'MIG-aab' is no device here"),
        ("GPU-aa", "'GPU-aa' names GPU-aab and GPU-aac; write more of it"),
    ],
)
def test_a_name_that_is_no_device_is_refused(visible, fault):
    with pytest.raises(EcotError) as error:
        leases.devices(visible, NAMES)
    assert str(error.value) == f"{VARIABLE}={visible}: {fault}; there are 0, GPU-aab, 1, GPU-aac"


def test_a_refused_name_locks_nothing_and_is_one_line(machine, monkeypatch):
    names = machine(2)
    monkeypatch.setenv(VARIABLE, "0,7")
    with pytest.raises(EcotError, match=r"^CUDA_VISIBLE_DEVICES=0,7: '7' is no device here; .*$"), lease("auto", 1):
        pass
    assert not list(leases._folder().glob(f"{names[0]}*"))


@pytest.mark.parametrize("visible", ["", " ", "-1", "-1,0"])
def test_no_visible_device_is_no_lease(machine, monkeypatch, visible):
    machine(1)
    monkeypatch.setenv(VARIABLE, visible)
    with lease("auto", 1):
        assert os.environ[VARIABLE] == visible


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_other_kinds_of_device_are_not_leased(machine, monkeypatch, device):
    (name,) = machine(1)
    monkeypatch.setenv(VARIABLE, "nonsense")  # nobody asks
    with lease(device, 1):
        assert os.environ[VARIABLE] == "nonsense"
        assert not held(name)


@pytest.mark.parametrize("variable", leases.SCHEDULERS)
@pytest.mark.parametrize("visible", [None, "1", "nonsense"])
def test_steps_aside_for_a_scheduler(machine, monkeypatch, caplog, variable, visible):
    names = machine(2)
    monkeypatch.setenv(variable, "7")
    if visible is not None:
        monkeypatch.setenv(VARIABLE, visible)
    with caplog.at_level(logging.INFO), lease("cuda", 1):
        assert os.environ.get(VARIABLE) == visible
        assert not any(held(name) for name in names)
    assert f"{variable} is set" in caplog.text


def test_cells_in_one_job_share_out_what_the_scheduler_gave_it(machine, monkeypatch):
    names = machine(3)
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv(VARIABLE, "1,2")
    with lease("cuda", 1):
        assert os.environ[VARIABLE] == names[1]
        assert [held(name) for name in names] == [False, True, False]


def test_a_machine_without_nvidia_smi(tmp_path, monkeypatch, caplog):
    for name in (VARIABLE, *leases.SCHEDULERS):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with caplog.at_level(logging.INFO), lease("auto", 1):
        assert VARIABLE not in os.environ
    assert caplog.messages == ["no device leased: there is no nvidia-smi"]


def test_a_failing_nvidia_smi_is_refused_where_a_gpu_was_asked_for(machine, monkeypatch, tmp_path):
    machine(1)
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho no driver\nexit 9\n")
    with lease("auto", 1):
        assert VARIABLE not in os.environ
    with pytest.raises(EcotError, match=r"device: cuda: nvidia-smi -L names no device \(no driver\); write auto"):
        lease("cuda", 1).__enter__()


def test_the_folder_is_this_users_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(leases, "PLACES", (tmp_path,))
    folder = leases._folder()
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == 0o700
    assert leases._folder() == folder
    folder.chmod(0o770)
    with pytest.raises(EcotError, match=r"ecot-\d+ \(drwxrwx---, user .* remove it"):
        leases._folder()
    folder.rename(tmp_path / "target").chmod(0o700)
    folder.symlink_to(tmp_path / "target")
    with pytest.raises(EcotError, match=r"ecot-\d+ \(l"):
        leases._folder()


def test_a_foreign_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(leases, "PLACES", (tmp_path,))
    stranger = os.getuid() + 1
    (tmp_path / f"ecot-{stranger}").mkdir(mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: stranger)
    with pytest.raises(EcotError, match=f"must be a folder of user {stranger} that nobody else can enter"):
        leases._folder()


def test_the_first_place_that_can_be_written_holds_the_locks(tmp_path, monkeypatch):
    monkeypatch.setattr(leases, "PLACES", (tmp_path / "nowhere", tmp_path))
    assert leases._folder().parent == tmp_path


def test_locks_that_cannot_be_kept_are_one_line(machine, tmp_path, monkeypatch):
    machine(1)
    monkeypatch.setattr(leases, "PLACES", (tmp_path / "nowhere",))
    with pytest.raises(EcotError, match=r"^the locks of the devices cannot be kept: .*nowhere") as error:
        lease("auto", 1).__enter__()
    assert "\n" not in str(error.value)
