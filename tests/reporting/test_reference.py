"""Reference results: a finished run's tables and what made them, kept once."""

import json
import re
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from ecot import config as configuration
from ecot.cells import grid, results_folder
from ecot.errors import EcotError
from ecot.provenance import commit
from ecot.reporting import metrics, reference, tables


@pytest.fixture
def finished(run):
    config = run()
    for number, cell in enumerate(grid(config)):
        about = {
            "seconds": 1800.0,
            "images_per_second": 100.0 + number,
            "device": "cpu (1 threads)",
            "torch": "2.15.0",
        }
        (results_folder(config) / cell.folder / "run.json").write_text(json.dumps(about | {"commit": "0123456789ab"}))
    tables.write(5, config)
    metrics.collect(config)
    return config


def test_a_finished_run_is_kept_with_what_made_it(finished):
    folder = reference.keep(finished)
    assert (folder / "tables/table_05.md").read_text() == (
        results_folder(finished) / "tables/table_05.md"
    ).read_text()
    assert not (folder / "cells").exists()
    about = json.loads((folder / "reference.json").read_text())
    cells = len(list(grid(finished)))
    assert about["cells"] == cells
    assert about["training_hours"] == cells / 2
    assert about["images_per_second"] == [100.0, 99.0 + cells]
    assert about["commit"] == ["0123456789ab"]
    assert about["tables_commit"] == commit()
    assert date.fromisoformat(about["date"]) <= datetime.now(UTC).date()
    assert about["numpy"] == ["not recorded"]


def test_reference_results_are_never_overwritten(finished):
    reference.keep(finished)
    with pytest.raises(EcotError, match="is not overwritten; remove it first, or give the run another name"):
        reference.keep(finished)


def test_an_incomplete_run_is_no_reference(run, finished):
    cell = next(iter(grid(finished)))
    (results_folder(finished) / cell.folder / "metrics.csv").unlink()
    with pytest.raises(EcotError, match="run tiny: INCOMPLETE, 1 cell missing: super-resolution"):
        reference.keep(finished)


def kept(repository):
    """The folders of reference results in git."""
    return sorted(path.parent for path in (repository / "results/reference").glob("*/reference.json"))


def test_what_is_kept_says_what_made_it(repository):
    assert kept(repository)
    for folder in kept(repository):
        assert configuration.load(folder / "config.yaml").run == folder.name
        about = json.loads((folder / "reference.json").read_text())
        assert {"commit", "device", "date", "training_hours", "dataset_sha256", "tables_commit"} <= set(about)
        assert all(re.fullmatch("[0-9a-f]{12}", made) for made in (*about["commit"], about["tables_commit"]))
        assert about["cells"] == len(pd.read_csv(folder / "metrics.csv"))


def test_the_readme_shows_what_is_kept(repository):
    """Its first table and picture are those of the reference results."""
    text = (repository / "README.md").read_text()
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", text)
    assert pictures
    assert all((repository / picture).is_file() for picture in pictures)
    (folder,) = {repository / picture.partition("/figures/")[0] for picture in pictures}
    assert folder in kept(repository)
    summary = pd.read_csv(folder / "paper_summary.csv")
    lines = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("|")}
    for row in summary[summary.reproduced > 0].itertuples():
        line = lines[str(row.table)]
        assert f"| {row.reproduced} of {row.published} |" in line
        assert f"| {row.median:.1%} |" in line
        assert f"{row.largest:+.1%}" in line
        assert all(name in line for name in re.findall(r"\w+(?=,|;|$)", row.claims))


def test_the_commit_is_that_of_the_checkout(repository):
    if (repository / ".git").exists():
        assert len(commit().removesuffix("-dirty")) == 12
