"""docs/theory.md runs as it stands, and names functions that exist."""

import importlib
import re
from pathlib import Path

import pytest

import ecot.theory

PAGE = (Path(__file__).parents[2] / "docs" / "theory.md").read_text()
PUBLIC = "binary", "uniform", "gaussian", "finite", "squared", "simulation", "curves", "penalty"


def test_every_block_runs():
    names = {"__name__": "tutorial"}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "docs/theory.md", "exec"), names)


def test_every_function_of_the_table_exists_and_each_theorem_has_a_row():
    table = [line for line in PAGE.splitlines() if line.startswith("| ")]
    named = set(re.findall(rf"`({'|'.join(PUBLIC)})\.(\w+)`", "\n".join(table)))
    assert len(named) > 40
    for module, function in named:
        found = importlib.import_module(f"ecot.theory.{module}")
        assert function in found.__all__
    for statement in [f"Theorem {i}" for i in range(1, 9)] + [f"Definition {i}" for i in range(1, 6)] + ["Lemma 1"]:
        assert any(statement in line.split("|")[1] for line in table), statement


@pytest.mark.parametrize("module", PUBLIC)
def test_what_is_public_is_documented(module):
    """Parameters, returns, errors, or a pointer to the function that has them; an example; a readable signature."""
    found = importlib.import_module(f"ecot.theory.{module}")
    for name in found.__all__:
        thing = getattr(found, name)
        assert thing.__doc__, name
        if not isinstance(thing, type):
            text = thing.__doc__
            assert "Examples\n" in text, name
            complete = "Parameters\n" in text and "Raises\n" in text
            assert complete or "errors as" in text or list(thing.__annotations__) == ["return"], name
            signature = f"{name}({', '.join(f'{a}: {t}' for a, t in thing.__annotations__.items())})"
            assert len(signature) < 260, signature  # the names of types, not what they stand for
    assert ecot.theory.__all__ == ["Bracket", "Plan"]
    assert ecot.theory.Bracket.__doc__
