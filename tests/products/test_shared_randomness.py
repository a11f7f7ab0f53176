"""Distortion against shared bits: which cells belong to it, where they stand, and the sources beside them."""

import math

import pandas as pd
import pytest

from ecot.config import merge, validate
from ecot.grid.plan import grid
from ecot.products import base

SPLIT = {"rates": [4, 8], "randomness": ["independent", "limited-1", "limited-3", "common"], "limited_rates": [8]}
CHANGE = {"tasks": {"super_resolution": {"modes": {"end_to_end": SPLIT}}}}
DISTORTION = {"independent": 0.4, "limited-1": 0.3, "limited-3": 0.2, "common": 0.1}


def numbers(cell):
    rates = {"cross_entropy_bits": 0.9 * cell.rate_bits, "file_bits": cell.rate_bits}
    return {"mse_input": DISTORTION[cell.randomness], "mse_target": 0.1, **rates}


def test_systems_at_the_rates_of_limited_randomness(run):
    config = run(CHANGE, numbers=numbers)
    product = base.named(config, "shared_randomness")
    assert {cell.rate_bits for cell in product.cells(config)} == {8}
    assert {cell.task for cell in product.cells(config)} == {"super_resolution"}
    base.make(config, product)
    assert all(path.is_file() and path.stat().st_size for path in product.files(config))
    rows = pd.read_csv("results/tiny/tables/shared_randomness.csv")
    rows = rows[rows.panel == "super_resolution"]
    assert rows.shared_bits.tolist() == [0, 1, 3, math.inf]
    assert rows.distortion.tolist() == pytest.approx([0.4, 0.3, 0.2, 0.1])
    assert rows.n_seeds.tolist() == [2, 2, 2, 2]


def test_every_other_product_is_made_with_such_cells(run, quick_theory):
    """limited-k is drawn and tabled where it is asked for, and stands in the way of nothing."""
    config = run(CHANGE, numbers=numbers)
    for product in base.products(config).values():
        if product.cells(config) and product.in_all:
            base.make(config, product)
    rows = pd.read_csv("results/tiny/metrics.csv")
    assert {"limited-1", "limited-3"} <= set(rows.randomness)


def test_a_grid_without_it_has_no_such_figure(tiny):
    assert "shared_randomness" not in base.products(validate(tiny))


def test_the_grid_has_it_at_the_chosen_rates_alone(tiny):
    cells = [cell for cell in grid(validate(merge(tiny, CHANGE))) if cell.task == "super_resolution"]
    assert sum(cell.randomness == "limited-1" for cell in cells) == 1
    assert sum(cell.randomness == "common" for cell in cells) == 2
