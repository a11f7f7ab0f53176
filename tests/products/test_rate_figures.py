"""Rate-distortion figures: of every task, and Figure 5 of the paper's two."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from ecot.artefacts import DamagedError, samples
from ecot.config import merge, validate
from ecot.errors import EcotError
from ecot.grid.paths import image_bounds_path, samples_path
from ecot.grid.plan import tasks
from ecot.products import drawing, image_bounds, incomplete, metrics
from ecot.products.base import make, named, products
from ecot.theory import images as theory

SR, DN = "super_resolution", "denoising"
FIGURES = Path("results/tiny/figures")


@pytest.fixture
def drawn():
    """Makes the figure of a product; it is closed after the test."""

    def make(config, name):
        product = named(config, name)
        return product.draw(metrics.read(product.cells(config), config), config)

    yield make
    plt.close("all")


def labels(panel):
    return panel.get_legend_handles_labels()[1]


def write_bounds(config, task=SR):
    """Bounds of made-up images whose distortions are of the size of the tiny run's."""
    rng = np.random.default_rng(0)
    y = rng.random((100, 20)) * 0.6
    table = theory.bounds(y + 0.1 * rng.standard_normal(y.shape), y, [0.0, 1.0, 4.0, 8.0])
    image_bounds.write(table, image_bounds_path(config, task), image_bounds.made_for(config, task))
    return table.set_index("bound").distortion


def test_every_task_has_its_figure(tiny, run, drawn):
    """A task that is not the paper's has the same two panels, and is no part of Figure 5."""
    jpeg = {**tiny["tasks"][DN], "degradation": {"kind": "jpeg", "quality": 10}}
    config = run({"tasks": {"jpeg": jpeg}})
    for task, title in zip(
        tasks(config), ("Super-resolution", "Denoising", "Removal of JPEG artefacts"), strict=True
    ):
        product = named(config, f"rate_distortion_figure_{task}")
        make(config, product)
        assert [path.name for path in product.files(config)] == [
            f"rate_distortion_{task}.{e}" for e in ("svg", "png")
        ]
        assert all(path.is_file() for path in product.files(config))
        assert title in drawn(config, product.name).axes[0].get_title()
    assert {cell.task for cell in named(config, "figure_05").cells(config)} == {SR, DN}
    assert len(drawn(config, "figure_05").axes) == 4


def test_figure_5_is_drawn_the_same_twice(run):
    config = run()
    contents = []
    for _ in range(2):
        make(config, named(config, "figure_05"))
        contents.append((FIGURES / "figure_05.svg").read_bytes())
    assert contents[0] == contents[1]


def test_the_curves_are_means_over_seeds_by_mode_and_randomness(run, all_modes, drawn):
    config = run(merge(all_modes, {"tasks": {SR: {"modes": {"baseline": {"rates": [4, 8]}}}}}))
    curves = drawn(config, f"rate_distortion_figure_{SR}").axes[0]
    lines = {bars.get_label(): bars.lines[0].get_xydata().tolist() for bars in curves.containers}
    assert list(lines) == [
        "end to end, common randomness", "end to end, no common randomness", "joint", "separate",
        "baseline, common randomness", "baseline, no common randomness",
    ]  # fmt: skip
    assert lines["end to end, common randomness"] == pytest.approx(np.array([[4, 0.026], [8, 0.0135]]))
    assert lines["baseline, common randomness"] == pytest.approx(np.array([[4, 0.046], [8, 0.0335]]))
    assert [len(line) for line in lines.values()] == [2, 2, 1, 1, 2, 2]
    only = drawn(config, "figure_05").axes[0]
    assert [bars.get_label() for bars in only.containers] == ["common randomness", "no common randomness"]


def test_images_come_from_the_arrays_of_the_named_cells(run, drawn):
    """One row per rate of the first seed with common randomness; other cells' images are not read."""
    config = run()
    product = named(config, f"rate_distortion_figure_{SR}")
    cells = product.samples(config)
    assert [cell.name for cell in cells] == [
        f"{SR}/end_to_end/common/rate-4/seed-0",
        f"{SR}/end_to_end/common/rate-8/seed-0",
    ]
    shade = {"x": 0.25, "y": 0.5}
    for i, cell in enumerate(cells):
        arrays = {name: np.full((3, 1, 28, 28), value, np.float32) for name, value in shade.items()}
        samples.write(
            samples_path(config, cell),
            {**arrays, "output": np.full((3, 1, 28, 28), i, np.float32)},
            metrics.key(config, cell),
        )
    for cell in set(product.cells(config)) - set(cells):
        samples_path(config, cell).unlink()
    panel = drawn(config, product.name).axes[1]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["degraded", "clean", "R = 4", "R = 8"]
    pixels = panel.images[0].get_array()
    assert pixels.shape == (4 * 28, 3 * 28)
    assert [int(pixels[row * 28, 0]) for row in range(4)] == [64, 128, 0, 255]


@pytest.mark.parametrize("content", [b"", b"not a zip file", None])
def test_damaged_images_are_named(run, content):
    config = run()
    product = named(config, "figure_05")
    path = samples_path(config, product.samples(config)[0])
    if content is None:
        arrays = dict.fromkeys(("x", "y"), np.zeros((2, 1, 28, 28), np.float32))
        np.savez(path, **arrays, output=np.zeros((3, 1, 28, 28), np.float32))
    else:
        path.write_bytes(content)
    with pytest.raises(DamagedError, match=r"samples\.npz is damaged .*; `ecot evaluate .*` measures the cell again"):
        make(config, product)


@pytest.mark.parametrize("scale", [2.0, 0.5, 0.05])
def test_bounds_are_drawn_where_they_are_computed(run, drawn, scale):
    """Near R = 0 its value is a mark; far below, the axis keeps to the measured values and says it in words."""
    config = run(numbers=lambda cell: {"mse_input": scale * (0.05 + 0.01 / cell.rate_bits), "mse_target": 0.1})
    assert not any("bound" in label for label in labels(drawn(config, "figure_05").axes[0]))
    values = write_bounds(config)
    figure = drawn(config, "figure_05")
    of_sr, of_denoising = figure.axes[0], figure.axes[2]
    assert {"bound", "bounds"} <= {label.split(":")[0] for label in labels(of_sr)}
    assert "Gaussian vectors, common randomness" in labels(of_sr) or scale == 0.05
    assert not any("bound" in label or "Gaussian" in label for label in labels(of_denoising))
    low, high = of_sr.get_ylim()
    start, floor = values["rate_zero"], values["gelbrich_floor"]
    assert low < floor < high
    in_words = any(f"{start:.3f}" in text.get_text() for text in of_sr.texts)
    assert in_words == (start > high) == (scale < 1)
    assert in_words != any("R = 0" in label for label in labels(of_sr))


def test_the_papers_numbers_stand_beside_its_data_set_only(run, drawn):
    for dataset, beside in (("mnist", True), ("mnist_sample", False)):
        config = run({"tasks": {SR: {"dataset": dataset}}})
        curves = drawn(config, "figure_05").axes[0]
        assert any(label.startswith("paper") for label in labels(curves)) == beside
        assert "lambda 0.01 (published: 0.001)" in curves.get_title()


def test_missing_cells_are_named_and_the_rest_is_drawn(run):
    lost = [f"{SR}/end_to_end/common/rate-{rate}/seed-0" for rate in (4, 8)]
    config = run(without=lost)
    product = named(config, "figure_05")
    product.write(config, incomplete.folder(config))
    text = Path("results/tiny/incomplete/figures/figure_05.svg").read_text()
    assert "INCOMPLETE, 2 cells missing" in text
    assert "No cell that shows images is measured." in text
    assert "1 seed" in text
    assert not FIGURES.exists()


def test_nothing_measured_is_an_error_and_nothing_to_draw_has_no_product(tiny, all_modes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = validate(tiny)
    with pytest.raises(EcotError, match="figure_05: no cell of it is measured in results/tiny"):
        make(config, named(config, "figure_05"))
    config = validate(merge(merge(tiny, all_modes), {"select": {"modes": ["restoration"], "tasks": [SR]}}))
    assert not {"figure_05", f"rate_distortion_figure_{SR}"} & set(products(config))


def test_a_series_that_leaves_the_panel_has_a_sign_at_its_edge():
    figure, ((axes,),) = drawing.panels(1, 1, (4, 3))
    axes.set_ylim(0, 1)
    x, y = [0, 1, 2, 3], [3, 2, 0.5, 0.25]
    drawing.goes_on_above(axes, x, y, "black", joined=True)
    drawing.goes_on_above(axes, x, y, "black", joined=False)
    drawing.goes_on_above(axes, x, [0.1] * 4, "black", joined=True)
    signs = [line.get_xydata().tolist() for line in axes.lines if line.get_marker() == drawing.CARET]
    assert [sign for sign in signs if sign] == [[[pytest.approx(1 + 1 / 1.5), 1]], [[0, 1], [1, 1]]]
    assert set(labels(axes)) == {drawing.GOES_ON}
    plt.close(figure)


def test_the_title_names_the_number_of_images_that_are_used(run, drawn):
    title = drawn(run(), "figure_05").axes[0].get_title()
    assert title.startswith("(a) Super-resolution")
    assert "MNIST sample, 128 training and 64 test images" in title
