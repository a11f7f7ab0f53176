"""The wheel, in an environment that has what it declares and nothing else: no torch, no Snakemake."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    """A Python of an environment with the wheel and the packages that its metadata asks for, linked from here."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    repository = Path(__file__).resolve().parents[1]
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(repository / name, source)
    shutil.copytree(repository / "src", source / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__"))
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        folder,
    ]
    subprocess.run([*build, source], check=True, capture_output=True, text=True)
    (wheel,) = folder.glob("ecot-*.whl")
    environment = folder / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", environment], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        about = metadata.PathDistribution(packages / name.partition("/")[0])
    for distribution in needed(about.requires or []):
        for file in distribution.files or []:
            top = packages / file.parts[0]
            if file.parts[0] not in ("..", "__pycache__") and not top.exists():
                top.symlink_to(Path(str(distribution.locate_file(file.parts[0]))))
    return environment / "bin" / "python"


def needed(lines):
    """The installed distributions that requirements ask for, and what those ask for, without extras."""
    found, waiting = {}, [Requirement(line) for line in lines]
    while waiting:
        requirement = waiting.pop()
        if requirement.name in found or (requirement.marker and not requirement.marker.evaluate({"extra": ""})):
            continue
        found[requirement.name] = metadata.distribution(requirement.name)
        waiting += [Requirement(line) for line in found[requirement.name].requires or []]
    return found.values()


def run(python, *command):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return subprocess.run([python, *command], capture_output=True, text=True, env=clean, cwd=python.parent)


def test_the_bounds_and_the_theory_need_neither_torch_nor_snakemake(python):
    for package in ("torch", "snakemake", "matplotlib"):
        assert "ModuleNotFoundError" in run(python, "-c", f"import {package}").stderr
    asked = ("bounds", "binary", "--q-x", "0.3", "--q-y", "0.5", "--rate", "0.4", "--json")
    done = run(python, "-m", "ecot", *asked)
    assert done.returncode == 0, done.stderr
    assert '"d_cr": 0.309' in done.stdout
    code = (
        "import importlib, pkgutil, ecot.theory\n"
        "for module in pkgutil.walk_packages(ecot.theory.__path__, 'ecot.theory.'):\n"
        "    importlib.import_module(module.name)\n"
        "from ecot.theory import finite\n"
        "print(finite.__name__, ecot.__file__)\n"
    )
    done = run(python, "-c", code)
    assert done.returncode == 0, done.stderr
    assert "environment" in done.stdout, "it is the wheel's, not the checkout's"


def test_what_a_training_lacks_is_named(python):
    config = Path(__file__).resolve().parents[1] / "config.yaml"
    cell = "super_resolution/end_to_end/common/rate-10/seed-0"
    done = run(python, "-m", "ecot", "train", cell, "--config", str(config))
    assert done.returncode == 1
    assert re.search(r"^ecot: \w+ is not installed; `pip install '\.\[train\]'` brings it$", done.stderr, re.M)
