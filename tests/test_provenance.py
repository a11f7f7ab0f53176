"""The code hash of a stage."""

import pytest

from ecot import provenance


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of three modules, where a imports b and c stands alone."""
    root = tmp_path / "ecot"
    root.mkdir()
    (root / "__init__.py").write_text("")
    (root / "a.py").write_text('"""Doc."""\nfrom ecot.b import f\n\ndef g():\n    """Doc."""\n    return f()\n')
    (root / "b.py").write_text("def f():\n    return 1\n")
    (root / "c.py").write_text("x = 1\n")
    monkeypatch.setattr(provenance, "PACKAGE", root)
    return root


def digest(*modules):
    provenance._tree.cache_clear()
    provenance.code_hash.cache_clear()
    return provenance.code_hash(*modules)


@pytest.mark.parametrize(
    ("module", "old", "new", "changes"),
    [
        ("a", "return f()", "return f() + 1", True),
        ("b", "return 1", "return 2", True),
        ("b", "return 1", "return 1  # one", False),
        ("a", '"""Doc."""', '"""Another."""', False),
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


def test_a_training_depends_on_its_task_and_its_data_but_not_on_the_report():
    provenance._tree.cache_clear()
    modules = provenance._closure(("ecot.training.cell", "ecot.tasks.denoising"))
    assert {"ecot.tasks.denoising", "ecot.nn.critic", "ecot.data.street_digits", "ecot.training.loop"} <= modules
    assert not {"ecot.tasks.super_resolution", "ecot.evaluation.cell", "ecot.reporting.tables"} & modules
