"""Each measure against a closed form, and against torchmetrics where it has the same distance."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

from ecot.artefacts import classifier as classifiers_file
from ecot.data.arrays import load
from ecot.evaluation.measures import kernel_distance as kernel_module
from ecot.evaluation.measures.classifier_accuracy import classifier_accuracy
from ecot.evaluation.measures.critic_w1 import critic_w1
from ecot.evaluation.measures.frechet_distance import frechet_distance
from ecot.evaluation.measures.gelbrich import gelbrich
from ecot.evaluation.measures.kernel_distance import kernel_distance
from ecot.evaluation.measures.sliced_w2 import sliced_w2
from ecot.files import sha256


class Values(nn.Module):
    """The values of an image themselves as its features."""

    num_features = 6

    def forward(self, images):
        return images.flatten(1)


def context(classifier=None, steps=100, seed=0):
    found = classifier or SimpleNamespace(features=Values())
    return SimpleNamespace(classifier=found, labels=None, seed=seed, critic_steps=steps)


@pytest.fixture(scope="module")
def digits(datasets):
    """300 clean digits and 250 worse ones, in [0, 1]."""
    images = torch.from_numpy(load(datasets / "mnist_sample.npz", "test", 550).images).float() / 255
    noise = torch.randn(250, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    return images[:300], (images[300:] + 0.3 * noise).clamp(0, 1)


@pytest.fixture(scope="module")
def classifier(datasets, classifiers):
    dataset = sha256(datasets / "mnist_sample.npz")
    return classifiers_file.load(classifiers["mnist_sample"], dataset, torch.device("cpu"))


def gaussian(n, seed, mean=0.0, scale=1.0):
    """Images (n, 1, 2, 3) of independent values, each of standard deviation `scale` times 1, ..., 6."""
    values = torch.randn(n, 1, 2, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return (mean + scale * values * torch.arange(1.0, 7.0).view(1, 1, 2, 3)).float()


def test_gelbrich_and_frechet_distances_of_gaussian_laws():
    """||m||^2 + sum (s_i - t_i)^2 where the covariances are diagonal."""
    a, b = gaussian(200_000, 1), gaussian(200_000, 2, mean=0.5, scale=1.5)
    expected = 6 * 0.5**2 + sum((0.5 * i) ** 2 for i in range(1, 7))
    assert gelbrich(a, b, context()) == pytest.approx(expected / 6, rel=0.02)
    assert frechet_distance(a, b, context()) == pytest.approx(expected, rel=0.02)


def test_the_frechet_distance_is_torchmetrics(digits, classifier):
    clean, outputs = digits
    oracle = FrechetInceptionDistance(classifier.features, normalize=True, input_img_size=(1, 28, 28))
    oracle.update(clean, real=True)
    oracle.update(outputs, real=False)
    found = frechet_distance(outputs, clean, context(classifier))
    assert found == pytest.approx(float(oracle.compute()), rel=1e-5)
    assert found > 1  # the two sets do differ


def test_the_kernel_distance_is_torchmetrics(digits, classifier):
    """On all images at once: the random subsets of torchmetrics are others."""
    clean, outputs = digits[0][:250], digits[1]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Metric `Kernel Inception Distance` will save all extracted features")
        oracle = KernelInceptionDistance(classifier.features, subsets=1, subset_size=250, normalize=True)
    oracle.update(clean, real=True)
    oracle.update(outputs, real=False)
    found = kernel_distance(outputs, clean, context(classifier))
    assert found == pytest.approx(float(oracle.compute()[0]), rel=1e-3)
    assert found > 0.1


def test_the_kernel_distance_is_the_mean_over_pairs():
    a, b = gaussian(40, 1) / 6, gaussian(40, 2, mean=0.5) / 6
    x, y = a.flatten(1).double().numpy(), b.flatten(1).double().numpy()

    def kernel(s, t):
        return (s @ t.T / 6 + 1) ** 3

    off = ~np.eye(40, dtype=bool)
    expected = kernel(x, x)[off].mean() + kernel(y, y)[off].mean() - 2 * kernel(x, y).mean()
    assert kernel_distance(a, b, context()) == pytest.approx(expected, rel=1e-6)


def test_the_kernel_distance_of_large_sets_is_a_mean_over_random_subsets(digits, classifier, monkeypatch):
    clean, outputs = digits
    monkeypatch.setattr(kernel_module, "SUBSET", 100)
    one, again, other = (kernel_distance(outputs, clean, context(classifier, seed=seed)) for seed in (0, 0, 1))
    assert one == again != other
    monkeypatch.setattr(kernel_module, "SUBSET", 1000)  # sets of different size: subsets of the smaller one's size
    assert kernel_distance(outputs, clean, context(classifier)) == pytest.approx(one, rel=0.1)


def test_the_sliced_distance_of_a_shift_is_its_square_per_pixel():
    images = gaussian(500, 1)
    assert sliced_w2(images, images + 0.3, context()) == pytest.approx(0.09, rel=0.1)
    # To one pixel only: ||v||^2 / d.
    moved = images.clone()
    moved[:, 0, 1, 2] += 0.6
    assert sliced_w2(images, moved, context()) == pytest.approx(0.36 / 6, rel=0.15)


def test_the_critic_finds_the_length_of_a_shift():
    """W1 of a law and the law moved by v is ||v||: here 12 * 0.2."""
    generator = torch.Generator().manual_seed(0)
    images = 0.3 * torch.rand(400, 1, 12, 12, generator=generator)
    assert critic_w1(images + 0.2, images, context()) == pytest.approx(12 * 0.2, rel=0.1)
    assert critic_w1(images[0::2], images[1::2], context()) == pytest.approx(0, abs=0.1)


def test_the_accuracy_is_the_share_of_labels_that_are_given():
    """Images of one bright pixel, whose place is the digit that the classifier gives."""
    images = torch.eye(10).view(10, 1, 2, 5)
    made = context(lambda part: part.flatten(1))
    made.labels = torch.tensor([0, 1, 2, 3, 4, 5, 6, 0, 0, 0])
    assert classifier_accuracy(images, None, made) == pytest.approx(0.7)
