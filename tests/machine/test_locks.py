"""One process at a time in a cell's folder."""

import errno
import fcntl
import multiprocessing
import os
import select
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ecot.errors import EcotError
from ecot.machine import locks
from ecot.machine.locks import alone

# Enters the folder argv[1], says so, waits for a line, and leaves; what it logs goes to stderr.
CELL = """
import logging, sys
from pathlib import Path
logging.basicConfig(format="%(message)s", stream=sys.stderr)
from ecot.machine.locks import alone
with alone(Path(sys.argv[1])):
    print("in", flush=True)
    sys.stdin.readline()
"""


def start(folder):
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen([sys.executable, "-c", CELL, str(folder)], text=True, **pipes)


def line(stream):
    """The next line of a process, which has half a minute for it."""
    assert select.select([stream], [], [], 30)[0], "no line came"
    return stream.readline()


@pytest.mark.parametrize("end", ["leaves", "killed"])
def test_one_process_at_a_time_is_in_a_folder(tmp_path, end):
    folder = tmp_path / "cell"
    holder = start(folder)
    assert line(holder.stdout) == "in\n"
    waiter = start(folder)
    log = line(waiter.stderr)
    assert log.startswith(
        f"process {holder.pid} on {socket.gethostname()} writes {folder}, and this process waits until that one ends"
    )
    assert select.select([waiter.stdout], [], [], 1.5) == ([], [], [])
    if end == "killed":
        holder.kill()
    assert holder.communicate("\n" if end == "leaves" else None, timeout=60)[1] == ""
    assert line(waiter.stdout) == "in\n"
    assert (tmp_path / ".cell.lock").read_text() == f"process {waiter.pid} on {socket.gethostname()}"
    assert waiter.communicate("\n", timeout=60) == ("", "")
    assert waiter.returncode == 0
    assert list(tmp_path.iterdir()) == []


def _count(folder, total):
    for _ in range(20):
        with alone(folder):
            number = int(total.read_text())
            total.write_text(str(number + 1))


def test_no_turn_is_lost_though_each_holder_removes_the_file(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "POLL", 0.001)  # forks inherit it
    total = tmp_path / "total"
    total.write_text("0")
    processes = [
        multiprocessing.get_context("fork").Process(target=_count, args=(tmp_path / "cell", total)) for _ in range(3)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert total.read_text() == "60"


def test_an_error_leaves_the_folder_free(tmp_path):
    with pytest.raises(ZeroDivisionError), alone(tmp_path / "cell"):
        raise ZeroDivisionError
    with alone(tmp_path / "cell"):
        assert (tmp_path / ".cell.lock").is_file()


def test_a_relative_folder_is_locked_where_it_was_entered(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with alone(Path("a/cell")):
        monkeypatch.chdir("/")
    assert list((tmp_path / "a").iterdir()) == []


@pytest.mark.parametrize("answer", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_is_said_and_holds_up_nobody(tmp_path, monkeypatch, caplog, answer):
    def refuse(file, operation):
        raise OSError(answer, os.strerror(answer))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with alone(tmp_path / "cell"), alone(tmp_path / "cell"):
        pass
    assert caplog.messages == 2 * [
        f"{tmp_path / 'cell'} is not locked, because its file system has no locks ({os.strerror(answer)}):"
        " start no second process that writes there"
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way_of_the_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(EcotError, match=r"file/\.cell\.lock cannot be written \(.*\); what was there"),
        alone(tmp_path / "file" / "cell"),
    ):
        pass
