"""Distortion against shared bits: which cells belong to it, where they stand, and the sources beside them."""

import math
from pathlib import Path

import pandas as pd
import pytest

from ecot.config import merge, validate
from ecot.grid.plan import grid
from ecot.products import base, shared_randomness
from ecot.theory import curves

SPLIT = {"rates": [4, 8], "randomness": ["independent", "limited-1", "limited-3", "common"], "limited_rates": [8]}
CHANGE = {"tasks": {"super_resolution": {"modes": {"end_to_end": SPLIT}}}}
DISTORTION = {"independent": 0.4, "limited-1": 0.3, "limited-3": 0.2, "common": 0.1}


def numbers(cell):
    rates = {"cross_entropy_bits": 0.9 * cell.rate_bits, "file_bits": cell.rate_bits}
    return {"mse_input": DISTORTION[cell.randomness], "mse_target": 0.1, **rates}


@pytest.fixture
def quick_sources(monkeypatch):
    """Curves of two sources in place of the theory's, which take half a minute."""
    names = {"ternary": ["d_limited", "d_limited_lower", "d_limited_asymptotic", "d_limited_asymptotic_lower"]}
    names |= {"gaussian": ["d_limited", "scheme"], "uniform": ["scheme"]}
    rows = [
        (panel, curve, bits, 0.6, 0.2 + 0.1 / (1 + bits))
        for panel, there in names.items()
        for curve in there
        for bits in (0, 1, 2, math.inf)
    ]
    table = pd.DataFrame(rows, columns=["panel", "curve", "shared_bits", "rate_bits", "distortion"])
    monkeypatch.setattr(curves, "shared_bits", lambda: table, raising=False)


def test_systems_at_the_rates_of_limited_randomness(run, quick_sources):
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


def test_the_sources_stand_beside_the_systems(run, quick_sources):
    config = run(CHANGE, numbers=numbers)
    base.make(config, base.named(config, "shared_randomness"))
    rows = pd.read_csv("results/tiny/tables/shared_randomness.csv")
    assert list(dict.fromkeys(rows.panel)) == ["super_resolution", *shared_randomness.SOURCES]
    text = Path("results/tiny/figures/shared_randomness.svg").read_text()
    for label in (shared_randomness.EXACT["label"], shared_randomness.CURVES["scheme"]["label"], "uniform letters"):
        assert label in text


def test_every_other_product_is_made_with_such_cells(run, quick_theory, quick_sources):
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
