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
    assert record.commit().startswith("unknown (fatal: not a git repository")

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
    git("commit", "-a", "-m", "b")
    (tmp_path / "b.py").write_text("git does not count a new file as an edit, though it may decide a number")
    assert record.commit().endswith("-dirty")


def test_the_commit_of_a_repository_around_the_package_is_not_recorded(tmp_path, monkeypatch, caplog):
    """As when ecot is unpacked in an ignored folder of another project."""
    package = tmp_path / "vendor/ecot"
    package.mkdir(parents=True)
    (package / "a.py").write_text("1")
    (tmp_path / ".gitignore").write_text("vendor\n")
    for arguments in (["init"], ["add", ".gitignore"], ["commit", "-m", "another project"]):
        subprocess.run([*GIT, *arguments], cwd=tmp_path, capture_output=True, check=True)
    monkeypatch.setattr(record, "PACKAGE", package)
    found = record.commit()
    assert found == f"unknown (git does not track the files of the package); source {record.source_hash()}"
    assert found in caplog.text
    (package / "a.py").write_text("2")
    assert record.commit() != found


def test_a_checkout_that_git_refuses_is_named_with_the_reason(tmp_path, monkeypatch):
    """As in a checkout of another user: "dubious ownership"."""
    (tmp_path / "a.py").write_text("1")
    subprocess.run([*GIT, "init"], cwd=tmp_path, capture_output=True, check=True)
    monkeypatch.setattr(record, "PACKAGE", tmp_path)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # git's own switch for this
    assert record.commit().startswith("unknown (fatal: detected dubious ownership")


def test_without_git_there_is_no_commit(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert record.commit().startswith("unknown (git does not run")
