"""The hash of source code: what it follows, what it leaves out, and that Python's version does not matter."""

import ast
import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ecot import source
from ecot.source import code_hash, without_comments

PACKAGE = Path(source.__file__).parent
CACHED = (source.code_hash, source.path_of, source._text, source._code, source._imports, source._home)


@pytest.fixture(autouse=True)
def _fresh():
    """The tests write modules, and no other test may see them."""
    yield
    forget()


def forget():
    importlib.invalidate_caches()
    for function in CACHED:
        function.cache_clear()


def digest(*modules):
    forget()
    return code_hash(*modules)


def closure(*modules):
    forget()
    return source.closure(modules)


def write(folder, texts):
    """Write modules, by their paths below the folder without the suffix."""
    for name, text in texts.items():
        path = folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of three modules, where a imports b and c stands alone."""
    root = tmp_path / "ecot"
    write(
        root,
        {
            "__init__": "",
            "a": '"""Doc."""\nfrom ecot.b import f\n\ndef g():\n    """Doc."""\n    return f()\n',
            "b": "def f():\n    return 1\n",
            "c": "x = 1\n",
        },
    )
    monkeypatch.setattr(source, "PACKAGE", root)
    return root


@pytest.mark.parametrize(
    ("module", "old", "new", "changes"),
    [
        ("a", "return f()", "return f() + 1", True),
        ("b", "return 1", "return 2", True),
        ("b", "return 1", "return 1  # one", False),
        ("b", "return 1", "return 1\n\n", False),
        ("a", '"""Doc."""', '"""Another."""', False),
        ("a", '"""Doc."""', "", False),
        ("c", "x = 1", "x = 2", False),
    ],
)
def test_what_changes_the_hash(package, module, old, new, changes):
    before = digest("ecot.a")
    path = package / f"{module}.py"
    path.write_text(path.read_text().replace(old, new))
    assert (digest("ecot.a") != before) == changes


def test_an_unknown_module_is_an_error(package):
    with pytest.raises(ValueError, match=r"no module ecot\.z"):
        digest("ecot.z")


def test_a_module_that_moves_changes_the_hash(package):
    before = digest("ecot.a")
    (package / "b.py").rename(package / "d.py")
    (package / "a.py").write_text((package / "a.py").read_text().replace("ecot.b", "ecot.d"))
    assert digest("ecot.a") != before


def test_imports_are_followed_however_they_are_written(package):
    (package / "b.py").unlink()
    write(
        package,
        {
            "a": "import ecot.b.d\ndef f():\n    from . import c\n    from .e import g\n    from ecot import h\n",
            "b/__init__": "from ..j import x\n",
            "b/d": "",
            "e": "from ecot.k import *\n",
            "g": "",
            "h": "",
            "j": "",
            "k": "",
        },
    )
    assert closure("ecot.a") == {f"ecot.{name}" for name in ("a", "b", "b.d", "c", "e", "h", "j", "k")}


def test_what_only_tells_something_and_what_is_hashed_by_value_is_not_followed(package):
    (package / "b.py").unlink()
    names = [
        "errors",
        "files",
        "messages",
        "b/messages",
        "modes",
        "registry",
        "settings",
        "quantities",
        "config/root",
    ]
    names += ["config/root", "tasks/__init__", "tasks/x", "data/__init__", "data/sets/x"]
    write(package, dict.fromkeys(names, ""))
    modules = [name.removesuffix("/__init__").replace("/", ".") for name in names]
    write(package, {"a": "".join(f"import ecot.{module}\n" for module in modules)})
    assert closure("ecot.a") == {"ecot.a", "ecot.data"}
    assert closure("ecot.c") == {"ecot.c"}
    write(package, {"tasks/x": "import ecot.c\n"})
    assert closure("ecot.tasks.x") == {"ecot.tasks.x", "ecot.c"}  # a root is hashed, whatever it is


def test_modules_of_an_extension_are_followed_and_installed_ones_are_not(tmp_path, monkeypatch):
    """Those of its own package, and those beside it, which a single module imports from its working directory."""
    monkeypatch.syspath_prepend(tmp_path)
    write(
        tmp_path,
        {
            "extension_one": "import numpy\nimport extension_two\nfrom ecot.coding import quantiser",
            "extension_two": "from extension_three.layers import f\n",
            "extension_three/__init__": "",
            "extension_three/layers": "from .sizes import n\n",
            "extension_three/sizes": "n = 1\n",
        },
    )
    expected = {
        "extension_one",
        "extension_two",
        "extension_three",
        "extension_three.layers",
        "extension_three.sizes",
        "ecot.coding",
        "ecot.coding.quantiser",
    }
    assert closure("extension_one") == expected
    before = digest("extension_one")
    write(tmp_path, {"extension_three/sizes": "n = 2\n"})
    assert digest("extension_one") != before


def test_a_package_in_a_folder_of_installed_packages_is_followed_alone(tmp_path, monkeypatch):
    folder = tmp_path / "site-packages"
    monkeypatch.syspath_prepend(folder)
    write(folder, {"installed_one/__init__": "from installed_one import b\nimport installed_two\n"})
    write(folder, {"installed_one/b": "", "installed_two": ""})
    assert closure("installed_one") == {"installed_one", "installed_one.b"}


def test_a_training_depends_on_its_networks_and_its_data_but_not_on_the_report():
    modules = closure("ecot.engine.training", "ecot.networks.street", "ecot.degradations.gaussian_noise")
    assert {"ecot.networks.street", "ecot.networks.critic", "ecot.data.arrays", "ecot.engine.loop"} <= modules
    assert {"ecot.grid.cell_settings", "ecot.coding.randomness", "ecot.degradations"} <= modules
    assert not {"ecot.networks.digits", "ecot.degradations.resampling", "ecot.data.fetch"} & modules
    rooms = {module.split(".")[1] for module in modules}
    assert not rooms & {"evaluation", "products", "machine", "artefacts", "cli", "config", "paper", "theory"}


# Source text, and what is left of it. Each is valid from Python 3.11 on.
TEXTS = {
    "docstring": ('"""Doc.\n\nMore ŷ ².\n"""\nx = 1\n', "x = 1"),
    "docstring and comment": ('def f():\n    "Doc."  # why\n    return 1  # one\n', "def f():\n    return 1"),
    "docstring in parts": ("class A:\n    'a' \"b\" \\\n    r'''c\n    d'''\n    x = 1\n", "class A:\n    x = 1"),
    "docstring after decorator": (
        '@f("# no comment")  # ŷ\nclass A:\n    """Doc."""\n\n    x: int  # ²\n',
        '@f("# no comment")\nclass A:\n    x: int',
    ),
    "attribute's docstring": ('x = 1\n"""What x is."""\ny = 2\n', "x = 1\ny = 2"),
    "comment after characters outside ASCII": ('x = "Ŷ²→"  # Ŷ²→\n', 'x = "Ŷ²→"'),
    "comment of blanks": ("x = 1  #   \n#\ny = 2   \n", "x = 1\ny = 2"),
    "string with a hash": ('x = "# no comment"  # comment\n', 'x = "# no comment"'),
    "string in an expression": ('f("a"\n  "b")\n("c")\n', 'f("a"\n  "b")\n("c")'),
    "string of rows": ('x = """a  \n\n# b\n"""  # c\n', 'x = """a  \n\n# b\n"""'),
    "f-string": ("x = f\"{y!r:>{n}} # {'#'} {{\"  # c\n", "x = f\"{y!r:>{n}} # {'#'} {{\""),
    "f-string of rows": (
        'x = rf"""a  \n\n{y\n}  # {z}\n{f"{w}"}\n"""  # c\n',
        'x = rf"""a  \n\n{y\n}  # {z}\n{f"{w}"}\n"""',
    ),
    "f-string that stands alone": ('f"{g()}"\nF"a"\n"a" f"{b}"\n', 'f"{g()}"\nF"a"\n"a" f"{b}"'),
    "semicolons": ('x = 1; y = 2  # c\n"a"; z = 3\n', 'x = 1; y = 2\n"a"; z = 3'),
    "line continuation": ("x = 1 + \\\n    2  # c\n", "x = 1 + \\\n    2"),
    "comments in brackets": ("x = [  # a\n    1,\n\n    # b\n    2,\n]\n", "x = [\n    1,\n    2,\n]"),
    "form feed and separators": ('x = "\x0c\x1c\u2028"  # c\n\x0c\ny = 2  # d\n', 'x = "\x0c\x1c\u2028"\ny = 2'),
    "tabs": ("if x:\n\ty = 1\t# c\n", "if x:\n\ty = 1"),
    "no last newline": ("x = 1\n# c", "x = 1"),
    "docstring without a last newline": ('x = 1\n"doc"', "x = 1"),
    "bytes": ('b"no effect"\nx = b"# a"\n', 'x = b"# a"'),
    "match": ("match x:\n    case 1:  # one\n        pass\n", "match x:\n    case 1:\n        pass"),
    "empty": ("", ""),
}


@pytest.mark.parametrize("name", TEXTS)
def test_comments_and_docstrings_are_cut_and_nothing_else(name):
    text, expected = TEXTS[name]
    compile(text, name, "exec")
    assert without_comments(text) == expected


class _NoDocstrings(ast.NodeTransformer):
    """Takes statements that are nothing but a string out of a syntax tree, as an oracle that knows no tokens."""

    def visit_Expr(self, node):
        return None if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str | bytes) else node


def test_what_is_left_of_each_module_is_the_same_program():
    compared = 0
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text()
        try:
            left = ast.parse(without_comments(text))
        except IndentationError:  # a class or a function of nothing but a docstring
            continue
        compared += 1
        assert ast.dump(left) == ast.dump(_NoDocstrings().visit(ast.parse(text))), path
    assert compared > 60


def test_two_programs_that_differ_in_a_string_differ():
    assert without_comments('x = """a\n\nb"""\n') != without_comments('x = """a\nb"""\n')
    assert without_comments('x = """a  \nb"""\n') != without_comments('x = """a\nb"""\n')


def pythons():
    """Other interpreters of this machine that the package allows, one for each version."""
    found = {}
    for minor in range(11, 16):
        names = [*Path.home().glob(f".pyenv/versions/3.{minor}.*/bin/python"), shutil.which(f"python3.{minor}")]
        for path in filter(None, names):
            version = [str(path), "-c", "import sys; print(*sys.version_info[:2])"]
            answer = subprocess.run(version, capture_output=True, text=True).stdout
            if answer == f"3 {minor}\n" and minor != sys.version_info[1]:
                found[minor] = str(path)
    return found


EVERYTHING = """
import hashlib, json, sys
from pathlib import Path
from ecot.source import without_comments
paths = sorted(Path(sys.argv[1]).rglob("*.py"))
texts = [*json.load(sys.stdin), *(path.read_text(encoding="utf-8") for path in paths)]
print(hashlib.sha256("\\0".join(map(without_comments, texts)).encode()).hexdigest())
"""


def test_every_version_of_python_gives_the_same_hash():
    """Tried with the versions that this machine has.

    By construction others agree too: of a token only its kind, its rows and its text are used. Since Python 3.12 an
    f-string is several tokens, whose first and last are taken together; since 3.14 the same holds for a t-string.
    Neither counts as a docstring in any version. Columns, which versions have counted in different ways, are not
    used.
    """
    others = pythons()
    if not others:
        pytest.skip("there is no second version of Python here")
    texts = json.dumps([text for text, _ in TEXTS.values()])

    def answer(python):
        command = [python, "-I", "-c", f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r})\n{EVERYTHING}"]
        done = subprocess.run([*command, str(PACKAGE)], input=texts, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    own = answer(sys.executable)
    assert {minor: answer(python) for minor, python in others.items()} == dict.fromkeys(others, own)
