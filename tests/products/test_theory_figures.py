"""Figures 3, 6, 7 and 8: drawn from their numbers, the same twice, and readable without colour."""

from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ecot.config import load, validate
from ecot.products import theory_figures
from ecot.products.base import make, named


@pytest.fixture(scope="module")
def drawn(repository):
    """Each figure with the numbers that it is drawn from: those of its curves, and those of its points."""
    config, made = load(repository / "config.yaml"), {}
    for number in theory_figures.DRAWINGS:
        product = named(config, f"figure_{number:02d}")
        numbers = product.curves(), product.points()
        made[product.number] = *numbers, theory_figures.DRAWINGS[product.number](*numbers)
    yield made
    plt.close("all")


def test_files(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = validate(tiny)
    product = named(config, "figure_08")
    contents = []
    for _ in range(2):
        make(config, product)
        contents.append(Path("results/tiny/figures/figure_08.svg").read_bytes())
    assert contents[0] == contents[1]
    with Image.open("results/tiny/figures/figure_08.png") as picture:
        assert min(picture.size) > 500
    curves, points = (pd.read_csv(f"results/tiny/bounds/figure_08{name}.csv") for name in ("", "_points"))
    assert set(curves.panel) == {"a", "b"}
    assert set(points.panel) == {"8a", "8b"}
    assert {str(path) for path in product.files(config)} == {
        str(path) for path in Path("results").rglob("*.*") if ".made" not in path.parts
    }
    np.testing.assert_allclose(points.excess, points.distortion - points.bound)
    assert (points.excess > 0).all()


@pytest.mark.parametrize(("number", "panels", "curves"), [(3, 3, 4), (7, 2, 3), (8, 2, 4)])
def test_every_curve_is_drawn_and_differs_from_the_others_in_grey(drawn, number, panels, curves):
    table, _, figure = drawn[number]
    assert len(figure.axes) == panels
    lines = [line for line in figure.axes[0].lines if len(line.get_xdata()) > 100]
    assert len(lines) == curves
    assert sum(
        len(line.get_xdata()) for panel in figure.axes for line in panel.lines if len(line.get_xdata()) > 100
    ) == (len(table))
    for one, other in combinations(lines, 2):
        looks = [(line.get_linestyle(), line.get_marker(), line.get_linewidth()) for line in (one, other)]
        assert looks[0] != looks[1]


def test_figure_6_shows_every_mass(drawn):
    table, _, figure = drawn[6]
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert {f"{mass:.3f}" for mass in table.mass if mass > 0} <= texts


@pytest.mark.parametrize("number", [7, 8])
def test_simulated_points_say_by_how_much_they_miss_their_bound(drawn, number):
    _, points, figure = drawn[number]
    text = " ".join(figure.axes[0].get_legend_handles_labels()[1])
    of_panel = points[points.panel == points.panel.iloc[0]]
    for _, group in of_panel.groupby("randomness"):
        assert f"{group.excess.min():.2g} to {group.excess.max():.2g} above its bound" in text
