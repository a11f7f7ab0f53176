"""What a run record says of program and machine."""

import platform
import subprocess

import numpy as np
import torch

import ecot
from ecot.artefacts import record

GIT = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]


def test_versions(monkeypatch):
    monkeypatch.setattr(record, "commit", lambda: "abc")
    assert record.versions() == {
        "ecot": ecot.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "commit": "abc",
    }


def test_the_commit_is_that_of_the_checkout_and_says_whether_it_was_edited(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "PACKAGE", tmp_path)
    assert record.commit() == ""

    def git(*arguments):
        return subprocess.run([*GIT, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    git("init")
    (tmp_path / "a.py").write_text("1")
    git("add", "a.py")
    git("commit", "-m", "a")
    git("tag", "-a", "v1", "-m", "a tag is not what is asked for")
    commit = git("rev-parse", "HEAD").strip()
    assert record.commit() == commit[:12]
    (tmp_path / "a.py").write_text("2")
    assert record.commit() == f"{commit[:12]}-dirty"


def test_without_git_there_is_no_commit(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert record.commit() == ""
