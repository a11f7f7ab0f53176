"""Tables and figures from metrics: means, spreads, the paper's numbers, what is missing."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ecot import paper
from ecot.cells import grid, results_folder
from ecot.config import merge, validate
from ecot.errors import EcotError
from ecot.reporting import figures, metrics, tables


@pytest.fixture
def run(tiny, tmp_path, monkeypatch):
    """A measured run of two seeds, made of numbers that follow from the cell, in the working directory."""
    monkeypatch.chdir(tmp_path)

    def make(change=None, without=()):
        config = validate(merge(merge(tiny, {"seeds": [0, 1]}), change or {}))
        for cell in grid(config):
            if cell in without or (cell.task, cell.rate_bits, cell.randomness, cell.seed) in without:
                continue
            folder = results_folder(config) / cell.folder
            folder.mkdir(parents=True)
            common = cell.randomness == "common"
            row = {
                "task": cell.task, "mode": cell.mode, "randomness": cell.randomness, "rate_bits": cell.rate_bits,
                "latent_dim": 2, "levels": 4, "seed": cell.seed, "dataset": config.tasks[cell.task].dataset,
                "n_test": 64, "mse_input": 0.1 / cell.rate_bits + 0.01 * (not common) + 0.002 * cell.seed,
                "mse_target": 0.2 / cell.rate_bits, "distribution_weight": 0.001,
            }  # fmt: skip
            pd.DataFrame([row]).to_csv(folder / "metrics.csv", index=False)
            side, mode = (28, "L") if cell.task == "super_resolution" else (32, "RGB")
            Image.new(mode, (side * 4, side * 3), 128 if mode == "L" else (128, 0, 0)).save(folder / "samples.png")
        return config

    return make


def test_a_table_is_mean_and_spread_over_seeds(run):
    config = run()
    tables.write(5, config)
    rows = pd.read_csv("results/tiny/tables/table_05.csv")
    assert list(rows.columns) == [
        "task", "rate_bits", "randomness", "mode", "quantity", "value", "std", "n_seeds", "paper", "dataset"
    ]  # fmt: skip
    common = rows[(rows.randomness == "common") & (rows.rate_bits == 4)].iloc[0]
    assert common["value"] == pytest.approx(0.026)
    assert common["std"] == pytest.approx(0.001 * np.sqrt(2))
    assert common["n_seeds"] == 2
    text = Path("results/tiny/tables/table_05.md").read_text()
    assert "| Rate (bits)   | 4 " in text
    assert "0.0260 ± 0.0014" in text
    assert "MNIST sample" in text
    assert "INCOMPLETE" not in text
    assert r"\begin{tabular}" in Path("results/tiny/tables/table_05.tex").read_text()


def test_one_seed_has_no_spread(run):
    config = run({"seeds": [0]})
    tables.write(6, config)
    rows = pd.read_csv("results/tiny/tables/table_06.csv")
    assert rows["std"].isna().all()
    assert "±" not in Path("results/tiny/tables/table_06.md").read_text()


@pytest.mark.parametrize(("dataset", "beside"), [("mnist", True), ("mnist_sample", False)])
def test_the_papers_numbers_stand_beside_its_data_set_only(run, dataset, beside):
    config = run({"tasks": {"super_resolution": {"dataset": dataset}}})
    tables.write(5, config)
    rows = pd.read_csv("results/tiny/tables/table_05.csv").set_index(["randomness", "rate_bits"])
    text = Path("results/tiny/tables/table_05.md").read_text()
    assert ("MSE (paper)" in text) == beside
    if beside:
        assert rows.loc[("common", 8), "paper"] == 0.0420
        assert rows.loc[("independent", 4), "paper"] == 0.0558
    else:
        assert rows["paper"].isna().all()


def test_missing_cells_are_named_and_the_other_task_is_whole(run):
    config = run(without={("super_resolution", 8, "common", 1)})
    for number in (5, 6):
        tables.write(number, config)
    text = Path("results/tiny/tables/table_05.md").read_text()
    assert "INCOMPLETE, 1 cell missing: super-resolution, end to end, common randomness, 8 bits, seed 1." in text
    rows = pd.read_csv("results/tiny/tables/table_05.csv").set_index(["randomness", "rate_bits"])
    assert rows["n_seeds"].to_dict()[("common", 8)] == 1
    assert "INCOMPLETE" not in Path("results/tiny/tables/table_06.md").read_text()


def test_nothing_to_show_is_an_error(run, tiny):
    with pytest.raises(EcotError, match="Table 5: no cell of it is measured in results/tiny"):
        tables.write(5, validate(tiny))
    with pytest.raises(EcotError, match="no Table 99; there are 1, 2, 5"):
        tables.write(99, validate(tiny))
    with pytest.raises(EcotError, match="Figure 5: no cell of it is measured"):
        figures.write(5, validate(tiny))


def test_all_cells_in_one_table(run):
    config = run()
    metrics.collect(config)
    assert len(pd.read_csv("results/tiny/metrics.csv")) == len(list(grid(config)))


def test_figure_5_is_drawn_the_same_twice(run):
    config = run()
    contents = []
    for _ in range(2):
        figures.write(5, config)
        contents.append(Path("results/tiny/figures/figure_05.svg").read_bytes())
    assert contents[0] == contents[1]
    with Image.open("results/tiny/figures/figure_05.png") as picture:
        assert min(picture.size) > 800
    assert len(list(Path("results/tiny/figures").iterdir())) == 2


def test_published_numbers_are_complete():
    numbers = paper.published()
    counts = numbers.groupby("table").size().to_dict()
    assert counts == {1: 16, 2: 32, 5: 30, 6: 36, 7: 60, 8: 72, 9: 16, 10: 18, 11: 40}
    assert numbers["value"].between(0, 0.1).all()
    assert set(numbers.randomness) == {"common", "independent"}
    # Tables 5 and 7, 6 and 8 print the same system; they differ in one misprint of Table 7.
    wide = numbers[numbers["mode"] == "end_to_end"].pivot_table(
        index=["task", "rate_bits", "randomness"], columns="table", values="value"
    )
    assert (wide[6] - wide[8]).abs().max() < 1e-4
    assert ((wide[5] - wide[7]).abs() > 1e-4).sum() == 1
