"""The table and the figure of the output law, from measurements that follow from the cell."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ecot import sealed
from ecot.errors import EcotError
from ecot.grid.paths import clean_scores_path, image_bounds_path
from ecot.grid.plan import grid, tasks
from ecot.products import constraint, image_bounds, incomplete, metrics, reading
from ecot.products.base import make, named
from ecot.quantities import measures

TABLE, FIGURE = Path("results/tiny/tables/constraint.md"), Path("results/tiny/figures/constraint.png")


def numbers_of(cell):
    numbers = {
        "mse_input": 0.2 / (cell.rate_bits or 40), "mse_target": 0.05, "gelbrich": 0.01 + 0.002 * cell.seed,
        "sliced_w2": 0.001, "frechet_distance": 3.0, "kernel_distance": 0.2, "classifier_accuracy": 0.7,
        "critic_w1": 1.5,
    }  # fmt: skip
    if cell.mode in ("joint", "separate"):
        numbers |= dict.fromkeys(["mse_x_y1", "mse_y_y2", "mse_y1_y2", "loss_decomposed"], 0.01)
    return numbers


@pytest.fixture
def measured(run, all_modes):
    """Makes a measured run of two seeds and all modes, with bounds and the scores of clean images."""

    def make(without=()):
        config = run(all_modes, without=without, numbers=numbers_of)
        for task in tasks(config):
            for path in (image_bounds_path(config, task), clean_scores_path(config, task)):
                path.parent.mkdir(exist_ok=True, parents=True)
            floor = pd.DataFrame({"bound": ["gelbrich_floor"], "distortion": [0.035]})
            image_bounds.write(floor, image_bounds_path(config, task), image_bounds.made_for(config, task))
            scores = dict.fromkeys(measures(), 0.004)
            rows = [{"images": images, "n_test": 64, **scores} for images in ("test", "training")]
            rows[1]["gelbrich"] = 0.006
            sealed.write(clean_scores_path(config, task), reading.clean_scores_made_for(config, task), rows)
        return config

    return make


def lines(text):
    """The cells of the first Markdown table of a text, without the rule under its header."""
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]
    return [found[0], *found[2:]]


def test_every_cell_has_its_distortions_and_measures(measured):
    config = measured()
    make(config, named(config, "constraint"))
    rows = pd.read_csv(TABLE.with_suffix(".csv"))
    assert list(rows.columns) == [
        "task", "rate_bits", "randomness", "mode", "dither", "quantity", "value", "std", "n_seeds", "clean_test",
        "clean_training", "dataset",
    ]  # fmt: skip
    kinds = {(cell.task, cell.mode, cell.randomness, cell.rate_bits, cell.dither) for cell in grid(config)}
    assert len(rows) == len(kinds) * (2 + len(measures()))
    assert (rows.n_seeds == 2).all()
    gelbrich = rows[rows.quantity == "gelbrich"]
    assert gelbrich["value"].to_numpy() == pytest.approx(0.011)
    assert gelbrich["std"].to_numpy() == pytest.approx(0.001 * np.sqrt(2))
    assert (gelbrich.clean_test == 0.004).all()
    assert (gelbrich.clean_training == 0.006).all()
    assert rows[rows.quantity.isin(["mse_input", "mse_target"])].clean_test.isna().all()
    assert rows[rows["mode"] == "restoration"].rate_bits.isna().all()


def test_columns_are_the_registered_quantities_with_their_decimals_and_units(measured):
    config = measured()
    make(config, named(config, "constraint"))
    text = TABLE.read_text()
    header, *rows = lines(text)
    headings = [measure.quantity.text for measure in measures().values()]
    assert header == ["Mode", "Randomness", "Bits", "Seeds", "E‖X − Ŷ‖²", "E‖Y − Ŷ‖²", *headings]
    by_column = [dict(zip(header, row, strict=True)) for row in rows]
    clean_test, clean_training, *cells = by_column
    assert clean_test["Mode"] == "clean test images"
    assert (clean_test["Gelbrich²"], clean_test["sliced W2²"], clean_test["Seeds"]) == ("0.0040", "0.00400", "")
    assert clean_training["Mode"] == "clean training images"
    assert (clean_training["Gelbrich²"], clean_training["sliced W2²"]) == ("0.0060", "0.00400")
    assert [list(cell.values())[:4] for cell in cells[:5]] == [
        ["baseline", "common", "8", "2"],
        ["baseline", "independent", "8", "2"],
        ["end to end", "common", "4", "2"],
        ["end to end", "common", "8", "2"],
        ["end to end", "independent", "4", "2"],
    ]
    assert cells[0]["Gelbrich²"] == "0.0110 ± 0.0014"
    assert "Units, per pixel: E‖X − Ŷ‖², E‖Y − Ŷ‖², Gelbrich², sliced W2²;" in text
    assert "INCOMPLETE" not in text


def test_the_figure_is_drawn_the_same_twice(measured):
    config = measured()
    contents = []
    for _ in range(2):
        make(config, named(config, "constraint"))
        contents.append(FIGURE.with_suffix(".svg").read_bytes())
    assert contents[0] == contents[1]
    with Image.open(FIGURE) as picture:
        assert min(picture.size) > 600


def test_the_bound_that_is_drawn(measured):
    """At gap G it is (sqrt(F) - sqrt(G))^2, and F where there is no gap."""
    config = measured()
    figure = constraint.draw(metrics.read(grid(config), config), constraint.clean_scores(config), config)
    (bound,) = (line for line in figure.axes[0].lines if "bound at gap" in str(line.get_label()))
    gaps, distortions = bound.get_data()
    assert distortions[0] == pytest.approx(0.035)
    assert distortions == pytest.approx(0.035 + gaps - 2 * np.sqrt(0.035 * gaps))


def test_the_legend_names_what_is_drawn_and_nothing_else(measured):
    config = measured()
    for task in tasks(config):
        clean_scores_path(config, task).unlink()
    table = metrics.read([cell for cell in grid(config) if cell.mode != "joint"], config)
    figure = constraint.draw(table, constraint.clean_scores(config), config)
    labels = {label for panel in figure.axes for label in panel.get_legend_handles_labels()[1]}
    assert labels == {
        "end to end, common randomness", "end to end, no common randomness", "separate",
        "baseline, common randomness", "baseline, no common randomness", "restoration, no bottleneck",
        "end to end: means over seeds at one rate",
        r"Gelbrich floor $F$, for outputs of law $p_Y$", r"bound at gap $G$: $(\sqrt{F}-\sqrt{G})^2$",
    }  # fmt: skip


def test_what_is_missing_is_named_and_the_rest_is_shown(measured):
    config = measured(without=["super_resolution/joint/independent/rate-8/dither-fresh/seed-0"])
    product = named(config, "constraint")
    for path in Path("results/tiny/constraint").iterdir():
        path.unlink()
    product.write(config, incomplete.folder(config))
    text = Path("results/tiny/incomplete/tables/constraint.md").read_text()
    missing = "Super-resolution, joint, independent randomness, 8 bits, fresh dither, seed 0."
    assert f"INCOMPLETE, 1 cell missing: {missing}" in text
    assert "clean test images" not in [line[0] for line in lines(text)]
    assert not TABLE.exists()


def test_nothing_measured_is_an_error(measured):
    config = measured()
    config = config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"seed": 9})})
    with pytest.raises(EcotError, match="constraint: no cell is measured in results/tiny"):
        make(config, named(config, "constraint"))
