"""Naming the code behind a result, so that a stage runs again when its code changes and only then."""

import ast
import hashlib
import subprocess
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent

# What these modules do is either part of a job's settings already or decides no result.
PLUMBING = {"ecot", "ecot.config", "ecot.cells", "ecot.errors", "ecot.files", "ecot.provenance"}


@cache
def code_hash(*modules: str) -> str:
    """Hash of the named modules and of all modules of this package that they import, in hex.

    Times, comments, docstrings and layout do not count: a touch or a better comment reruns nothing.
    """
    digest = hashlib.sha256()
    for module in sorted(_closure(modules)):
        digest.update(f"{module}\n{_source(module)}\n".encode())
    return digest.hexdigest()[:16]


def commit() -> str:
    """The commit of the checkout that this package is used from, with "-dirty" if it was edited; "" without one."""
    command = ["git", "-C", str(PACKAGE), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False).stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _closure(modules: tuple[str, ...]) -> set[str]:
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module not in found and module not in PLUMBING:
            found.add(module)
            waiting.extend(_imports(module))
    return found


def _path(module: str) -> Path | None:
    """The file of a module of this package, or None if there is no such module."""
    base = PACKAGE.joinpath(*module.split(".")[1:])
    return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)


@cache
def _tree(module: str) -> ast.Module:
    path = _path(module)
    if path is None:
        raise ValueError(f"no module {module}")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree


def _source(module: str) -> str:
    return ast.unparse(_tree(module))


def _imports(module: str) -> set[str]:
    """The modules of this package that a module imports, wherever in it, with their packages."""
    names: set[str] = set()
    for node in ast.walk(_tree(module)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    own = {name for name in names if name.split(".")[0] == "ecot" and _path(name)}
    return own | {name.rpartition(".")[0] for name in own if name.count(".") > 1}
