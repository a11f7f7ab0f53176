"""Bounds on the image tasks: of the very images that cells are measured on."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecot.config import merge, validate
from ecot.errors import EcotError
from ecot.evaluation.degraded import batches
from ecot.products import image_bounds
from ecot.products.base import make, named
from ecot.theory import images

TASK = "super_resolution"


@pytest.fixture
def prepared(datasets, tmp_path, monkeypatch):
    """The working directory, with the embedded data sets prepared."""
    monkeypatch.chdir(tmp_path)
    Path("results").mkdir()
    Path("results/datasets").symlink_to(datasets)


@pytest.mark.usefixtures("prepared")
def test_table(tiny):
    found = image_bounds.compute(validate(tiny), TASK)
    assert list(found.columns) == ["task", "dataset", "n_test", "bound", "kind", "rate_bits", "distortion"]
    assert set(found.dataset) == {"mnist_sample"}
    assert set(found.n_test) == {64}
    values = found.set_index("bound").distortion
    assert values["gelbrich_floor"] < values["paired_upper_bound_on_transport"] < values["rate_zero"]
    rates = set(found[found.bound == "gaussian_d_cr"].rate_bits)
    assert {0, 4, 8} <= rates  # both ends and the rates of the grid
    assert found[found.kind == "estimate"].rate_bits.max() <= 4


@pytest.mark.usefixtures("prepared")
@pytest.mark.parametrize("task", [TASK, "denoising"])
def test_the_images_are_those_of_the_measurement(tiny, datasets, task):
    """The distance of the true pairs is that of the images that are measured in batches, noise included."""
    from ecot.data.arrays import load

    config = validate(merge(tiny, {"tasks": {task: {"n_test": 300}}, "evaluation": {"seed": 3}}))
    settings = config.tasks[task]
    clean = load(datasets / f"{settings.dataset}.npz", "test", 300).images
    measured = list(batches(clean, settings.degradation, 3, size=100))
    errors = [((batch.x - batch.y) ** 2).mean() for batch in measured]
    found = image_bounds.compute(config, task, [1.0]).set_index("bound").distortion
    assert found["paired_upper_bound_on_transport"] == pytest.approx(np.mean(errors), rel=1e-6)


@pytest.mark.usefixtures("prepared")
def test_the_product_writes_what_is_computed(tiny):
    config = validate(tiny)
    product = named(config, "bounds_images_denoising")
    make(config, product)
    (path,) = product.files(config)
    computed = image_bounds.compute(config, "denoising")
    assert pd.read_csv(path).dataset.unique().tolist() == computed.dataset.unique().tolist()
    computed = computed.drop(columns=["task", "dataset"]).set_index("bound")
    pd.testing.assert_frame_equal(image_bounds.read(config, "denoising"), computed, check_dtype=False)
    assert [str(path) for path in product.reads(config)] == [
        "results/datasets/street_digits_sample.npz",
        "results/datasets/street_digits_sample.json",
    ]


def test_it_depends_on_the_test_set_and_the_rates_alone(tiny):
    """Another schedule, lambda or number of training images changes nothing of the declaration."""

    def declared(change):
        return repr(named(validate(merge(tiny, change)), f"bounds_images_{TASK}"))

    end_to_end = {"epochs": 7, "distribution_weight": 0.5}
    assert declared({}) == declared({"tasks": {TASK: {"n_train": 99, "modes": {"end_to_end": end_to_end}}}})
    for change in (
        {"tasks": {TASK: {"n_test": 99}}},
        {"tasks": {TASK: {"degradation": {"factor": 2}}}},
        {"tasks": {TASK: {"modes": {"end_to_end": {"rates": [4]}}}}},
        {"evaluation": {"seed": 1}},
    ):
        assert declared({}) != declared(change)


@pytest.mark.usefixtures("prepared")
def test_a_wrong_rate_or_task_and_other_data_are_refused(tiny):
    config = validate(tiny)
    with pytest.raises(ValueError, match=r"^rate: must not be negative"):
        image_bounds.compute(config, TASK, [-1.0])
    with pytest.raises(EcotError, match="no task 'deblurring'"):
        image_bounds.compute(config, "deblurring")
    Path("results/datasets").unlink()
    with pytest.raises(EcotError, match="is missing"):
        image_bounds.compute(config, TASK)


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
