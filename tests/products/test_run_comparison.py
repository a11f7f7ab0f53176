"""Two runs side by side: equal models are named, and a file of another cell is refused."""

import shutil

import pytest
import yaml

from ecot import config as configuration
from ecot.artefacts import DamagedError, metrics
from ecot.grid import fingerprint, index
from ecot.grid.paths import metrics_path, model_folder
from ecot.grid.plan import cell_settings, grid, measurement_settings
from ecot.products.run_comparison import compare
from ecot.quantities import measures


@pytest.fixture
def config(tiny, tmp_path, monkeypatch):
    """Two runs with equal cells, all measured."""
    monkeypatch.chdir(tmp_path)
    for run in ("tiny", "other"):
        made = configuration.validate({**tiny, "run": run})
        index.write(made)
    for number, cell in enumerate(grid(made)):
        settings = cell_settings(made, cell)
        measured = fingerprint.measured(settings, measurement_settings(made, cell.task))
        values = dict.fromkeys(("mse_input", "mse_target", *measures()), 0.01 * (number + 1))
        key = metrics.key(settings, fingerprint.trained(settings), measured)
        metrics.write(metrics_path(made, cell), key, 64, values)
        (model_folder(made, cell) / "config.yaml").write_text(yaml.safe_dump(settings.model_dump()))
    return made


def test_equal_models_are_named(config):
    lines = compare("tiny", "other").splitlines()[2:]
    # The sweep of lambda shares the models of the grid's own lambda, so that these stand there twice.
    assert {line.split("|")[1].partition(",")[0].strip() for line in lines} == {cell.name for cell in grid(config)}
    assert all("| the same |" in line for line in lines)
    assert "nan" not in "".join(lines)


def test_a_row_of_another_cell_is_refused(config):
    first, second = (metrics_path(config, cell) for cell in grid(config)[:2])
    shutil.copyfile(second, first)
    with pytest.raises(DamagedError, match="it is another cell's: "):
        compare("tiny", "other")
