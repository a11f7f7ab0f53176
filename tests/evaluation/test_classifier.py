"""The classifier of a data set: good enough to judge by, and the same again."""

import json

import pytest
import torch

from ecot.artefacts.classifier import load
from ecot.data.arrays import load as load_images
from ecot.errors import EcotError
from ecot.evaluation.classifier import accuracy, on_device
from ecot.evaluation.job import train_classifier
from ecot.files import sha256

CPU = torch.device("cpu")


@pytest.fixture
def classifier(datasets, classifiers):
    """The classifier of the MNIST sample."""
    return load(classifiers["mnist_sample"], sha256(datasets / "mnist_sample.npz"), CPU)


def test_it_knows_digits_and_says_how_well(datasets, classifiers, classifier):
    stamp = json.loads(classifiers["mnist_sample"].with_suffix(".json").read_text())
    assert stamp["accuracy"] > 0.93
    assert (stamp["n_train"], stamp["n_test"]) == (4000, 1000)
    assert stamp["dataset_sha256"] == sha256(datasets / "mnist_sample.npz")
    images, labels = on_device(load_images(datasets / "mnist_sample.npz", "test"), CPU)
    assert accuracy(classifier, images, labels) == stamp["accuracy"]
    assert accuracy(classifier, images.float() / 255, labels) == stamp["accuracy"]
    # More than chance, on digits in front of photographs.
    assert json.loads(classifiers["street_digits_sample"].with_suffix(".json").read_text())["accuracy"] > 0.6


def test_its_features_have_one_scale(datasets, classifier):
    images = torch.from_numpy(load_images(datasets / "mnist_sample.npz", "train").images).float() / 255
    features = classifier.features(images)
    assert features.shape == (4000, 64)
    assert features.std(0).min() > 0.3  # none is dead
    assert features.std(0).max() < 1


def test_training_again_gives_the_same_files(datasets, classifiers, tmp_path):
    torch.rand(7)  # whatever torch's own generator has given before
    path = classifiers["mnist_sample"]
    copy = tmp_path / path.relative_to(path.parents[2])
    train_classifier("mnist_sample", datasets / "mnist_sample.npz", "cpu", copy)
    for suffix in (".safetensors", ".json"):
        first, again = path.with_suffix(suffix), copy.with_suffix(suffix)
        assert first.read_bytes() == again.read_bytes()


def test_it_is_trained_on_the_data_set_that_is_named(datasets, tmp_path):
    out = tmp_path / "out.safetensors"
    with pytest.raises(EcotError, match="holds street_digits_sample version 2, not mnist_sample version 1"):
        train_classifier("mnist_sample", datasets / "street_digits_sample.npz", "cpu", out)
    with pytest.raises(EcotError, match=r"none\.npz is missing"):
        train_classifier("mnist_sample", tmp_path / "none.npz", "cpu", out)
    assert not list(tmp_path.iterdir())
