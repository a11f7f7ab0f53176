"""A run to report on, without training."""

import pandas as pd
import pytest
from PIL import Image

from ecot.cells import grid, results_folder
from ecot.config import merge, validate


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
                "n_test": 64, "mse_input": 0.1 / (cell.rate_bits or 1) + 0.01 * (not common) + 0.002 * cell.seed,
                "mse_target": 0.2 / (cell.rate_bits or 1), "distribution_weight": 0.001,
            }  # fmt: skip
            if cell.mode in ("joint", "separate"):
                row |= {"mse_x_y1": 0.01, "mse_y_y2": 0.02 + 0.01 * (cell.mode == "joint"), "mse_y1_y2": 0.001}
                row["loss_decomposed"] = row["mse_x_y1"] + row["mse_y_y2"] + row["mse_y1_y2"]
            if cell.mode == "baseline":
                row["mse_input"] += 0.02 if common else -0.005
            pd.DataFrame([row]).to_csv(folder / "metrics.csv", index=False)
            side, mode = (28, "L") if cell.task == "super_resolution" else (32, "RGB")
            Image.new(mode, (side * 4, side * 3), 128 if mode == "L" else (128, 0, 0)).save(folder / "samples.png")
        return config

    return make
