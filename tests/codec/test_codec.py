"""From images to indices to images: the path of the measurement, whatever is shared, and in any process."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

import ecot
from ecot import systems
from ecot.artefacts import model as models
from ecot.codec.codec import Encoded
from ecot.errors import EcotError
from ecot.evaluation.degraded import batches
from ecot.evaluation.measurement import rates
from ecot.source import PACKAGE

CELLS = [
    {"randomness": "common"},
    {"randomness": "independent"},
    {"randomness": "limited-2"},
    {"randomness": "common", "mode": "baseline"},
    {"randomness": "independent", "task": "denoising"},
]


def measured_path(made, tensors, images):
    """X, indices and outputs as a measurement of seed 0 has them."""
    system = systems.build(made)
    system.load_state_dict(tensors)
    system.eval()
    (batch,) = batches(
        images, made.degradation, 0, 500, dithers=made.dithers, latent_dim=made.latent_dim, levels=made.levels,
        shared_bits=made.shared_bits, convert=torch.from_numpy,
    )  # fmt: skip
    with torch.no_grad():
        outcome = system(batch.x, batch.u)
    return batch.x.numpy(), outcome.code.indices.numpy().astype(np.int32), outcome.output.numpy()


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: "-".join(cell.values()))
def test_a_file_gives_what_the_measurement_has(codec, trained, datasets, cell):
    from ecot.data.arrays import load

    model = codec(**cell)
    images = load(datasets / f"{model.settings.dataset}.npz", "test", 64).images
    x, indices, outputs = measured_path(model.settings, models.read(trained(model.settings)).tensors, images)
    assert np.array_equal(model.degrade(images, seed=0), x)
    encoded = model.encode(x, seed=0)
    assert np.array_equal(encoded.indices, indices)
    for raw in (False, True):
        content = model.to_bytes(encoded, raw=raw)
        assert np.array_equal(model.from_bytes(content).indices, indices)
        assert np.array_equal(model.decode(model.from_bytes(content), seed=0), outputs)
    measured = rates(model.settings, indices, model.frequencies, 0)
    assert measured["file_bits"] == 8 * len(model.to_bytes(encoded)) / len(x)
    assert measured["cross_entropy_bits"] == pytest.approx(model.ideal_bits(encoded))
    assert 0 < measured["cross_entropy_bits"] <= model.limit_bits * 1.5


def test_what_is_shared_follows_from_the_file_and_the_rest_is_drawn(codec, digits):
    outputs = {}
    for randomness in ("common", "limited-2", "independent"):
        model = codec(randomness)
        x = model.degrade(digits)
        encoded = model.encode(x)
        assert (encoded.seed == 0) == (randomness == "independent")
        assert not np.array_equal(model.encode(x).indices, encoded.indices)  # a dither of its own each time
        content = model.to_bytes(encoded)
        first, second = (model.decode(model.from_bytes(content)) for _ in range(2))
        assert np.array_equal(first, second) == (randomness == "common")
        again = [model.decode(model.from_bytes(content), seed=5) for _ in range(2)]
        assert np.array_equal(*again)
        outputs[randomness] = first
    assert len(outputs) == 3


def test_image_numbers_name_their_dither(codec, digits):
    """More images than a batch: those behind the first batch get the dither of their own numbers."""
    model = codec("common")
    x = model.degrade(np.concatenate([digits] * 9))  # 576, a batch is 500
    encoded = model.encode(x, seed=3)
    assert not np.array_equal(encoded.indices[:64], encoded.indices[64:128])
    outputs = model.decode(model.from_bytes(model.to_bytes(encoded)))
    assert outputs.shape == x.shape
    assert np.array_equal(model.decode(Encoded(encoded.indices[:500], 3)), outputs[:500])


def test_raw_is_exactly_the_papers_count(codec, digits):
    from ecot.coding import container

    model = codec("common")
    one = model.encode(model.degrade(digits[:1]), seed=0)
    content = model.to_bytes(one, raw=True)
    assert 8 * (len(content) - container.overhead("super_resolution")) == model.limit_bits == 8


def test_a_thousand_images_take_their_ideal_length(repository, datasets):
    from ecot.coding import container
    from ecot.data.arrays import load

    model = ecot.load(repository / "resources" / "models" / "digits_10_bits")
    images = load(datasets / "mnist_sample.npz", "test", 1000).images
    encoded = model.encode(model.degrade(images), seed=0)
    bits = 8 * (len(model.to_bytes(encoded)) - container.overhead("super_resolution"))
    ideal = 1000 * model.ideal_bits(encoded)
    assert ideal - 8 <= bits <= 1.02 * ideal
    assert 7000 < ideal < 1000 * model.limit_bits


DECODE = """
import sys, json, numpy as np, torch, ecot
model = ecot.load(sys.argv[1])
encoded = model.from_bytes(open(sys.argv[2], "rb").read())
np.savez(sys.argv[3], indices=encoded.indices, outputs=model.decode(encoded, seed=0))
print(json.dumps(torch.get_num_threads()))
"""


def test_another_process_with_other_threads_in_another_folder(codec, trained, digits, tmp_path):
    model = codec("limited-2")
    encoded = model.encode(model.degrade(digits, seed=0), seed=0)
    outputs = model.decode(encoded, seed=0)
    folder = tmp_path / "elsewhere" / "model"
    folder.mkdir(parents=True)
    shutil.copy(trained(model.settings) / "model.safetensors", folder)
    file = tmp_path / "elsewhere" / "digits.ecot"
    file.write_bytes(model.to_bytes(encoded))
    threads = 1 if torch.get_num_threads() > 1 else 2
    command = [sys.executable, "-c", DECODE, str(folder), str(file), str(tmp_path / "found.npz")]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    environment["PYTHONPATH"] = str(PACKAGE.parent)
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path, env=environment)
    assert json.loads(done.stdout) != torch.get_num_threads()
    found = np.load(tmp_path / "found.npz")
    assert np.array_equal(found["indices"], encoded.indices)
    assert np.abs(found["outputs"] - outputs).max() <= 1 / 255


def test_a_model_that_other_code_trained_stays_usable(codec, trained, tmp_path, monkeypatch, digits):
    """The codec compares the file with the model, not the model with today's code."""
    model = codec("common")
    content = model.to_bytes(model.encode(model.degrade(digits), seed=0))
    shutil.copy(trained(model.settings) / "model.safetensors", tmp_path)
    monkeypatch.setattr("ecot.grid.fingerprint.trained", lambda settings: "0" * 16)
    again = ecot.load(tmp_path)
    assert np.array_equal(again.from_bytes(content).indices, model.from_bytes(content).indices)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x: x[0], "shape"),
        (lambda x: x[:, :, :27], "shape"),
        (lambda x: np.concatenate([x] * 3, 1), "shape"),
        (lambda x: x[:0], "no images"),
        (lambda x: x * 0 + 3, "from 3 to 3"),
        (lambda x: x * np.nan, "nan"),
        (lambda x: x.astype(np.int64), "int64"),
        (lambda x: x.astype(complex), "complex"),
    ],
)
def test_wrong_images_are_refused(codec, digits, change, message):
    model = codec("common")
    with pytest.raises(EcotError, match=message):
        model.encode(change(model.degrade(digits)))


def test_modes_that_are_no_code_are_refused(trained, settings):
    cell = settings(mode="restoration")
    with pytest.raises(EcotError, match="mode restoration, which is no code"):
        ecot.load(trained(cell))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"levels": 3}, "settings of no system: 3 levels"),
        ({"levels": 0}, "settings of no system: 0 levels"),
        ({"width": 1e9}, "settings of no system"),
        ({"rate_bits": 8_000_000}, "tensors are not those"),
        ({"rate_bits": -8}, "settings of no system|tensors are not those"),
        ({"mode": "unheard_of"}, "mode unheard_of, which is no code"),
        ({"task": "unheard_of"}, "the task 'unheard_of'"),
        ({"randomness": "independent"}, "no frequencies"),
    ],
)
def test_a_model_that_states_other_settings_is_refused(codec, trained, tmp_path, changed, message):
    """A header can state anything under a checksum that fits."""
    model = models.read(trained(codec("common").settings))
    settings = model.settings.model_copy(update=changed)
    record = {"ecot": "", "torch": "", "dataset_sha256": ""}
    models.save(tmp_path, models.Model(settings, model.tensors, "0" * 16, model.frequencies), [], record)
    with pytest.raises(EcotError, match=message):
        ecot.load(tmp_path)


def test_a_model_without_frequencies_is_refused(codec, trained, tmp_path):
    model = models.read(trained(codec("common").settings))
    wrong = model.frequencies.copy()
    wrong[0, 0, 0] += 1
    for frequencies in (None, wrong, model.frequencies[:1]):
        record = {"ecot": "", "torch": "", "dataset_sha256": ""}
        models.save(tmp_path, models.Model(model.settings, model.tensors, "0" * 16, frequencies), [], record)
        with pytest.raises(EcotError, match="no frequencies"):
            ecot.load(tmp_path)


@pytest.mark.parametrize(
    "change", [lambda z: z[:, :2], lambda z: z[0], lambda z: z[:0], lambda z: z + 4, lambda z: z - 4, lambda z: z / 2]
)
def test_indices_of_no_encoder_are_refused(codec, digits, change):
    model = codec("common")
    encoded = Encoded(change(model.encode(model.degrade(digits)).indices), 0)
    for use in (model.decode, model.to_bytes):
        with pytest.raises(EcotError, match=r"int32 \(n, 4\) from 0 to 3"):
            use(encoded)
