"""How far the law of outputs is from p_Y: the halves, the crossing, and digits that are worse and worse."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import torch
from torch.nn.functional import avg_pool2d, interpolate

from ecot.artefacts import classifier as classifiers_file
from ecot.data.arrays import Split, load
from ecot.errors import EcotError
from ecot.evaluation.job import write_clean_scores
from ecot.evaluation.law import TargetLaw
from ecot.evaluation.measures.gelbrich import gelbrich
from ecot.files import sha256
from ecot.grid import fingerprint
from ecot.grid.cell_settings import MeasurementSettings
from ecot.quantities import MEASURES, Measure, Quantity, measures

CPU = torch.device("cpu")
HOW = MeasurementSettings(n_test=None, seed=0, n_samples=1, critic_steps=20)
DISTANCES = ["gelbrich", "sliced_w2", "frechet_distance", "kernel_distance", "critic_w1"]


@pytest.fixture(scope="module")
def make_law(datasets, classifiers):
    """The law of the first images of a data set's test set, or of images that are given."""

    def make(name="mnist_sample", n_test=None, images=None):
        classifier = classifiers_file.load(classifiers[name], sha256(datasets / f"{name}.npz"), CPU)
        return TargetLaw(images or load(datasets / f"{name}.npz", "test", n_test), classifier, HOW, CPU)

    return make


@pytest.fixture(scope="module")
def law(make_law):
    return make_law()


@pytest.fixture(scope="module")
def clean_scores(datasets, law):
    return law.clean_scores(load(datasets / "mnist_sample.npz", "train"))["test"]


def clean(datasets):
    return torch.from_numpy(load(datasets / "mnist_sample.npz", "test").images).float() / 255


def blurred(images, factor):
    return interpolate(avg_pool2d(images, factor), scale_factor=factor, mode="bilinear")


def test_the_law_is_scored_by_every_measure(law, clean_scores, datasets):
    assert list(law.scores(clean(datasets))) == list(clean_scores) == list(measures())
    assert set(measures()) == {*DISTANCES, "classifier_accuracy"}


def test_fresh_digits_of_the_same_law_score_as_clean_images(datasets, make_law):
    """A quarter of the training digits for another quarter: as outputs that meet the constraint."""
    split = load(datasets / "mnist_sample.npz", "train")
    order = np.random.default_rng(0).permutation(4000)
    parts = [Split(split.images[rows], split.labels[rows]) for rows in (order[:1000], order[1000:2000])]
    test, training = make_law(images=parts[0]).clean_scores(parts[1]).values()
    assert training["gelbrich"] == pytest.approx(test["gelbrich"], rel=0.05)
    assert training["sliced_w2"] == pytest.approx(test["sliced_w2"], rel=0.5)
    assert training["frechet_distance"] == pytest.approx(test["frechet_distance"], rel=0.3)
    for scores in (test, training):
        assert scores["kernel_distance"] == pytest.approx(0, abs=0.05)
        assert scores["critic_w1"] == pytest.approx(0, abs=0.3)
        assert scores["classifier_accuracy"] > 0.97


def test_splits_of_different_law_are_told_apart(datasets, make_law):
    """Street digits have other backgrounds in their test set, and the scores of training images say so."""
    name = "street_digits_sample"
    scores = make_law(name).clean_scores(load(datasets / f"{name}.npz", "train"))
    assert all(scores["training"][name] > 1.2 * scores["test"][name] for name in DISTANCES)


def test_every_measure_tells_worse_from_better(datasets, law, clean_scores):
    two, four = (law.scores(blurred(clean(datasets), factor)) for factor in (2, 4))
    for name, measure in measures().items():
        values = [clean_scores[name], two[name], four[name]]
        assert values == sorted(values, reverse=measure.quantity.better == "higher"), name
        assert len(set(values)) == 3, name


def test_which_output_belongs_to_which_image_plays_no_part(law):
    """Within a half, outputs may change places; the pairs matter to the accuracy alone."""
    outputs, places = blurred(law.clean, 2), torch.empty_like(law.order)
    places[law.order] = torch.arange(1000)  # from the law's order to the test set's
    moved = torch.arange(1000).view(-1, 2).flip(0).flatten()
    one, other = law.scores(outputs[places]), law.scores(outputs[moved][places])
    assert one["classifier_accuracy"] > 0.8
    for name in ("gelbrich", "sliced_w2", "frechet_distance"):
        assert other[name] == pytest.approx(one[name], rel=1e-3)
    assert other["critic_w1"] == pytest.approx(one["critic_w1"], rel=0.3)
    assert other["classifier_accuracy"] < 0.3


def test_outputs_that_copy_their_image_gain_nothing(datasets, law, clean_scores):
    """The halves are crossed: the clean images themselves score as one half against the other, and not 0."""
    copied = law.scores(clean(datasets))
    for name in ("gelbrich", "sliced_w2", "frechet_distance"):
        assert copied[name] == pytest.approx(clean_scores[name], rel=1e-3)


def test_the_crossed_gelbrich_distance_bounds_that_of_the_whole(datasets, law):
    outputs = blurred(clean(datasets), 4)
    assert law.scores(outputs)["gelbrich"] >= gelbrich(outputs, clean(datasets), None)


def test_scoring_again_gives_the_same(make_law):
    law = make_law(n_test=100)
    first = law.scores(blurred(law.clean, 2))
    torch.rand(5)
    assert law.scores(blurred(law.clean, 2)) == first


@dataclass
class Recorder:
    """A measure that writes down what it is given and returns its number of calls."""

    given: list

    def __call__(self, outputs, clean, context):
        self.given.append((outputs, clean, context))
        return float(len(self.given))


def test_a_measure_is_given_what_it_compares(make_law, monkeypatch):
    """Halves are crossed, sets are whole and in one order, and the context has labels, seed and budget."""
    recorders = {kind: Recorder([]) for kind in ("halves", "sets", "outputs")}
    new = {kind: Measure(Quantity(kind, "", "", 1, "", None), recorders[kind], kind) for kind in recorders}
    monkeypatch.setattr(MEASURES, "_items", new)
    law = make_law(n_test=10)
    outputs = torch.arange(10.0).view(10, 1, 1, 1).expand(10, 1, 28, 28)
    assert law.scores(outputs) == {"halves": 1.5, "sets": 1, "outputs": 1}
    ordered = outputs[law.order]
    halves, (whole,), (alone,) = (recorder.given for recorder in recorders.values())
    for (given, against, _), (own, other) in zip(halves, ((0, 1), (1, 0)), strict=True):
        assert torch.equal(given, ordered[own::2])
        assert torch.equal(against, law.clean[other::2])
    assert torch.equal(whole[0], ordered)
    assert torch.equal(whole[1], law.clean)
    assert torch.equal(alone[0], ordered)
    context = whole[2]
    assert (context.seed, context.critic_steps, context.classifier) == (0, 20, law.classifier)
    assert torch.equal(context.labels, torch.from_numpy(law.split.labels)[law.order].long())
    assert not torch.equal(law.order, torch.arange(10))


def test_clean_scores_as_a_file(datasets, classifiers, clean_scores, tmp_path):
    out, name = tmp_path / "scores.csv", "mnist_sample"
    dataset = datasets / f"{name}.npz"
    write_clean_scores("super_resolution", name, 500, dataset, classifiers[name], HOW, "cpu", out)
    test, training = pd.read_csv(out).to_dict("records")
    assert test.pop("fingerprint") == training["fingerprint"] == fingerprint.clean_scores(name, 500, HOW)
    assert test.pop("dataset_sha256") == training["dataset_sha256"] == sha256(dataset)
    assert test.pop("checksum") == training["checksum"]
    about = {"task": "super_resolution", "dataset": name, "images": "test", "n_test": 1000}
    assert test == pytest.approx(about | clean_scores)
    assert training["images"] == "training"
    assert training["classifier_accuracy"] > 0.97


def test_too_few_images_and_another_classifier_are_refused(datasets, make_law):
    with pytest.raises(EcotError, match="n_test: 3 test images are too few to compare their laws; at least 4"):
        make_law(n_test=3)
    colour = load(datasets / "street_digits_sample.npz", "test", 4)
    with pytest.raises(EcotError, match=r"takes images of shape \(1, 28, 28\), not \(3, 32, 32\); name the one"):
        make_law(images=colour)
