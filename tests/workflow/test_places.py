"""Where a checkout may lie, who may run it, from where, and what a retry keeps."""

import os
import re
import subprocess
import sys

import pytest
from checkout import Checkout

from ecot import config as configuration

pytestmark = pytest.mark.workflow

TABLE = "results/tiny/tables/table_03.csv"
TINY = {"run": "tiny", "device": "cpu"}
# Mode bits bind root as well once it has given up the right to ignore them.
UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override,-dac_read_search") if os.getuid() == 0 else ()


def test_a_path_with_spaces_quotes_and_dollars_and_no_activated_environment(tmp_path):
    """Jobs use the interpreter that runs Snakemake, and a retry keeps the log of the attempt before it."""
    folder = tmp_path / 'my o\'brien $x "q" é'
    folder.mkdir()
    made = Checkout(folder, TINY)
    raw = folder / "raw files/MNIST/raw/train-images-idx3-ubyte"
    raw.parent.mkdir(parents=True)
    raw.write_bytes(b"not the published file")
    without = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    run = subprocess.run(
        made.command(
            *(TABLE, "results/datasets/mnist.npz", "--cores", "1", "--keep-going", "--retries", "1"),
            *("--config", "data={root: raw files}"),
        ),
        cwd=folder, capture_output=True, text=True, env={**without, "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert run.returncode == 1
    assert (folder / TABLE).is_file(), run.stderr
    logs = [folder / f"logs/datasets/mnist.log{suffix}" for suffix in ("", ".1", ".2")]
    for log in logs:
        assert re.search(r"^ecot: raw files/\S+ is not the published file", log.read_text(), re.M)
    assert not log.with_suffix(".3").exists()
    assert {path.name for path in (folder / "logs/tiny/products").glob("table_03.log*")} == {"table_03.log"}


def test_a_path_that_snakemake_cannot_work_in_is_refused_in_one_sentence(tmp_path):
    for name in ("a{b}", "a:b"):
        (tmp_path / name).mkdir()
        run = Checkout(tmp_path / name, TINY).snakemake("--list-rules")
        assert run.returncode == 2
        assert re.search(
            rf"^config: the checkout lies in {re.escape(str(tmp_path / name))}: .* rename", run.stderr, re.M
        )
        assert "Traceback" not in run.stderr


MODULE = """
configfile: "mine.yaml"
module ecot:
    snakefile: {snakefile!r}
    config: config
use rule * from ecot as ecot_*
"""


def test_the_workflow_is_a_module_of_another(repository, tmp_path):
    """It is given its values; a part of a configuration is refused in one sentence."""
    (tmp_path / "Snakefile").write_text(MODULE.format(snakefile=str(repository / "Snakefile")))
    (tmp_path / "mine.yaml").write_text("run: tiny\n")
    command = [sys.executable, "-m", "snakemake", "--cores", "1", TABLE]
    part = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert part.returncode == 2
    assert re.search(r"^config: this is a part of a configuration: .* Lay it over config.yaml: ", part.stderr, re.M)
    whole = configuration.load(repository / "config.yaml").model_copy(update={"run": "tiny"})
    (tmp_path / "mine.yaml").write_text(configuration.dump(whole.model_dump()))
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / TABLE).is_file()


def test_a_checkout_that_cannot_be_written_to_with_results_elsewhere(tmp_path):
    (tmp_path / "checkout").mkdir()
    made = Checkout(tmp_path / "checkout", TINY)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    files = sorted(made.folder.rglob("*"))
    folders = [made.folder, *(path for path in files if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        run = made.snakemake(
            TABLE, "results/datasets/mnist_sample.npz", "--cores", "1", "--directory", str(elsewhere),
            under=UNPRIVILEGED,
        )  # fmt: skip
    finally:
        for folder in folders:
            folder.chmod(0o755)
    assert run.returncode == 0, run.stderr
    assert (elsewhere / TABLE).is_file()
    assert (elsewhere / "results/datasets/mnist_sample.npz").is_file()
    assert sorted(made.folder.rglob("*")) == files
