"""Distances to p_Y against closed forms, and on digits that are worse and worse."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate

from ecot.cells import MeasurementSettings
from ecot.data.datasets import load
from ecot.data.readers import Split
from ecot.errors import EcotError
from ecot.evaluation import constraint
from ecot.nn.classifier import Features

CPU = torch.device("cpu")
HOW = MeasurementSettings(n_test=None, seed=0, n_samples=1, critic_steps=30)
DISTANCES = ["gelbrich", "sliced_w2", "frechet_distance", "kernel_distance", "critic_w1"]


@pytest.fixture(scope="module")
def reference(datasets, classifiers):
    return constraint.reference(load(datasets / "mnist_sample.npz", "test"), classifiers["mnist_sample"], HOW, CPU)


@pytest.fixture(scope="module")
def zero(datasets, reference):
    return reference.levels(load(datasets / "mnist_sample.npz", "train"))["test"]


def clean(datasets):
    return torch.from_numpy(load(datasets / "mnist_sample.npz", "test").images).float() / 255


def blurred(images, factor):
    return interpolate(avg_pool2d(images, factor), scale_factor=factor, mode="bilinear")


def gaussian(n, seed, mean=0.0, scale=1.0):
    """Images (n, 1, 2, 3) of independent values, each of standard deviation `scale` times 1, ..., 6."""
    values = torch.randn(n, 1, 2, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (mean + scale * values * torch.arange(1.0, 7.0).view(1, 1, 2, 3)).float()


class Identity(Features):
    """The values themselves as features."""

    num_features = 6

    def forward(self, images):
        return images.flatten(1)


def test_gelbrich_and_frechet_distances_of_gaussian_laws():
    """||m||^2 + sum (s_i - t_i)^2 where the covariances are diagonal."""
    a, b = gaussian(200_000, 1), gaussian(200_000, 2, mean=0.5, scale=1.5)
    expected = 6 * 0.5**2 + sum((0.5 * i) ** 2 for i in range(1, 7))
    assert constraint.gelbrich(a, b) == pytest.approx(expected / 6, rel=0.02)
    assert constraint.frechet_distance(a, b, Identity()) == pytest.approx(expected, rel=0.02)


def test_the_sliced_distance_of_a_shift_is_its_square_per_pixel():
    images = gaussian(500, 1)
    assert constraint.sliced_w2(images, images + 0.3, seed=0) == pytest.approx(0.09, rel=0.1)
    # To one pixel only: ||v||^2 / d.
    moved = images.clone()
    moved[:, 0, 1, 2] += 0.6
    assert constraint.sliced_w2(images, moved, seed=0) == pytest.approx(0.36 / 6, rel=0.15)


def test_the_kernel_distance_is_the_mean_over_pairs():
    a, b = gaussian(40, 1) / 6, gaussian(40, 2, mean=0.5) / 6
    x, y = a.flatten(1).double().numpy(), b.flatten(1).double().numpy()

    def kernel(s, t):
        return (s @ t.T / 6 + 1) ** 3

    off = ~np.eye(40, dtype=bool)
    expected = kernel(x, x)[off].mean() + kernel(y, y)[off].mean() - 2 * kernel(x, y).mean()
    assert constraint.kernel_distance(a, b, Identity(), seed=0) == pytest.approx(expected, rel=1e-4)


def test_the_critic_finds_the_length_of_a_shift():
    """W1 of a law and the law moved by v is ||v||: here 28 * 0.2."""
    generator = torch.Generator().manual_seed(0)
    images = 0.3 * torch.rand(400, 1, 28, 28, generator=generator)
    found = constraint.critic_w1(images + 0.2, images, seed=0, steps=150)
    assert found == pytest.approx(28 * 0.2, rel=0.1)
    assert constraint.critic_w1(images[0::2], images[1::2], seed=0, steps=150) == pytest.approx(0, abs=0.1)


def test_fresh_digits_of_the_same_law_score_the_zero_level(datasets, classifiers):
    """A quarter of the training digits for another quarter: as outputs that meet the constraint."""
    split = load(datasets / "mnist_sample.npz", "train")
    order = np.random.default_rng(0).permutation(4000)
    parts = [Split(split.images[rows], split.labels[rows]) for rows in (order[:1000], order[1000:2000])]
    judge = constraint.reference(parts[0], classifiers["mnist_sample"], HOW, CPU)
    zero, found = judge.levels(parts[1]).values()
    assert found["gelbrich"] == pytest.approx(zero["gelbrich"], rel=0.05)
    assert found["sliced_w2"] == pytest.approx(zero["sliced_w2"], rel=0.5)
    assert found["frechet_distance"] == pytest.approx(zero["frechet_distance"], rel=0.3)
    for level in (zero, found):
        assert level["kernel_distance"] == pytest.approx(0, abs=0.05)
        assert level["critic_w1"] == pytest.approx(0, abs=0.3)
        assert level["classifier_accuracy"] > 0.97


def test_parts_of_different_law_are_told_apart(datasets, classifiers):
    """Street digits have other backgrounds in their test set, and the level of training images says so."""
    name = "street_digits_sample"
    judge = constraint.reference(load(datasets / f"{name}.npz", "test"), classifiers[name], HOW, CPU)
    levels = judge.levels(load(datasets / f"{name}.npz", "train"))
    assert all(levels["training"][name] > 1.2 * levels["test"][name] for name in DISTANCES)


def test_every_measure_tells_worse_from_better(datasets, reference, zero):
    two, four = (reference.measure(blurred(clean(datasets), factor)) for factor in (2, 4))
    for name in DISTANCES:
        assert zero[name] < two[name] < four[name], name
    assert zero["classifier_accuracy"] > two["classifier_accuracy"] > four["classifier_accuracy"]


def test_which_output_belongs_to_which_image_plays_no_part(reference):
    """Within a half, outputs may change places; the pairs matter to the accuracy alone."""
    outputs, places = blurred(reference.clean, 2), torch.empty_like(reference.order)
    places[reference.order] = torch.arange(1000)  # from the reference's order to the test set's
    moved = torch.arange(1000).view(-1, 2).flip(0).flatten()
    one, other = reference.measure(outputs[places]), reference.measure(outputs[moved][places])
    assert one["classifier_accuracy"] > 0.8
    for name in ("gelbrich", "sliced_w2", "frechet_distance"):
        assert other[name] == pytest.approx(one[name], rel=1e-3)
    assert other["critic_w1"] == pytest.approx(one["critic_w1"], rel=0.3)
    assert other["classifier_accuracy"] < 0.3


def test_outputs_that_copy_their_image_gain_nothing(datasets, reference, zero):
    """The halves are crossed: the clean images themselves score the zero level and not 0."""
    copied = reference.measure(clean(datasets))
    for name in ("gelbrich", "sliced_w2", "frechet_distance"):
        assert copied[name] == pytest.approx(zero[name], rel=1e-3)


def test_the_crossed_gelbrich_distance_bounds_that_of_the_whole(datasets, reference):
    outputs = blurred(clean(datasets), 4)
    assert reference.measure(outputs)["gelbrich"] >= constraint.gelbrich(outputs, clean(datasets))


def test_measuring_again_gives_the_same(reference):
    first = reference.measure(blurred(reference.clean, 2))
    torch.rand(5)
    assert reference.measure(blurred(reference.clean, 2)) == first


def test_levels_as_a_file(datasets, classifiers, zero, tmp_path):
    out, name = tmp_path / "levels.csv", "mnist_sample"
    constraint.write_levels("super_resolution", 500, datasets / f"{name}.npz", classifiers[name], HOW, "cpu", out)
    test, training = pd.read_csv(out).to_dict("records")
    assert test == pytest.approx({"task": "super_resolution", "images": "test", "n_test": 1000, **zero})
    assert training["images"] == "training"
    assert training["classifier_accuracy"] > 0.97


def test_too_few_images_and_another_classifier_are_refused(datasets, classifiers):
    few = load(datasets / "mnist_sample.npz", "test", 3)
    with pytest.raises(EcotError, match="n_test: 3 test images are too few to compare their laws; at least 4"):
        constraint.reference(few, classifiers["mnist_sample"], HOW, CPU)
    colour = load(datasets / "street_digits_sample.npz", "test", 4)
    with pytest.raises(EcotError, match=r"takes images of shape \(1, 28, 28\), not \(3, 32, 32\); name the one"):
        constraint.reference(colour, classifiers["mnist_sample"], HOW, CPU)


def test_measuring_imports_no_compiler_and_no_plots():
    """Each costs a second in every job."""
    code = "import sys, ecot.evaluation.cell; print([m for m in ('torch._dynamo', 'matplotlib') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
