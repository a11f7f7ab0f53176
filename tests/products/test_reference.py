"""Kept results: a finished run's products and what made them, kept once."""

import json
import re
from datetime import UTC, date, datetime

import pandas as pd
import pytest
import torch
import yaml

from ecot.artefacts import model as models
from ecot.artefacts.record import commit
from ecot.errors import EcotError
from ecot.grid import fingerprint, index
from ecot.grid.paths import metrics_path, model_folder, results_folder
from ecot.grid.plan import cell_settings, grid
from ecot.products import base, reference


@pytest.fixture
def finished(run):
    """A run with every file that is kept; only Table 5 and the metrics have a content of their own."""
    config = run()
    for number, cell in enumerate(grid(config)):
        about = {
            "seconds": 1800.0,
            "images_per_second": 100.0 + number,
            "device": "cpu (1 threads)",
            "torch": "2.15.0",
            "ecot": "0.1",
            "dataset_sha256": "abc",
            "commit": "0123456789ab",
        }
        folder = model_folder(config, cell)
        settings = cell_settings(config, cell)
        model = models.Model(settings, {"weight": torch.ones(3)}, fingerprint.trained(settings))
        models.save(folder, model, [{"epoch": number}], about)
    index.write(config)
    for product in base.products(config).values():
        if product.in_all:
            for path in product.files(config):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(product.name)
            base.record(config, product)
    for name in ("table_05", "metrics"):
        base.make(config, base.named(config, name))
    return config


def test_a_finished_run_is_kept_with_what_made_it(finished):
    folder, run = reference.keep(finished), results_folder(finished)
    kept = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    products = {path.relative_to(run) for product in base.products(finished).values() if product.in_all
                for path in product.files(finished)}  # fmt: skip
    assert {str(path) for path in kept - products if path.parts[0] != "cells"} == {
        "config.yaml", "cells.csv", "reference.json"
    }  # fmt: skip
    assert products <= kept
    for cell in grid(finished):
        of_cell = {path.name for path in (folder / "cells" / cell.name).iterdir()}
        assert of_cell == {"run.json", "history.csv", "config.yaml"}
    assert (folder / "tables/table_05.md").read_text() == (run / "tables/table_05.md").read_text()
    about = json.loads((folder / "reference.json").read_text())
    cells = len(grid(finished))
    assert about["cells"] == cells
    assert about["training_hours"] == cells / 2
    assert about["images_per_second"] == [100.0, 99.0 + cells]
    assert about["commit"] == ["0123456789ab"]
    assert about["tables_commit"] == commit()
    assert date.fromisoformat(about["date"]) <= datetime.now(UTC).date()
    assert about["numpy"] == ["not recorded"]


def test_kept_results_are_never_overwritten(finished):
    reference.keep(finished)
    with pytest.raises(EcotError, match="is not overwritten; remove it first, or give the run another name"):
        reference.keep(finished)


def test_an_unfinished_run_is_not_kept(finished):
    table = results_folder(finished) / "tables/table_05.md"
    table.unlink()
    with pytest.raises(EcotError, match=f"{table} is missing, .*; `ecot make table_05` writes it"):
        reference.keep(finished)
    metrics_path(finished, grid(finished)[0]).unlink()
    with pytest.raises(EcotError, match="run tiny: INCOMPLETE, 1 cell missing: Super-resolution"):
        reference.keep(finished)
    assert not (results_folder(finished).parent / "reference").exists()


def kept(repository):
    """The folders of kept results in git."""
    return sorted(path.parent for path in (repository / "results/reference").glob("*/reference.json"))


def test_what_is_kept_says_what_made_it(repository):
    assert kept(repository)
    for folder in kept(repository):
        assert yaml.safe_load((folder / "config.yaml").read_text())["run"] == folder.name, "in the form of its commit"
        about = json.loads((folder / "reference.json").read_text())
        assert {"commit", "device", "date", "training_hours", "dataset_sha256", "tables_commit"} <= set(about)
        assert all(re.fullmatch("[0-9a-f]{12}", made) for made in (*about["commit"], about["tables_commit"]))
        assert about["cells"] == len(pd.read_csv(folder / "metrics.csv"))


def test_the_readme_shows_what_is_kept(repository):
    """Its picture and its table are those of kept results."""
    text = (repository / "README.md").read_text()
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", text)
    assert pictures
    assert all((repository / picture).is_file() for picture in pictures)
    (folder,) = {repository / picture.partition("/figures/")[0] for picture in pictures}
    assert folder in kept(repository)
    assert f"results/reference/{folder.name})" in text, "tests/test_docs.py compares the numbers"


def test_the_commit_is_that_of_the_checkout(repository):
    if (repository / ".git").exists():
        assert len(commit().removesuffix("-dirty")) == 12
