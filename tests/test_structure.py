"""The house: which way imports point, what starts without torch, and that files kept twice agree."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ecot import provenance

LAYERS = {
    "config": 0, "errors": 0, "files": 0, "locks": 0, "theory": 1, "paper": 1, "cells": 1, "provenance": 1,
    "nn": 2, "coding": 2, "data": 2, "tasks": 3, "training": 4, "evaluation": 4, "reporting": 4,
    "pipeline": 5, "cli": 5, "cli_bounds": 5, "cli_options": 5, "__main__": 5,
}  # fmt: skip
PEERS = {"theory": set(), "paper": set(), "nn": {"nn"}, "coding": {"coding"}, "data": {"data"}}
WITH_TORCH = {"nn", "coding", "tasks", "training", "evaluation"}


def rooms():
    """Each module's file with its room and the names that it imports."""
    package = Path(__file__).resolve().parents[1] / "src" / "ecot"
    for path in sorted(package.rglob("*.py")):
        room = path.relative_to(package).parts[0].removesuffix(".py")
        names = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
        yield path, room, names


def test_imports_point_one_way():
    wrong = []
    for path, room, names in rooms():
        for name in names:
            parts = name.split(".")
            if parts[0] == "ecot" and len(parts) > 1 and parts[1] in LAYERS and parts[1] != room:
                other = parts[1]
                peers_allowed = LAYERS[room] >= 4 or room not in PEERS or room == "coding"
                if LAYERS[other] > LAYERS[room] or (LAYERS[other] == LAYERS[room] and not peers_allowed):
                    wrong.append(f"{path.name}: {name}")
    assert not wrong


def test_only_some_rooms_import_torch():
    wrong = [
        f"{room}/{path.name}"
        for path, room, names in rooms()
        if room not in WITH_TORCH and any(name.split(".")[0] == "torch" for name in names)
    ]
    assert not wrong


def test_planning_needs_neither_torch_nor_a_table_library(repository):
    code = (
        "import sys, yaml; from ecot.pipeline import Pipeline; Pipeline(yaml.safe_load(open('config.yaml')));"
        "print([m for m in ('torch', 'pandas', 'numpy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=repository)
    assert done.stdout == "[]\n"


def test_tables_and_figures_start_without_torch():
    code = "import sys, ecot.cli, ecot.reporting.tables, ecot.reporting.figures; print('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
    )


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
    "torch": (
        "training.cell",
        "training.classifier",
        "evaluation.cell",
        "data.datasets",
        "reporting.settings",
        "tasks.architecture",
    ),
    "analysis": (
        "reporting.metrics",
        "reporting.tables",
        "reporting.figures",
        "reporting.theory",
        "reporting.bounds",
        "reporting.paired",
        "reporting.claims",
        "reporting.comparison",
        "reporting.weight",
        "reporting.constraint",
    ),
}
PACKAGES = {"PIL": "pillow", "yaml": "pyyaml", "ot": "pot", "lightning_utilities": "lightning-utilities"}


@pytest.mark.parametrize("name", COMMANDS)
def test_conda_environments_hold_what_their_rules_import(repository, name):
    environment = yaml.safe_load((repository / "envs" / f"{name}.yaml").read_text())
    pinned = {package.split("==")[0] for entry in environment["dependencies"][2:] for package in entry["pip"]}
    entries = [f"ecot.{module}" for module in (*COMMANDS[name], "tasks.denoising", "tasks.super_resolution")]
    modules = provenance._closure(tuple(entries if name == "torch" else entries[:-2])) | {"ecot.cli", "ecot.config"}
    needed = set()
    for module in modules:
        # The command line imports the readers of published data only for `ecot data`, which runs where torch is.
        if name == "analysis" and module in ("ecot.data.readers", "ecot.data.fetch"):
            continue
        for node in ast.walk(provenance._tree(module)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module] if isinstance(node, ast.ImportFrom) and node.module else []
            needed |= {PACKAGES.get(part, part) for part in (name.split(".")[0] for name in names)}
    assert needed - set(sys.stdlib_module_names) - {"ecot", "pydantic_core"} <= pinned


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
