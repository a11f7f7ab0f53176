"""The one writer: a whole file or none."""

import multiprocessing
import stat
import subprocess
import sys

import pytest

from ecot.errors import EcotError
from ecot.files import TEXT_LIMIT, atomic, read_text, sha256, write_text
from ecot.locks import alone


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    write_text(path, "old")

    def fail():
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made_and_others_may_read(tmp_path):
    path = tmp_path / "new" / "a.txt"
    write_text(path, "x")
    plain = tmp_path / "plain"
    plain.write_text("x")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    assert sha256(path) == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"


WRITERS = {
    "a.txt": "open(path, 'w').write('x' * 10**6)",
    "a.npz": "import numpy; numpy.savez(path, a=numpy.zeros(10**6), b=numpy.zeros(10**6))",
    "a.csv": "import pandas; pandas.DataFrame({'a': range(10**5)}).to_csv(path)",
    "a.png": "import numpy; from PIL import Image; "
    "Image.fromarray(numpy.random.default_rng(0).integers(0, 256, (1000, 1000), 'uint8')).save(path)",
    "a.svg": "import matplotlib.pyplot as plt; plt.plot(range(10**4)); plt.savefig(path)",
}


@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_leaves_the_old_file_and_is_said_in_one_line(tmp_path, name):
    """EFBIG, which comes at a size instead of at the disk's end, and takes the same way."""
    path = tmp_path / name
    path.write_text("old")
    code = (
        "import resource, sys; from ecot.errors import EcotError; from ecot.files import atomic\n"
        "import matplotlib.pyplot\n"  # it may write its cache of fonts
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "try:\n"
        f"    with atomic({str(path)!r}) as path: {WRITERS[name]}\n"
        "except EcotError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.startswith(f"{path} cannot be written (File too large); what was there is as it was: "), done
    assert len(done.stdout.splitlines()) == 1
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_small_texts_only(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("é" * (TEXT_LIMIT // 2))
    assert read_text(path) == "é" * (TEXT_LIMIT // 2)
    path.write_text("é" * (TEXT_LIMIT // 2) + "x")
    with pytest.raises(ValueError, match="larger than 1,048,576 bytes"):
        read_text(path)


def _hold(folder, entered, leave):
    with alone(folder):
        entered.set()
        leave.wait()


@pytest.mark.parametrize("end", ["leaves", "killed"])
def test_one_process_at_a_time_is_in_a_folder(tmp_path, caplog, end):
    folder = tmp_path / "cell"
    processes = multiprocessing.get_context("spawn")
    first, second = ((processes.Event(), processes.Event()) for _ in range(2))
    holder = processes.Process(target=_hold, args=(folder, *first))
    waiter = processes.Process(target=_hold, args=(folder, *second))
    holder.start()
    assert first[0].wait(60)
    waiter.start()
    assert not second[0].wait(2)
    first[1].set() if end == "leaves" else holder.kill()
    assert second[0].wait(60)
    assert (tmp_path / ".cell.lock").read_text().split()[0] == str(waiter.pid)
    second[1].set()
    for process in (holder, waiter):
        process.join()
    assert list(tmp_path.iterdir()) == []
    assert waiter.exitcode == 0


def test_a_file_in_the_way_of_the_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(EcotError, match=r"file/\.cell\.lock cannot be written \(.*\); what was there"),
        alone(tmp_path / "file" / "cell"),
    ):
        pass
