"""docs/own-images.md: its example is run as it is written."""

import csv
import logging
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from ecot.cli import main
from ecot.data.sets import DATASETS
from ecot.quantities import measures

WITH_LABELS = {"frechet_distance", "kernel_distance", "classifier_accuracy"}


@pytest.fixture
def page(repository):
    return (repository / "docs/own-images.md").read_text()


@pytest.fixture
def example(page, repository, tmp_path, monkeypatch):
    """A folder with the page's configuration, and a home with images of several sizes and kinds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)
    monkeypatch.setattr(DATASETS, "_items", dict(DATASETS._items))
    (tmp_path / "home/images/more").mkdir(parents=True)
    rng = np.random.default_rng(0)
    for i in range(160):
        shape = (48, 40, 3) if i % 2 else (32, 32)
        image = Image.fromarray(rng.integers(0, 256, shape, np.uint8))
        image.save(f"home/images/{'more/' if i % 3 else ''}{i}.{'png' if i % 5 else 'jpg'}")
    (configuration,) = re.findall(r"```yaml\n(.*?)```", page, re.S)
    Path("mine.yaml").write_text(configuration)
    Path("config.yaml").write_text((repository / "config.yaml").read_text())


def test_the_example_runs_as_it_is_written(page, example, caplog):
    (commands,) = re.findall(r"```sh\n(.*?)```", page, re.S)
    with caplog.at_level(logging.INFO):
        for line in commands.splitlines():
            program, *arguments = shlex.split(line)
            assert program == "ecot"
            done = CliRunner().invoke(main, arguments)
            assert done.exit_code == 0, (line, done.output, done.exception)
    assert any("folder has no labels: the columns of" in message for message in caplog.messages)
    (row,) = csv.DictReader(Path("results/mine/metrics.csv").read_text().splitlines())
    assert {name for name in measures() if row.get(name)} == set(measures()) - WITH_LABELS
    assert float(row["mse_input"]) > 0
    assert row["n_test"] == "20"
    (measured,) = Path("results/cells").rglob("metrics.csv")
    cell = next(csv.DictReader(measured.read_text().splitlines()))
    assert {name for name in measures() if cell[name] == ""} == WITH_LABELS


def test_what_the_page_says_of_settings_is_all_there_is(page):
    from ecot.data.folder import FolderSettings

    table = page.split("## Settings")[1].split("##")[0]
    named = {name for line in table.splitlines() if line.startswith("| `") for name in re.findall(
        r"`(\w+)`", line.split("|")[1]
    )}  # fmt: skip
    assert named == set(FolderSettings.model_fields)
