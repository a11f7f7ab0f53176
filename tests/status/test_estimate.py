"""Hours from measured speeds: of finished cells, of the table, between its widths; and what is not known."""

import csv
import json
import math

import pytest
import yaml

from ecot.cli import main
from ecot.config import merge, validate
from ecot.grid import paths
from ecot.grid.cell import Cell
from ecot.grid.plan import cell_settings, grid
from ecot.status import estimate as module
from ecot.status import messages
from ecot.status.estimate import HERE, estimate
from ecot.status.obstacles import obstacles
from ecot.status.outlook import kind_and_parallel, outlook

CELL = Cell.parse("super_resolution/end_to_end/common/rate-4/seed-0")
ROW = {"task": "super_resolution", "mode": "end_to_end", "memory_mb": "100", "model_mb": "1", "device": "cpu (one)"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def table(monkeypatch):
    """Puts rows in the place of resources/speeds.csv."""
    return lambda *rows: monkeypatch.setattr(module, "table", lambda: [{**ROW, **row} for row in rows])


def finished(config, cell, **record):
    """Files of a finished cell, as far as an estimate reads them."""
    folder = paths.model_folder(config, cell)
    folder.mkdir(parents=True)
    about = {"device": "cpu (2 threads, a processor)", "images_per_second": 400.0, "peak_memory_mb": 700.0, **record}
    (folder / "run.json").write_text(json.dumps(about))
    (folder / "config.yaml").write_text(yaml.safe_dump(cell_settings(config, cell).model_dump()))
    (folder / "model.safetensors").write_bytes(bytes(2_000_000))


def test_finished_cells_count_before_the_table(tiny, here, table):
    """256 images (2 epochs of 128) at 400 images/s of two threads: 1.28 s of the one core that a training takes."""
    table({"width": "1", "images_per_second": "1"})
    config = validate(tiny)
    finished(config, Cell.parse("super_resolution/end_to_end/common/rate-8/seed-0"))
    found = estimate(config, [CELL], "cpu", 2)
    assert found.hours * 3600 == pytest.approx(256 / 200)
    assert found.wall_hours * 3600 == pytest.approx(256 / 200)
    assert (found.sources, found.memory_mb, found.model_mb) == ((HERE,), 700, 2)
    assert estimate(config, [CELL], "cuda", 1).unknown == (CELL,)


def test_the_table_is_read_between_its_widths(tiny, here, table):
    table({"width": "0.01", "images_per_second": "100"}, {"width": "1", "images_per_second": "1"})
    found = estimate(validate(tiny), [CELL], "cpu", 1)  # width 0.1, halfway in powers of ten
    assert found.hours * 3600 == pytest.approx(256 / 10)
    assert found.sources == ("cpu (one)",)


def test_what_is_trained_already_is_not_counted(tiny, here, table):
    table({"width": "0.1", "images_per_second": "256"})
    assert estimate(validate(tiny), [CELL], "cpu", 1, {CELL: 0.75}).hours * 3600 == pytest.approx(0.25)


def test_a_chain_of_models_is_not_shared_out(tiny, all_modes, here, table):
    """A joint model waits for the end-to-end model that it builds on, however many devices there are."""
    config = validate(merge(tiny, all_modes))
    table({"width": "0.1", "images_per_second": "1"}, {"width": "0.1", "images_per_second": "1", "mode": "joint"})
    cells = [cell for cell in grid(config) if cell.mode in ("end_to_end", "joint") and cell.task == CELL.task]
    found = estimate(config, cells, "cuda", 100)
    assert found.unknown
    table(
        *(
            {"width": "0.1", "images_per_second": "1", "mode": mode, "device": "cuda"}
            for mode in ("end_to_end", "joint")
        )
    )
    found = estimate(config, cells, "cuda", 100)
    assert found.wall_hours * 3600 == pytest.approx(256 + 128)


def test_the_table_has_every_mode_of_the_paper(config):
    known = {(row["task"], row["mode"]) for row in module.table()}
    assert known >= {(cell.task, cell.mode) for cell in grid(config)}
    with module.SPEEDS.open(newline="") as file:
        assert all(float(row["images_per_second"]) > 0 and row["commit"] for row in csv.DictReader(file))


def test_the_papers_grid_on_a_cpu_takes_days(config, here):
    found = outlook(config, cores=2, devices=[])
    assert len(found.missing) == len(found.cells) > 100
    assert 24 < found.expected.wall_hours < 24 * 365
    assert "this machine has no GPU" in messages.on_the_cpu(config, found)


def test_devices(config):
    on_cpu = config.model_copy(update={"device": "cpu"})
    assert kind_and_parallel(on_cpu, 8, ["GPU-1"]) == ("cpu", 8)
    assert kind_and_parallel(config, 8, []) == ("cpu", 8)
    assert kind_and_parallel(config, 8, ["GPU-1", "GPU-2"]) == ("cuda", 2)


def test_what_stands_in_the_way(values, here):
    config = validate(merge(values, {"device": "cuda"}))
    found = obstacles(config, outlook(config, 2, []).expected, [])
    assert any(line.startswith("device: cuda: there is no such device here") for line in found)
    assert any(line.startswith("data set svhn: train_32x32.mat, test_32x32.mat not in data") for line in found)
    huge = module.Estimate(1, 1, 1000, 1e6, 1e12, (), ())
    assert {line.partition(":")[0] for line in obstacles(config, huge, [])} >= {"memory", "disk"}


def test_nothing_stands_in_the_way_of_the_demo(repository, here):
    from ecot.config import load

    config = load(repository / "config.yaml", repository / "config.demo.yaml")
    assert obstacles(config, outlook(config, 2, []).expected, []) == []


def test_the_command(repository, here):
    from click.testing import CliRunner

    shown = CliRunner().invoke(main, ["plan", "--config", str(repository / "config.yaml"), "--cores", "2"])
    assert shown.exit_code == 0, shown.output
    for word in ("cells", "training", "disk", "In the way on this machine"):
        assert word in shown.output


@pytest.mark.parametrize(
    ("hours", "words"),
    [
        (0.002, "7 s"),
        (0.5, "30 min"),
        (5.25, "5.2 h"),
        (30, "30 h"),
        (100, "4 days"),
        (1369, "8 weeks"),
        (math.nan, "unknown"),
    ],
)
def test_durations(hours, words):
    assert messages.duration(hours) == words
