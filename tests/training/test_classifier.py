"""The classifier of a data set: good enough to judge by, and the same again."""

import json

import pytest
import torch

from ecot.data.datasets import load as load_images
from ecot.errors import EcotError
from ecot.files import sha256
from ecot.training.classifier import accuracy, load, train


def test_it_knows_digits_and_says_how_well(datasets, classifiers):
    stamp = json.loads(classifiers["mnist_sample"].with_suffix(".json").read_text())
    assert stamp["accuracy"] > 0.93
    assert (stamp["n_train"], stamp["n_test"]) == (4000, 1000)
    assert stamp["dataset_sha256"] == sha256(datasets / "mnist_sample.npz")
    split = load_images(datasets / "mnist_sample.npz", "test")
    classifier = load(classifiers["mnist_sample"], torch.device("cpu"))
    images, labels = torch.from_numpy(split.images), torch.from_numpy(split.labels)
    assert accuracy(classifier, images, labels) == stamp["accuracy"]
    assert accuracy(classifier, images.float() / 255, labels) == stamp["accuracy"]
    # More than chance, on digits in front of photographs.
    assert json.loads(classifiers["street_digits_sample"].with_suffix(".json").read_text())["accuracy"] > 0.6


def test_its_features_have_one_scale(datasets, classifiers):
    images = torch.from_numpy(load_images(datasets / "mnist_sample.npz", "train").images).float() / 255
    features = load(classifiers["mnist_sample"], torch.device("cpu")).features(images)
    assert features.shape == (4000, 64)
    assert features.std(0).min() > 0.3  # none is dead
    assert features.std(0).max() < 1


def test_training_again_gives_the_same_files(datasets, classifiers, tmp_path):
    torch.rand(7)  # whatever torch's own generator has given before
    train(datasets / "mnist_sample.npz", "cpu", tmp_path / "again.safetensors")
    for suffix in (".safetensors", ".json"):
        first, again = classifiers["mnist_sample"].with_suffix(suffix), tmp_path / f"again{suffix}"
        assert first.read_bytes() == again.read_bytes()


def test_a_file_that_is_no_classifier_is_refused(datasets, tmp_path):
    cpu = torch.device("cpu")
    with pytest.raises(EcotError, match=r"classifier .* is missing: run the pipeline, or `ecot classifier"):
        load(tmp_path / "none.safetensors", cpu)
    (tmp_path / "cut.safetensors").write_bytes(b"12")
    with pytest.raises(EcotError, match=r"is damaged or something else .*; delete it and train again"):
        load(tmp_path / "cut.safetensors", cpu)
    with pytest.raises(EcotError, match="is missing"):
        train(tmp_path / "none.npz", "cpu", tmp_path / "out.safetensors")
    assert not (tmp_path / "out.safetensors").exists()
