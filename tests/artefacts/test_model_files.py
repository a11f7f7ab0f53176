"""A model's folder: what is saved is loaded again, and nothing else is."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from ecot import systems
from ecot.artefacts import DamagedError, tensors
from ecot.artefacts import model as models
from ecot.artefacts import record as run_record
from ecot.artefacts.names import MODEL_FILES
from ecot.files import sha256
from ecot.grid import fingerprint
from ecot.grid.cell_settings import CellSettings

RECORD = {"ecot": "1", "torch": "2", "dataset_sha256": "abc", "seconds": 3.5}


@pytest.fixture
def saved(settings, tmp_path):
    """The folder of a model, its settings and the model."""
    made, folder = settings(), tmp_path / "model"
    torch.manual_seed(0)
    model = models.Model(made, systems.build(made).state_dict(), fingerprint.trained(made))
    models.save(folder, model, [{"epoch": 1, "distortion": 0.25}, {"epoch": 2, "distortion": 0.125}], RECORD)
    return folder, made, model


def test_a_round_trip(saved):
    folder, made, model = saved
    for found in (models.load(folder, made), models.load(folder / models.KEPT, made), models.read(folder)):
        assert (found.settings, found.fingerprint) == (made, model.fingerprint)
        assert found.tensors.keys() == model.tensors.keys()
        assert all(torch.equal(found.tensors[name], tensor) for name, tensor in model.tensors.items())
    assert CellSettings.model_validate(yaml.safe_load((folder / "config.yaml").read_text())) == made
    assert pd.read_csv(folder / "history.csv").to_dict("list") == {"epoch": [1, 2], "distortion": [0.25, 0.125]}
    checksums = {f"{name}_sha256": sha256(folder / name) for name in MODEL_FILES[:-1]}
    assert run_record.read(folder) == {**RECORD, **checksums}


def test_settings_of_a_cell_with_a_frozen_model_survive_the_file(settings, tmp_path):
    made = settings(mode="joint", task="denoising")
    models.save(tmp_path, models.Model(made, systems.build(made).state_dict(), "f"), [], RECORD)
    assert models.read(tmp_path).settings == made
    assert made.frozen.degradation.std == models.read(tmp_path).settings.frozen.degradation.std == 20


@pytest.mark.parametrize("name", MODEL_FILES)
def test_a_missing_file_is_named_with_the_way_out(saved, name):
    folder, made, _ = saved
    (folder / name).unlink()
    with pytest.raises(
        DamagedError,
        match=rf"{name} is damaged .*; `ecot train \S+/seed-0 --force` trains the cell",
    ):
        models.load(folder, made)


@pytest.mark.parametrize("name", MODEL_FILES[:-1])
def test_a_changed_file_is_named(saved, name):
    folder, made, _ = saved
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    with pytest.raises(DamagedError, match=rf"{name} .*it has changed since its training"):
        models.load(folder, made)


@pytest.mark.parametrize("text", ["", "[]", "7", "{", "\xff", '{"a": ' * 10**5], ids=str.__len__)
def test_a_damaged_record_is_named(saved, text):
    folder, made, _ = saved
    (folder / "run.json").write_bytes(text.encode("latin-1"))
    for read in (lambda: run_record.read(folder), lambda: models.load(folder, made)):
        with pytest.raises(DamagedError, match=r"run\.json is damaged"):
            read()


def test_another_models_files_are_refused_and_what_differs_is_said(saved, settings):
    folder, made, _ = saved
    with pytest.raises(DamagedError, match="it is another model's: rate_bits is 8, not 4"):
        models.load(folder, settings(rate=4))
    with pytest.raises(DamagedError, match="it is another model's: seed is 0, not 3"):
        models.load(folder, settings(seed=3))
    other = made.model_copy(update={"training": made.training.model_copy(update={"gradient_penalty": 1.0})})
    with pytest.raises(DamagedError, match=r"it is another model's: training is .*gradient_penalty=1\.0"):
        models.load(folder, other)


def test_a_model_of_other_code_is_refused(saved):
    folder, made, model = saved
    models.save(folder, models.Model(made, model.tensors, "0123456789abcdef"), [], RECORD)
    with pytest.raises(DamagedError, match=r"its fingerprint is 0123456789abcdef, not .*: other code made it"):
        models.load(folder, made)


def test_two_models_may_not_swap_their_files(saved, settings, tmp_path):
    """Each file is whole, and belongs to another model."""
    folder, made, model = saved
    other = settings(seed=1)
    models.save(tmp_path / "other", models.Model(other, model.tensors, fingerprint.trained(other)), [], RECORD)
    shutil.copy(tmp_path / "other/model.safetensors", folder)
    with pytest.raises(DamagedError, match=r"model\.safetensors .*it has changed since its training"):
        models.load(folder, made)
    shutil.copytree(tmp_path / "other", folder, dirs_exist_ok=True)
    with pytest.raises(DamagedError, match="it is another model's: seed is 1, not 0"):
        models.load(folder, made)


@pytest.mark.parametrize("missing", [[name] for name in MODEL_FILES] + [list(MODEL_FILES)])
def test_kept_files_are_linked_again(saved, missing):
    folder, made, _ = saved
    before = {name: (folder / name).read_bytes() for name in MODEL_FILES}
    for name in missing:
        (folder / name).unlink()
    assert models.restore(folder, made)
    assert {name: (folder / name).read_bytes() for name in MODEL_FILES} == before
    assert all((folder / name).samefile(folder / models.KEPT / name) for name in MODEL_FILES)
    models.load(folder, made)


def test_files_that_were_replaced_are_restored_from_the_kept_ones(saved):
    folder, made, _ = saved
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").write_bytes(b"half of it")
    assert models.restore(folder, made)
    assert (folder / "model.safetensors").read_bytes() == content


def test_nothing_is_restored_from_files_that_are_not_the_finished_model(saved, settings, tmp_path):
    folder, made, _ = saved
    assert not models.restore(tmp_path / "nowhere", made)
    assert not models.restore(folder, settings(seed=1))
    (folder / "config.yaml").unlink()
    record = json.loads((folder / "run.json").read_text())
    (folder / models.KEPT / "run.json").write_text(json.dumps({**record, "history.csv_sha256": "0"}))
    (folder / "run.json").unlink()
    assert not models.restore(folder, made)
    assert not (folder / "config.yaml").exists()


@pytest.mark.parametrize("change", [{"width": 0.2}, {"rate_bits": 4}, {"mode": "restoration", "rate_bits": None}])
def test_tensors_that_are_not_those_of_the_system_are_refused(saved, change):
    folder, made, model = saved
    path = folder / "model.safetensors"
    models.require(systems.build(made).state_dict(), model, path)
    other = systems.build(made.model_copy(update=change)).state_dict()
    with pytest.raises(DamagedError, match=r"model\.safetensors .*its tensors are not those of its settings"):
        models.require(other, model, path)


def test_tensors_of_another_type_are_refused(saved):
    folder, made, model = saved
    halves = {name: tensor.half() for name, tensor in model.tensors.items()}
    with pytest.raises(DamagedError, match="its tensors are not those of its settings"):
        models.require(model.tensors, models.Model(made, halves, ""), folder / "model.safetensors")


@pytest.mark.parametrize("header", [{}, {"settings": "{}"}, {"settings": "no JSON", "fingerprint": "f"}])
def test_a_file_of_tensors_that_is_no_model_is_refused(tmp_path, header):
    tensors.write(tmp_path / "model.safetensors", {"a": torch.ones(1)}, header)
    with pytest.raises(DamagedError, match=r"model\.safetensors .*its header states no settings"):
        models.read(tmp_path)


def test_frequencies_come_back_with_the_tensors_and_are_none_of_them(saved, tmp_path):
    _, made, model = saved
    frequencies = np.arange(24, dtype=np.int32).reshape(2, 3, 4)
    models.save(tmp_path, replace(model, frequencies=frequencies), [], RECORD)
    found = models.load(tmp_path, made)
    assert np.array_equal(found.frequencies, frequencies)
    assert found.tensors.keys() == model.tensors.keys()
    assert models.read(saved[0]).frequencies is None


def test_a_setting_that_came_after_a_model_is_null_for_it(settings, tmp_path):
    """So that a model which is carried along can be read by later versions; also in the model that it builds on."""
    made = settings(mode="baseline")
    older = json.loads(made.model_dump_json())
    del older["dither"], older["frozen"]["dither"], older["n_train"]
    header = {"settings": json.dumps(older), "fingerprint": "0" * 16}
    tensors.write(tmp_path / "model.safetensors", systems.build(made).state_dict(), header)
    assert models.read(tmp_path).settings == made.model_copy(update={"n_train": None})
    del older["levels"]
    tensors.write(tmp_path / "model.safetensors", {}, {**header, "settings": json.dumps(older)})
    with pytest.raises(DamagedError, match="its header states no settings"):
        models.read(tmp_path)
