"""The documents: in step with code and results, links that lead somewhere, examples that run, a short README."""

import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ecot.grid.plan import grid
from ecot.modes import MODES

REPOSITORY = Path(__file__).resolve().parents[1]
PAGES = [REPOSITORY / "README.md", REPOSITORY / "CONTRIBUTING.md", *sorted((REPOSITORY / "docs").glob("*.md"))]


def test_generated_parts_are_in_step(monkeypatch):
    """`python docs/make.py` would change nothing."""
    monkeypatch.syspath_prepend(str(REPOSITORY / "docs"))
    import make

    for path, text in make.documents():
        assert path.read_text() == text, f"{path.name} is out of step: python docs/make.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", page.read_text())
    for link in links:
        if "://" not in link:
            assert (page.parent / link).exists(), link


def test_the_readme_is_short_and_without_ids():
    text = (REPOSITORY / "README.md").read_text()
    lines = text.splitlines()
    assert len(lines) <= 130
    tables = [line for line in lines if line.startswith("|")]
    assert not [line for line in tables if re.search(r"[a-z]_[a-z]", re.sub(r"\]\(.*?\)", "", line))]
    shown = [line for line in lines[:30] if line.startswith("![")]
    assert shown, "the picture stands on the first screen"


def test_the_examples_of_the_readme_run():
    failed, tried = doctest.testfile(str(REPOSITORY / "README.md"), module_relative=False)
    assert (failed, tried) == (0, 7)


def test_the_readme_names_commands_that_there_are(config):
    from ecot.cli import main

    for page in PAGES:
        for command in re.findall(r"(?:^    |`)ecot ([a-z][a-z-]*)", page.read_text(), re.M):
            assert command in main.commands, (page.name, command)
    text = (REPOSITORY / "README.md").read_text()
    for profile in re.findall(r"profiles/\w+", text):
        assert (REPOSITORY / profile / "config.yaml").is_file()
    demo = re.search(r"make demo +# (\d+) small models", text)
    from ecot.config import load

    assert int(demo[1]) == len(grid(load(REPOSITORY / "config.yaml", REPOSITORY / "config.demo.yaml")))


def test_every_mode_and_setting_is_documented():
    results, settings = ((REPOSITORY / "docs" / f"{name}.md").read_text() for name in ("results", "configuration"))
    assert all(f"`{mode.name}`" in results for mode in MODES.values() if mode.system.startswith("ecot."))
    assert all(
        name in settings for name in ("`save_minutes`", "`distribution_weight`", "### jpeg", "`jobs_per_device`")
    )


def test_each_hook_before_a_commit_is_a_line_of_make_lint():
    makefile = (REPOSITORY / "Makefile").read_text()
    lint = re.search(r"^lint: env\n((?:\t.*\n)+)", makefile, re.M)[1].replace("\t", "").splitlines()
    hooks = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [hook["entry"].removeprefix(".venv/bin/") for hook in hooks] == lint


def test_the_citation_has_this_version():
    import ecot

    citation = yaml.safe_load((REPOSITORY / "CITATION.cff").read_text())
    assert citation["version"] == ecot.__version__
    assert citation["preferred-citation"]["year"] == 2022


def test_a_link_out_of_the_site_becomes_a_name(monkeypatch):
    monkeypatch.syspath_prepend(str(REPOSITORY / "docs"))
    import outside

    text = "[terms](../SECURITY.md), [page](claims.md), [gone](../GONE.md), ![picture](../a.svg)"
    assert outside.on_page_markdown(text) == "terms, [page](claims.md), [gone](../GONE.md), ![picture](../a.svg)"


def test_the_site_is_built(tmp_path):
    mkdocs = pytest.importorskip("mkdocs")
    assert mkdocs
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path / "site")]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "configuration" / "index.html").is_file()
