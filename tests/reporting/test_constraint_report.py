"""The table and the figure of the constraint, from measurements that follow from the cell."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image

from ecot.cells import bounds_path, grid, levels_path, results_folder
from ecot.cli import main
from ecot.config import merge, validate
from ecot.errors import EcotError
from ecot.reporting import constraint

TABLE, FIGURE = Path("results/tiny/tables/constraint.md"), Path("results/tiny/figures/constraint.png")


@pytest.fixture
def run(tiny, all_modes, tmp_path, monkeypatch):
    """A measured run of two seeds and all modes in the working directory."""
    monkeypatch.chdir(tmp_path)

    def make(without=()):
        values = merge(merge(tiny, all_modes), {"seeds": [0, 1]})
        config = validate(values)
        Path("config.yaml").write_text(config.model_dump_json())  # JSON is YAML
        for cell in grid(config):
            if cell in without:
                continue
            row = {
                "task": cell.task, "mode": cell.mode, "randomness": cell.randomness, "rate_bits": cell.rate_bits,
                "seed": cell.seed, "dataset": config.tasks[cell.task].dataset, "n_test": 64,
                "mse_input": 0.2 / (cell.rate_bits or 40), "mse_target": 0.05, "gelbrich": 0.01 + 0.002 * cell.seed,
                "sliced_w2": 0.001, "frechet_distance": 3.0, "kernel_distance": 0.2, "classifier_accuracy": 0.7,
                "critic_w1": 1.5, "distribution_weight": 0.001,
            }  # fmt: skip
            if cell.mode in ("joint", "separate"):
                row |= dict.fromkeys(["mse_x_y1", "mse_y_y2", "mse_y1_y2", "loss_decomposed"], 0.01)
            folder = results_folder(config) / cell.folder
            folder.mkdir(parents=True)
            pd.DataFrame([row]).to_csv(folder / "metrics.csv", index=False)
        for task in config.tasks:
            for path in (bounds_path(config, task), levels_path(config, task)):
                path.parent.mkdir(exist_ok=True)
            bounds_path(config, task).write_text("bound,distortion\ngelbrich_floor,0.035\n")
            level = dict.fromkeys(constraint.GAPS, 0.004)
            rows = [{"task": task, "images": images, "n_test": 64, **level} for images in ("test", "training")]
            rows[1]["gelbrich"] = 0.006
            pd.DataFrame(rows).to_csv(levels_path(config, task), index=False)
        return config

    return make


def test_every_cell_has_its_distortions_and_gaps(run):
    config = run()
    constraint.write(config)
    rows = pd.read_csv(TABLE.with_suffix(".csv"))
    assert list(rows.columns) == [
        "task", "rate_bits", "randomness", "mode", "quantity", "value", "std", "n_seeds", "zero_level",
        "training_level", "dataset",
    ]  # fmt: skip
    kinds = {(cell.task, cell.mode, cell.randomness, cell.rate_bits) for cell in grid(config)}
    assert len(rows) == len(kinds) * 8
    assert (rows.n_seeds == 2).all()
    gelbrich = rows[rows.quantity == "gelbrich"]
    assert gelbrich["value"].to_numpy() == pytest.approx(0.011)
    assert gelbrich["std"].to_numpy() == pytest.approx(0.001 * np.sqrt(2))
    assert (gelbrich.zero_level == 0.004).all()
    assert (gelbrich.training_level == 0.006).all()
    assert rows[rows.quantity.isin(constraint.DISTORTIONS)].zero_level.isna().all()
    assert rows[rows["mode"] == "restoration"].rate_bits.isna().all()


def test_the_table_names_its_levels_and_its_units(run):
    constraint.write(run())
    text = TABLE.read_text()
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    assert lines[0][:8] == [
        "Mode",
        "Randomness",
        "Bits",
        "Seeds",
        "E‖X − Ŷ‖²",
        "E‖Y − Ŷ‖²",
        "Gelbrich²",
        "sliced W2²",
    ]
    assert lines[2][:1] + lines[2][6:8] == ["clean test images", "0.0040", "0.00400"]
    assert lines[3][:1] + lines[3][6:8] == ["clean training images", "0.0060", "0.00400"]
    assert [line[:4] for line in lines[4:9]] == [
        ["baseline", "common", "8", "2"],
        ["baseline", "independent", "8", "2"],
        ["end to end", "common", "4", "2"],
        ["end to end", "common", "8", "2"],
        ["end to end", "independent", "4", "2"],
    ]
    assert lines[4][6] == "0.0110 ± 0.0014"
    assert "per pixel" in text
    assert "INCOMPLETE" not in text


def test_the_figure_is_drawn_the_same_twice(run):
    config = run()
    contents = []
    for _ in range(2):
        constraint.write(config)
        contents.append(FIGURE.with_suffix(".svg").read_bytes())
    assert contents[0] == contents[1]
    with Image.open(FIGURE) as picture:
        assert min(picture.size) > 600


def test_no_cell_lies_below_the_bound(run):
    """The bound that is drawn: at gap G, (sqrt(F) - sqrt(G))^2, and F where there is no gap."""
    config = run()
    found = constraint.metrics.read(list(grid(config)), config)
    figure = constraint.draw(found, constraint.levels(config), config)
    (bound,) = (line for line in figure.axes[0].lines if "bound at gap" in str(line.get_label()))
    gaps, distortions = bound.get_data()
    assert distortions[0] == pytest.approx(0.035)
    assert distortions == pytest.approx(0.035 + gaps - 2 * np.sqrt(0.035 * gaps))


def test_what_is_missing_is_named_and_the_rest_shown(run, values):
    config = validate(merge(values, {"run": "tiny"}))
    cells = list(grid(run()))
    with pytest.raises(EcotError, match="constraint: no cell is measured in results/other"):
        constraint.write(config.model_copy(update={"run": "other"}))
    lost = next(cell for cell in cells if cell.mode == "joint")
    (Path("results/tiny") / lost.folder / "metrics.csv").unlink()
    for path in Path("results/tiny/constraint").iterdir():
        path.unlink()
    done = CliRunner().invoke(main, ["incomplete", "--config", "config.yaml"])
    assert done.exit_code == 0, done.output
    assert f"INCOMPLETE, 1 cell missing: {lost.title}." in TABLE.read_text()
    assert "clean test images" not in [
        line.split("|")[1].strip() for line in TABLE.read_text().splitlines() if "|" in line
    ]
    shown = CliRunner().invoke(main, ["show", "--config", "config.yaml"]).output
    assert "### Distortion, and how far the outputs are from the law pY" in shown
    assert str(FIGURE) in shown
