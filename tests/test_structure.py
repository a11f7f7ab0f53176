"""The house: which rooms import torch, what starts without it, and that files kept twice agree."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ecot import source

PACKAGE = Path(source.__file__).parent
WITH_TORCH = {
    "networks", "systems", "engine", "evaluation", "codec",
    "artefacts/tensors.py", "artefacts/model.py", "artefacts/classifier.py", "artefacts/record.py",
    "coding/quantiser.py", "machine/devices.py",
}  # fmt: skip


def imported(path):
    """The modules that a file names in its import statements."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_only_some_rooms_import_torch():
    files = {path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")}
    wrong = [
        str(file)
        for file in sorted(files)
        if file.parts[0] not in WITH_TORCH
        and str(file) not in WITH_TORCH
        and any(name.split(".")[0] == "torch" for name in imported(PACKAGE / file))
    ]
    assert not wrong


def test_planning_needs_neither_torch_nor_a_plotting_library(repository):
    code = (
        "import sys, yaml; from ecot.workflow import Pipeline; Pipeline(yaml.safe_load(open('config.yaml')));"
        "print([m for m in ('torch', 'matplotlib', 'seaborn', 'plotly') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=repository)
    assert done.stdout == "[]\n"


def test_the_map_of_the_rooms_names_what_there_is(repository):
    """Each module that docs/architecture.md names exists, and each room stands in it."""
    text = (repository / "docs/architecture.md").read_text()
    named = {name.rstrip(".") for name in re.findall(r"`(ecot(?:\.\w+)+)", text)}
    named |= set(re.findall(r"-> (ecot(?:\.\w+)+)", text))
    modules = {name for name in named if source.path_of(name) is None}
    # What is no module is a name in one: ecot.quantities.register.
    assert {name for name in modules if source.path_of(name.rpartition(".")[0]) is None} == set()
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").is_file()}
    assert rooms - {name.split(".")[1] for name in named} == {"__init__", "__main__"}


@pytest.mark.parametrize("name", ["torch", "analysis"])
def test_conda_environments_agree_with_the_lock(repository, name):
    lock = dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", (repository / "requirements.lock").read_text(), re.M))
    environment = yaml.safe_load((repository / "envs" / f"{name}.yaml").read_text())
    packages = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    assert packages
    for package in packages:
        assert package == f"{package.split('==')[0]}=={lock[package.split('==')[0]]}"


# What the commands of the rules in each environment import, and packages whose modules have another name.
COMMANDS = {
    "torch": "ecot.cli, ecot.engine.job, ecot.evaluation.job, ecot.data.prepare, ecot.networks.digits,"
    " ecot.networks.street, ecot.codec.codec, ecot.systems.joint, ecot.systems.separate, ecot.systems.baseline,"
    " ecot.products.catalogue, ecot.products.report.document",
    "analysis": "ecot.cli, ecot.products.catalogue, ecot.products.drawing",
}
PACKAGES = {"PIL": "pillow", "yaml": "pyyaml", "ot": "pot"}


@pytest.mark.parametrize("name", COMMANDS)
def test_conda_environments_hold_what_their_rules_import(repository, name):
    environment = yaml.safe_load((repository / "envs" / f"{name}.yaml").read_text())
    packages = next(entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict))
    pinned = {package.split("==")[0] for package in packages}
    code = f"import sys, {COMMANDS[name]}; print(*(m for m in sys.modules if m.split('.')[0] == 'ecot'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    tops = {
        imported_name.split(".")[0]
        for module in done.stdout.split()
        if (path := source.path_of(module)) is not None
        for imported_name in imported(path)
    }
    if name == "analysis":
        tops -= {"torch", "torchvision"}  # inside functions that these rules do not call
    else:
        tops -= {"matplotlib", "seaborn"}
    needed = {PACKAGES.get(top, top) for top in tops} - set(sys.stdlib_module_names) - {"ecot", "pydantic_core"}
    assert needed <= pinned


def test_every_locked_package_is_pinned_by_hash(repository):
    blocks = re.split(r"\n(?=[a-z])", (repository / "requirements.lock").read_text().split("make lock\n")[1])
    assert len(blocks) > 50
    assert all(re.match(r"[a-z0-9-]+==\S+ ", block) and "--hash=sha256:" in block for block in blocks)


def test_every_rule_has_a_log_a_benchmark_and_an_environment(repository):
    for path in sorted((repository / "workflow" / "rules").glob("*.smk")):
        for rule in re.split(r"\n(?=rule )", path.read_text())[0 if path.read_text().startswith("rule") else 1 :]:
            if "shell:" in rule.split("onerror:")[0]:
                for directive in ("log:", "benchmark:", "conda:"):
                    assert directive in rule, f"{path.name}: {rule.splitlines()[0]} has no {directive}"
