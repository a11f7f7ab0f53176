"""Two runs compared: settings, code, numbers with intervals; a file of another cell is refused."""

import re
import shutil

import pytest

from ecot import config as configuration
from ecot.artefacts import DamagedError, metrics
from ecot.config import merge
from ecot.grid import fingerprint, index
from ecot.grid.paths import metrics_path
from ecot.grid.plan import cell_settings, grid, measurement_settings
from ecot.products.run_comparison import compare
from ecot.quantities import measures


@pytest.fixture
def make(tiny, record_cell, tmp_path, monkeypatch):
    """Makes a run of two seeds, all measured; `more` is added to the distortion, by the cell."""
    monkeypatch.chdir(tmp_path)

    def make(run, change=None, more=lambda cell: 0.0, commit="a"):
        made = configuration.validate(merge(merge(tiny, {"run": run, "seeds": [0, 1]}), change or {}))
        index.write(made)
        for number, cell in enumerate(grid(made)):
            settings = cell_settings(made, cell)
            measured = fingerprint.measured(settings, measurement_settings(made, cell.task))
            values = dict.fromkeys(("mse_input", "mse_target", *measures()), 0.01 * (number + 1))
            values["mse_input"] += more(cell)
            key = metrics.key(settings, fingerprint.trained(settings), measured)
            metrics.write(metrics_path(made, cell), key, 64, values)
            record_cell(made, cell, {"commit": commit, "code": "c"})
        return made

    return make


def cells(text):
    """The cells of the lines of the last table."""
    lines = text.partition("## Numbers")[2].splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")][1:]


def test_equal_runs_are_said_to_be_equal(make):
    make("tiny")
    make("other")
    text = compare("tiny", "other")
    assert "The settings are the same." in text
    assert "The finished models were made by the same code." in text
    assert re.search(r"^(\d+) of \1 cells that both have are one and the same model", text, re.M)
    assert all(line[5] == "the same models" for line in cells(text))
    assert "nan" not in text


def test_what_differs_is_named_with_an_interval(make):
    """The second run's distortion is higher by 0.002 with seed 0 and by 0.004 with seed 1."""
    longer = {"tasks": {"super_resolution": {"modes": {"end_to_end": {"learning_rate": 2.0e-3}}}}}
    make("tiny")
    make("other", longer, more=lambda cell: 0.002 * (1 + cell.seed), commit="b")
    text = compare("tiny", "other")
    assert re.search(r"\| tasks\.super_resolution\.modes\.end_to_end\.learning_rate +\| 0\.001 +\| 0\.002 +\|", text)
    assert re.search(r"^\| commit +\| a", text, re.M)
    (mse,) = [
        line
        for line in cells(text)
        if line[:3] == ["Super-resolution, end to end, common randomness", "4", "E‖X − Ŷ‖²"]
    ]
    assert mse[5] == "+0.0030"
    # Student's interval of 0.002 and 0.004: 0.003 ± 12.71 * 0.001.
    assert mse[6] == "-0.0097 to +0.0157"
    assert mse[7] == "2"


def test_cells_of_one_run_alone_are_named(make):
    make("tiny")
    make("other", {"tasks": {"denoising": None}})
    assert "Only tiny has: denoising/end_to_end/common/rate-12/seed-0" in compare("tiny", "other")


def test_a_row_of_another_cell_is_refused(make):
    config = make("tiny")
    make("other")
    first, second = (metrics_path(config, cell) for cell in grid(config)[:2])
    shutil.copyfile(second, first)
    with pytest.raises(DamagedError, match="it is another cell's: "):
        compare("tiny", "other")
