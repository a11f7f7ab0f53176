"""Bounds on the image tasks: of the very images that cells are measured on, and their place in Figure 5."""

from dataclasses import asdict
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner

from ecot.cells import bounds_path, grid, measurement_settings, results_folder
from ecot.cli import main
from ecot.config import merge, validate
from ecot.errors import EcotError
from ecot.evaluation.cell import batches
from ecot.reporting import bounds, figures
from ecot.theory import images


@pytest.mark.parametrize(
    ("task", "dataset"), [("super_resolution", "mnist_sample"), ("denoising", "street_digits_sample")]
)
def test_the_images_are_those_of_the_measurement(tiny, settings, datasets, task, dataset):
    import torch

    from ecot.data.datasets import load

    n_test = 600  # more than a batch
    config = validate({**tiny, "tasks": {task: {**tiny["tasks"][task], "n_test": n_test}}})
    path = datasets / f"{dataset}.npz"
    x, y = bounds.pairs(path, config.tasks[task].degradation, measurement_settings(config, task))
    measured = list(batches(load(path, "test", n_test).images, settings(task), 0, torch.device("cpu")))
    np.testing.assert_allclose(x, torch.cat([batch.x for batch in measured]).flatten(1), atol=1e-6)
    np.testing.assert_array_equal(y, torch.cat([batch.y for batch in measured]).flatten(1))


@pytest.fixture(scope="module")
def table(datasets):
    """Makes the bounds on a task of a configuration."""

    def make(config, task="super_resolution", rates=None):
        return bounds.compute(config, task, datasets / f"{config.tasks[task].dataset}.npz", rates)

    return make


def test_table(tiny, table):
    config = validate(tiny)
    found = table(config)
    assert list(found.columns) == ["task", "dataset", "n_test", "bound", "kind", "rate_bits", "distortion"]
    assert set(found.dataset) == {"mnist_sample"}
    assert set(found.n_test) == {64}
    values = found.set_index("bound").distortion
    assert values["gelbrich_floor"] < values["paired_upper_bound_on_transport"] < values["rate_zero"]
    rates = set(found[found.bound == "gaussian_d_cr"].rate_bits)
    assert {0, 4, 8} <= rates  # both ends and the rates of the grid
    assert found[found.kind == "estimate"].rate_bits.max() <= 4


def test_rates_and_task_may_be_wrong(tiny, table):
    with pytest.raises(ValueError, match=r"^rate: must not be negative"):
        table(validate(tiny), rates=[-1.0])
    with pytest.raises(EcotError, match="no task 'deblurring'"):
        bounds.compute(validate(tiny), "deblurring")


def test_few_images_need_no_large_matrix():
    """With n < d the moments are the same as by the roots of the covariances."""
    rng = np.random.default_rng(0)
    X = rng.random((20, 30))
    Y = X + 0.1 * rng.standard_normal(X.shape)
    S_x, S_y = (np.cov(Z.T, bias=True) for Z in (X, Y))
    root_x, root_y = ((v * np.sqrt(np.maximum(e, 0))) @ v.T for e, v in map(np.linalg.eigh, (S_x, S_y)))
    M = images.moments(X, Y)
    np.testing.assert_allclose(M.kappa, np.linalg.svd(root_x @ root_y, compute_uv=False), atol=1e-12)
    assert M.variance == pytest.approx(np.trace(S_x) + np.trace(S_y))


@pytest.mark.parametrize("measured", [0.2, 0.08, 0.02])
def test_figure_5_has_the_bounds_where_they_are_computed(tiny, table, tmp_path, monkeypatch, measured):
    """Near R = 0 its value is a mark; far below, the axis keeps to the measured values and says it in words."""
    monkeypatch.chdir(tmp_path)
    config = validate(tiny)
    monkeypatch.setattr(figures, "_images", lambda *_: None)
    rows = [
        {"task": c.task, "mode": c.mode, "randomness": c.randomness, "rate_bits": c.rate_bits, "seed": c.seed,
         "dataset": config.tasks[c.task].dataset, "mse_input": measured + 0.001 * (c.randomness == "common")}
        for c in grid(config)
    ]  # fmt: skip
    without = figures.figure_5(pd.DataFrame(rows), config)
    bounds.write(table(config), bounds_path(config, "super_resolution"))
    figure = figures.figure_5(pd.DataFrame(rows), config)
    try:
        labels = [panel.get_legend_handles_labels()[1] for panel in (without.axes[0], *figure.axes)]
        assert not any("bound" in label for label in labels[0])
        kinds = {label.split(":")[0] for label in labels[1]}
        assert {"bound", "bounds", "reference", "estimate", "common randomness"} <= kinds
        assert not any("bound" in label for label in labels[3])  # denoising has none
        low, high = figure.axes[0].get_ylim()
        values = pd.read_csv(bounds_path(config, "super_resolution")).set_index("bound").distortion
        start, floor = values["rate_zero"], values["gelbrich_floor"]
        assert low < min(floor, measured) < high
        in_words = any(f"{start:.3f}" in text.get_text() for text in figure.axes[0].texts)
        assert in_words == (measured < 0.05) == (start > high)
    finally:
        plt.close(without)
        plt.close(figure)


def test_what_is_left_is_written_without_bounds_and_without_a_mode(tiny, all_modes, tmp_path, monkeypatch):
    """No bounds were computed and no joint cell was measured: Figure 5 and Table 1 are written all the same."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(figures, "_images", lambda *_: None)
    values = merge(tiny, all_modes)
    Path("all.yaml").write_text(yaml.safe_dump(values))
    config = validate(values)
    for cell in grid(config):
        if cell.mode == "end_to_end":
            folder = results_folder(config) / cell.folder
            folder.mkdir(parents=True)
            row = {**asdict(cell), "dataset": config.tasks[cell.task].dataset, "n_test": 64, "mse_input": 0.1}
            pd.DataFrame([row | {"mse_target": 0.1, "distribution_weight": 0.001}]).to_csv(
                folder / "metrics.csv", index=False
            )
    done = CliRunner().invoke(main, ["incomplete", "--config", "all.yaml"])
    assert done.exit_code == 0, done.output
    assert "INCOMPLETE, 2 cells missing" in Path("results/tiny/tables/table_01.md").read_text()
    assert Path("results/tiny/figures/figure_05.svg").is_file()
    for name in ("tables/paired", "claims", "paper_comparison", "paper_summary"):
        assert "INCOMPLETE, 8 cells missing" in Path(f"results/tiny/{name}.md").read_text()
