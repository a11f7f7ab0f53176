"""The job that trains a cell: what it writes, what it does not do twice, and what it refuses."""

import io
import json
import logging
import math
import shutil
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from ecot.artefacts import model as models
from ecot.artefacts import tensors as tensor_file
from ecot.artefacts.names import MODEL_FILES
from ecot.config import Compute
from ecot.engine.job import train
from ecot.engine.state import State
from ecot.engine.trainer import Trainer
from ecot.engine.training import Training
from ecot.errors import EcotError
from ecot.files import sha256
from ecot.grid import fingerprint
from ecot.grid.cell_settings import CellSettings

LOSSES = ["distortion", "wasserstein", "penalty"]


@pytest.fixture
def run(datasets, tmp_path, caplog):
    """Train a cell into a folder of this test; the folder and what the log said."""

    def start(made, name="cell", frozen=None, compute=None, dataset=None, **more):
        caplog.clear()
        folder = tmp_path / name
        with caplog.at_level(logging.INFO):
            train(
                made,
                datasets / f"{dataset or made.dataset}.npz",
                "cpu",
                compute or Compute(),
                folder,
                frozen,
                **more,
            )
        return folder, "\n".join(caplog.messages)

    return start


@pytest.fixture
def finished(trained, settings, tmp_path):
    """A finished model that a test may damage: its folder `cell` and its settings."""

    def copy(**cell):
        made = settings(**cell)
        folder = tmp_path / "cell"
        source = trained(made)
        shutil.copytree(source, folder)
        for name in MODEL_FILES:  # a copy of a tree makes two files of two links
            (folder / name).unlink()
            (folder / name).hardlink_to(folder / models.KEPT / name)
        return folder, made

    return copy


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_a_cell_writes_its_files(run, settings, datasets):
    made = settings()
    folder, said = run(made)
    assert "device: cpu" in said
    assert "epoch 2/2: distortion" in said
    assert names(folder) == {*MODEL_FILES, models.KEPT}
    assert names(folder / models.KEPT) == set(MODEL_FILES)
    assert all((folder / name).samefile(folder / models.KEPT / name) for name in MODEL_FILES)
    assert CellSettings.model_validate(yaml.safe_load((folder / "config.yaml").read_text())) == made
    history = pd.read_csv(folder / "history.csv")
    assert history.epoch.tolist() == [1, 2]
    assert np.isfinite(history[[*LOSSES, "images_per_second"]]).all(axis=None)
    record = json.loads((folder / "run.json").read_text())
    assert record["torch"] == torch.__version__
    assert record["dataset_sha256"] == sha256(datasets / "mnist_sample.npz")
    assert record["device"].startswith("cpu (")
    assert record["code"] == fingerprint.training_code("super_resolution", "end_to_end", "resampling")
    assert (record["resumed"], record["deterministic"]) == (0, True)
    assert (record["threads"], record["precision"]) == (1, "float32")
    assert record["seconds"] > 0
    assert record["images_per_second"] > 0
    assert record["peak_memory_mb"] > 10
    for name in MODEL_FILES[:-1]:
        assert record[f"{name}_sha256"] == sha256(folder / name)
    model = models.load(folder, made)
    assert model.fingerprint == fingerprint.trained(made)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_another_model(run, settings):
    folders = [run(settings(seed=seed), name)[0] for seed, name in ((0, "a"), (0, "b"), (1, "c"))]
    contents = [(folder / "model.safetensors").read_bytes() for folder in folders]
    assert contents[0] == contents[1]
    histories = [pd.read_csv(folder / "history.csv")[LOSSES] for folder in folders]
    assert histories[0].equals(histories[1])
    first, _, other = (models.read(folder).tensors for folder in folders)
    weight = "compressor.encoder.layers.0.weight"
    assert not torch.equal(first[weight], other[weight])


def test_a_finished_model_is_not_trained_again(run, finished):
    folder, made = finished()
    before = {name: (folder / name).read_bytes() for name in MODEL_FILES}
    _, said = run(made)
    assert "the model is finished; its files are linked again and nothing is trained" in said
    assert "epoch" not in said
    assert {name: (folder / name).read_bytes() for name in MODEL_FILES} == before


def test_files_that_a_workflow_has_deleted_are_linked_again(run, finished):
    """Snakemake deletes a job's outputs before it starts the job; what no rule declares stays."""
    folder, made = finished()
    before = {name: (folder / name).read_bytes() for name in MODEL_FILES}
    for name in MODEL_FILES:
        (folder / name).unlink()
    _, said = run(made)
    assert "nothing is trained" in said
    assert {name: (folder / name).read_bytes() for name in MODEL_FILES} == before
    assert all((folder / name).samefile(folder / models.KEPT / name) for name in MODEL_FILES)


def test_force_trains_a_finished_model_again(run, finished):
    folder, made = finished()
    content = (folder / "model.safetensors").read_bytes()
    (folder / "history.csv").unlink()
    _, said = run(made, force=True)
    assert "epoch 2/2" in said
    assert (folder / "model.safetensors").read_bytes() == content
    assert (folder / "history.csv").is_file()
    models.load(folder / models.KEPT, made)


def flip(path):
    content = bytearray(path.read_bytes())
    content[-100] ^= 1
    path.write_bytes(content)  # in place: it is one file under two names


@pytest.mark.parametrize("name", MODEL_FILES[:-1])
def test_a_model_that_was_damaged_is_trained_again(run, finished, name):
    folder, made = finished()
    whole = (folder / name).read_bytes()
    flip(folder / name)
    _, said = run(made)
    assert "epoch 2/2" in said
    models.load(folder, made)
    assert name == "history.csv" or (folder / name).read_bytes() == whole  # the history holds times


def test_kept_files_that_were_damaged_are_made_whole_and_nothing_is_trained(run, finished):
    folder, made = finished()
    kept = folder / models.KEPT / "model.safetensors"
    kept.unlink()
    kept.write_bytes(b"half of it")
    assert "nothing is trained" in run(made)[1]
    models.load(folder / models.KEPT, made)


def test_a_model_that_is_trained_again_since_it_is_damaged_says_so(run, finished):
    folder, made = finished()
    flip(folder / "model.safetensors")
    assert "model.safetensors is damaged" in run(made)[1]


def test_a_kept_model_of_other_settings_is_not_taken(run, finished, settings):
    folder, _ = finished()
    other = settings(seed=1)
    _, said = run(other)
    assert "epoch 2/2" in said
    assert models.load(folder, other).settings.seed == 1


def test_without_hard_links_the_files_are_copied(run, settings, monkeypatch):
    def refuse(source, target):
        raise OSError("no hard links here")

    monkeypatch.setattr("os.link", refuse)
    made = settings()
    folder, _ = run(made)
    assert not (folder / "model.safetensors").samefile(folder / models.KEPT / "model.safetensors")
    for name in MODEL_FILES:
        (folder / name).unlink()
    assert "nothing is trained" in run(made)[1]
    models.load(folder, made)


@pytest.mark.parametrize("minutes", [1e-9, 3.0])
def test_a_loss_that_is_not_finite_leaves_no_model_and_no_state_to_go_on_from(run, settings, tmp_path, minutes):
    made = settings(change={"tasks": {"super_resolution": {"modes": {"end_to_end": {"learning_rate": 1e30}}}}})
    with pytest.raises(EcotError, match=r"epoch [12]: the loss is not finite .*no model is kept"):
        run(made, compute=Compute(save_minutes=minutes))
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} <= {"last_finite.safetensors"}


def test_the_last_state_in_which_all_was_finite_is_kept_beside_the_log(run, settings, tmp_path, monkeypatch):
    step, taken = Trainer.step, []

    def broken(self, number, batch):
        taken.append(number)
        losses = step(self, number, batch)
        return losses if len(taken) < 4 else {name: loss * math.nan for name, loss in losses.items()}

    monkeypatch.setattr(Trainer, "step", broken)
    logs = tmp_path / "logs"
    with pytest.raises(EcotError, match=r"epoch 2: the loss is not finite \(by step 2: \w+ nan"):
        run(settings(), compute=Compute(save_minutes=1e-9), logs=logs)
    assert [path.name for path in logs.iterdir()] == ["last_finite.safetensors"]
    tensors, header = tensor_file.read(logs / "last_finite.safetensors", "")
    assert json.loads(header["progress"])["epoch"] == 2
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())
    assert names(tmp_path / "cell") == set()


def test_a_model_whose_last_step_ruins_it_is_not_kept(run, settings, tmp_path, monkeypatch):
    """No loss is computed from the weights that the last step leaves."""
    monkeypatch.setattr(Training, "model", lambda self: {"weight": torch.tensor([math.nan])})
    with pytest.raises(EcotError, match=r"the loss is not finite \(by step 0: weight nan\), no model is kept"):
        run(settings())
    assert names(tmp_path / "cell") == set()


def test_a_state_that_cannot_be_saved_is_said_and_the_next_one_is_tried(run, settings, monkeypatch):
    made, tries = settings(), []
    whole, _ = run(made, "whole")
    save = State.save

    def sometimes(self, progress, tensors):
        tries.append(progress.step)
        if len(tries) < 3:
            raise EcotError("state.safetensors cannot be written (No space left on device)")
        save(self, progress, tensors)

    monkeypatch.setattr(State, "save", sometimes)
    folder, said = run(made, compute=Compute(save_minutes=1e-9))
    assert said.count("No space left on device). The training goes on, and its state is saved again later") == 2
    assert len(tries) == 4
    assert (folder / "model.safetensors").read_bytes() == (whole / "model.safetensors").read_bytes()


def test_a_full_disk_is_seen_before_the_first_step(run, settings, tmp_path, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=10**5))
    monkeypatch.setattr(Trainer, "step", lambda *_: pytest.fail("a step is taken"))
    message = (
        r"cell: the model and the state of its training take \d\.\d MB, and the disk has 0\.1 MB left; make room"
    )
    with pytest.raises(EcotError, match=message):
        run(settings())
    assert names(tmp_path / "cell") == set()


@pytest.mark.parametrize(("minutes", "times"), [(1e-9, 4), (3.0, 0)])
def test_the_state_is_saved_as_often_as_asked(run, settings, monkeypatch, minutes, times):
    saved = []
    monkeypatch.setattr("ecot.engine.state.State.save", lambda self, progress, tensors: saved.append(progress.step))
    run(settings(), compute=Compute(save_minutes=minutes))
    assert len(saved) == times


def test_data_that_are_not_those_of_the_settings_are_refused(run, settings, tmp_path, datasets):
    def refused(message, made, dataset=None):
        with pytest.raises(EcotError, match=message):
            run(made, dataset=dataset)
        assert not (tmp_path / "cell").exists()

    refused("holds street_digits_sample version 2, not mnist_sample version 1", settings(), "street_digits_sample")
    refused("version 1, not mnist_sample version 2", settings().model_copy(update={"dataset_version": 2}))
    refused(r"none\.npz is missing: run the pipeline", settings(), "none")
    other = settings().model_copy(update={"dataset": "street_digits_sample", "dataset_version": 2})
    refused(r"images of shape \(3, 32, 32\), the task's networks take \(1, 28, 28\)", other)
    for suffix in (".npz", ".json"):
        shutil.copy(datasets / f"mnist_sample{suffix}", tmp_path / f"mnist_sample{suffix}")
    flip(tmp_path / "mnist_sample.npz")
    refused(r"mnist_sample\.npz is damaged \(SHA-256 .* instead of", settings(), tmp_path / "mnist_sample")


def test_a_bar_on_a_terminal_and_lines_in_a_log(run, settings, monkeypatch):
    class Screen(io.StringIO):
        def isatty(self):
            return True

    made = settings()
    assert "epoch 2/2: distortion" in run(made, "log")[1]
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    assert "epoch 2/2" not in run(made, "terminal")[1]
    for text in ("epoch 2/2", "distortion", "wasserstein", "image/s"):
        assert text in screen.getvalue()
