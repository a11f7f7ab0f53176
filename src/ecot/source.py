"""The hash of the source code behind a result, so that a result is made again when its code changes and only then.

Two kinds of modules are not followed. Modules that only tell something to a person (`messages`, `errors`) or that
write bytes to the disk (`files`) decide no number. The settings and the registries decide by what a cell takes from
them: a setting's value and a registry's entry stand in the fingerprint themselves, so that a new entry changes no
fingerprint.
"""

import ast
import hashlib
import importlib.util
import io
import tokenize
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent

TELLING = {"ecot.errors", "ecot.files"}  # and every module that is called `messages`
BY_VALUE = {
    "ecot.config",
    "ecot.settings",
    "ecot.registry",
    "ecot.modes",
    "ecot.tasks",
    "ecot.data.sets",
    "ecot.quantities",
}


@cache
def code_hash(*roots: str) -> str:
    """Hash of the named modules and of all modules that they import, in hex.

    Modules of this package are followed. From a root outside it, so are those of its own top-level package, and those
    that lie beside it in the same folder, unless it is a folder of installed packages. Dates, comments, docstrings
    and blank lines do not count. Python 3.11 to 3.14 give the same hash.
    """
    digest = hashlib.sha256()
    for module in sorted(closure(roots)):
        digest.update(f"{module}\n{_code(module)}\n".encode())
    return digest.hexdigest()[:16]


def closure(roots: tuple[str, ...]) -> set[str]:
    """The roots and every module that they import, directly or not, as far as imports are followed."""
    tops = {_top(root) for root in roots} | {"ecot"}
    homes = {home for top in tops - {"ecot"} if (home := _home(top))}
    modules: set[str] = set()
    waiting = list(roots)
    while waiting:
        module = waiting.pop()
        if module not in modules and (module in roots or _followed(module)):
            modules.add(module)
            names = _imports(module) | {module}
            names |= {name.rsplit(".", level)[0] for name in names for level in range(1, name.count(".") + 1)}
            own = (name for name in names if _top(name) in tops or (homes and _home(_top(name)) in homes))
            waiting.extend(name for name in own if path_of(name))
    return modules


def without_comments(text: str) -> str:
    """Python source without comments, docstrings and blank lines; everything else stays as it is written.

    Of the tokens only their kinds, rows and texts are used: versions of Python differ in the columns of tokens after
    characters outside ASCII, and in how they divide f-strings.
    """
    lines = text.split("\n")  # not splitlines, which divides at more characters than Python does
    docstrings: set[int] = set()  # rows
    inside: set[int] = set()  # rows that end within a string
    opened: list[int] = []  # the first rows of the f-strings around a token, from Python 3.12 on
    statement: list[tokenize.TokenInfo] = []
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind, first, last = tokenize.tok_name[token.type], token.start[0], token.end[0]
        if kind == "COMMENT":
            lines[first - 1] = lines[first - 1].rstrip().removesuffix(token.string.rstrip())
        elif kind == "NEWLINE":
            # A statement of nothing but strings is a docstring, or has no effect either.
            if statement and all(_is_plain_string(part) for part in statement):
                docstrings |= set(range(statement[0].start[0], statement[-1].end[0] + 1))
            statement = []
        elif kind not in ("NL", "INDENT", "DEDENT"):
            statement.append(token)
        if kind.endswith("STRING_START"):
            opened.append(first)
        elif kind == "STRING" or kind.endswith("STRING_END"):
            inside |= set(range(opened.pop() if opened and kind != "STRING" else first, last))
    rows = ((row, line if row in inside else line.rstrip()) for row, line in enumerate(lines, 1))
    return "\n".join(line for row, line in rows if row not in docstrings and (line or row in inside))


def _is_plain_string(token: tokenize.TokenInfo) -> bool:
    """Whether a token is a string without expressions in it; to Python 3.11 an f-string is one token, too."""
    return token.type == tokenize.STRING and "f" not in token.string.replace("'", '"').partition('"')[0].lower()


def _followed(module: str) -> bool:
    parts = module.split(".")
    above = {".".join(parts[: n + 1]) for n in range(len(parts))}
    return module != "ecot" and parts[-1] != "messages" and not above & (TELLING | BY_VALUE)


@cache
def path_of(module: str) -> Path | None:
    """The source file of a module, or None if there is no such module."""
    if _top(module) == "ecot":  # without an import, and so without torch
        base = PACKAGE.joinpath(*module.split(".")[1:])
        return next((path for path in (base / "__init__.py", base.with_suffix(".py")) if path.is_file()), None)
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        return None
    return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None


@cache
def _text(module: str) -> str:
    path = path_of(module)
    if path is None:
        raise ValueError(f"there is no module {module}")
    return path.read_text(encoding="utf-8")


@cache
def _code(module: str) -> str:
    return without_comments(_text(module))


@cache
def _imports(module: str) -> set[str]:
    """The absolute names that a module imports, wherever in it: modules, and what it takes from them."""
    path = path_of(module)
    package = module if path and path.name == "__init__.py" else module.rpartition(".")[0]
    names: set[str] = set()
    for node in ast.walk(ast.parse(_text(module))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            origin = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            names |= {origin} | {f"{origin}.{alias.name}" for alias in node.names}
    return names


def _top(module: str) -> str:
    return module.partition(".")[0]


@cache
def _home(top: str) -> Path | None:
    """The folder in which a top-level module or package lies, if it is not one of installed packages."""
    path = path_of(top)
    if path is None:
        return None
    folder = path.parent.parent if path.name == "__init__.py" else path.parent
    return None if folder.name in ("site-packages", "dist-packages") else folder
