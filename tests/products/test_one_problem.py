"""Only the same problem is compared with the paper, and no product mixes cells of different settings."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest

from ecot.artefacts import DamagedError
from ecot.config import merge, validate
from ecot.grid.paths import metrics_path
from ecot.grid.plan import grid
from ecot.products import base, captions, metrics

SR, DN = "super_resolution", "denoising"
OTHER = {"degradation": {"factor": 2}, "levels": 2}


@pytest.fixture
def on_mnist(run):
    """A measured run on real MNIST: few images, narrow networks, one epoch, lambda 0."""

    def make(change=None):
        end_to_end = {"epochs": 1, "decays": {1: None}, "distribution_weight": 0.0, "rates": [4, 8]}
        task = {"dataset": "mnist", "n_train": 640, "modes": {"end_to_end": end_to_end}}
        return run({"tasks": {SR: merge(task, change or {}), DN: None}})

    return make


@pytest.mark.parametrize(("change", "beside"), [({}, True), (OTHER, False), ({"levels": 2}, False)])
def test_the_papers_numbers_stand_beside_its_problem_only(on_mnist, change, beside):
    config = on_mnist(change)
    table = base.named(config, "table_05")
    base.make(config, table)
    csv, md, _ = table.files(config)
    assert pd.read_csv(csv).paper.notna().all() == pd.read_csv(csv).paper.notna().any() == beside
    assert ("MSE (paper)" in md.read_text()) == beside
    figure = base.named(config, "figure_05")
    curves = figure.draw(metrics.read(figure.cells(config), config), config).axes[0]
    assert any(label.startswith("paper") for label in curves.get_legend_handles_labels()[1]) == beside
    plt.close("all")


def test_captions_name_the_problem_and_what_differs_in_training(on_mnist):
    config = on_mnist()
    table = metrics.read(grid(config), config).table
    made, beside = captions.describe(config, [SR], table)
    assert "MNIST, 640 training and 64 test images, resampling (factor 4, down bicubic, up bicubic, no clip)" in made
    assert beside == (
        "The paper's problem, trained otherwise: 640 of 60,000 training images; 64 of 10,000 test images; width 0.1"
        " (full: 1); end to end 1 of 50 epochs; end to end learning rate 0.001 (published: 0.0001); end to end lambda"
        " 0 (published: 0.001)."
    )
    config = on_mnist(OTHER)
    made, beside = captions.describe(config, [SR], metrics.read(grid(config), config).table)
    assert "resampling (factor 2, down bicubic, up bicubic, no clip), 2 levels" in made
    assert beside.startswith("Another problem than the paper's, whose numbers do not stand beside these: resampling")


@pytest.mark.parametrize(
    "change",
    [{"width": 0.2}, {"n_train": 64}, {"degradation": {"clip": True}}, {"modes": {"end_to_end": {"epochs": 3}}}],
)
def test_a_cell_of_other_settings_is_in_no_table(run, tiny, change):
    """Each row of metrics carries the fingerprint of the settings that made it."""
    config = run()
    other = validate(merge(merge(tiny, {"seeds": [0, 1]}), {"tasks": {SR: change}}))
    run({"tasks": {SR: change}})
    cell = grid(config)[0]
    metrics_path(config, cell).write_bytes(metrics_path(other, cell).read_bytes())
    with pytest.raises(DamagedError, match="it is another cell's: model is"):
        base.make(config, base.named(config, "table_05"))
