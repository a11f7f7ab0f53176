"""The classifier's file and its stamp."""

import json
import shutil

import pytest
import torch

from ecot.artefacts import DamagedError, classifier, tensors
from ecot.networks.classifier import Classifier

CPU = torch.device("cpu")
WAY_OUT = "`ecot classifier digits` trains it anew"


@pytest.fixture
def saved(tmp_path):
    """A classifier of 8x8 images and its file, which lies as in results/classifiers."""
    torch.manual_seed(0)
    made = Classifier((1, 8, 8))
    path = tmp_path / "digits" / "0123456789abcdef" / "classifier.safetensors"
    classifier.save(path, made, "abc", {"accuracy": 0.5, "n_test": 9})
    return path, made.eval()


def test_a_round_trip(saved):
    path, made = saved
    found = classifier.load(path, "abc", CPU)
    images = torch.rand(5, 1, 8, 8)
    assert torch.equal(found(images), made(images))
    assert found.image_shape == (1, 8, 8)
    assert not found.training
    assert not any(parameter.requires_grad for parameter in found.parameters())
    stamp = json.loads(path.with_suffix(".json").read_text())
    assert stamp == {"dataset_sha256": "abc", "accuracy": 0.5, "n_test": 9}


def test_saving_again_gives_the_same_bytes(saved):
    path, made = saved
    before = [path.read_bytes(), path.with_suffix(".json").read_bytes()]
    classifier.save(path, made, "abc", {"accuracy": 0.5, "n_test": 9})
    assert [path.read_bytes(), path.with_suffix(".json").read_bytes()] == before


def test_a_classifier_of_other_data_is_refused(saved):
    with pytest.raises(DamagedError, match=rf"it was trained on other data\); {WAY_OUT}"):
        classifier.load(saved[0], "abd", CPU)


def test_a_classifier_of_another_data_set_or_of_other_code_is_refused(saved):
    path, _ = saved
    for other in (path.parent.parent.with_name("letters") / path.parent.name, path.parent.with_name("0" * 16)):
        other.mkdir(parents=True)
        shutil.copy(path, other)
        with pytest.raises(
            DamagedError, match=r"its (dataset is digits, not letters|fingerprint is 0123456789abcdef)"
        ):
            classifier.load(other / path.name, "abc", CPU)


def test_a_classifier_with_weights_that_are_not_finite_is_refused(saved):
    path, made = saved
    next(made.parameters()).data[0] = float("nan")
    classifier.save(path, made, "abc", {})
    with pytest.raises(DamagedError, match="its weights are not finite"):
        classifier.load(path, "abc", CPU)


def test_a_missing_or_damaged_file_is_refused(saved):
    path, _ = saved
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(DamagedError, match=rf"classifier\.safetensors is damaged .*; {WAY_OUT}"):
        classifier.load(path, "abc", CPU)
    path.unlink()
    with pytest.raises(DamagedError, match=rf"it is missing\); {WAY_OUT}"):
        classifier.load(path, "abc", CPU)


@pytest.mark.parametrize("shape", ["[1, 9, 9]", "[3, 8, 8]", "[1, 8]", "[]", "8", "{}", None])
def test_tensors_of_another_shape_are_refused(saved, shape):
    path, made = saved
    header = {"dataset_sha256": "abc", "dataset": "digits", "fingerprint": "0123456789abcdef"} | (
        {} if shape is None else {"image_shape": shape}
    )
    tensors.write(path, made.state_dict(), header)
    if shape == "[1, 9, 9]":
        with pytest.raises(DamagedError, match="size mismatch"):
            classifier.load(path, "abc", CPU)
    else:
        with pytest.raises(DamagedError, match=r"classifier\.safetensors is damaged"):
            classifier.load(path, "abc", CPU)
