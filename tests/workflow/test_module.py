"""Another workflow imports this one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ecot.config import load

pytestmark = pytest.mark.workflow

OUTER = """\
configfile: "outer.yaml"


module ecot:
    snakefile:
        "{snakefile}"
    config:
        config["ecot"]


use rule * from ecot as ecot_*


rule all:
    default_target: True
    input:
        "copy.csv",


rule copy:
    input:
        "results/outer/tables/table_03.csv",
    output:
        "copy.csv",
    shell:
        "cp {{input}} {{output}}"
"""


def test_a_rule_of_another_workflow_uses_a_table(repository, tmp_path):
    (tmp_path / "Snakefile").write_text(OUTER.format(snakefile=repository / "Snakefile"))
    config = load(repository / "config.yaml", repository / "config.demo.yaml").model_dump()
    (tmp_path / "outer.yaml").write_text(yaml.safe_dump({"ecot": {**config, "run": "outer"}}))
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    command = [sys.executable, "-m", "snakemake", "--cores", "1"]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert (tmp_path / "copy.csv").read_text() == (tmp_path / "results/outer/tables/table_03.csv").read_text()
    assert "rule ecot_table_03" in run.stderr, "the screen is the other workflow's"
    assert not (tmp_path / "results/outer/cells.csv").exists(), "onstart does not run, as docs/running.md says"
