"""The one writer: a whole file or none."""

import stat
import subprocess
import sys

import pytest

from ecot.files import TEXT_LIMIT, atomic, read_text, sha256, write_text


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
