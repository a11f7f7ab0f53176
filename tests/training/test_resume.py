"""Resuming: a training that is killed goes on where it was, and ends as if it had never been."""

import json
import logging
import multiprocessing
import random
import shutil
import time

import pandas as pd
import pytest
import torch

from ecot.config import Compute
from ecot.data.datasets import load
from ecot.training import checkpoint
from ecot.training.cell import fingerprint, make_trainer, train
from ecot.training.feed import Feed
from ecot.training.loop import Progress, fit
from ecot.training.state import State

CPU = torch.device("cpu")
KILLS = 10


def tensors_of(folder):
    return checkpoint.load(folder / "model.safetensors").tensors


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture
def images(datasets):
    return load(datasets / "mnist_sample.npz", "train", 128).images


class KilledError(Exception):
    pass


@pytest.mark.parametrize("at", [(1, 1), (1, 2), (2, 1), (3, 2)])
def test_a_training_left_at_any_step_ends_as_an_uninterrupted_one(images, settings, tmp_path, at):
    """Networks, moments, running statistics, learning rate, random streams and means all go on."""
    made = settings(change={"tasks": {"super_resolution": {"modes": {"end_to_end": {"epochs": 3}}}}})
    whole = make_trainer(made, CPU)
    expected = fit(whole, Feed(images, made, CPU))

    state, first = State(tmp_path, {"of": "this"}), make_trainer(made, CPU)

    def save(progress):
        if (progress.epoch, progress.step) == at:
            state.save(progress, first.tensors())
            raise KilledError

    with pytest.raises(KilledError):
        fit(first, Feed(images, made, CPU), Progress(), save, 0.0)
    second = make_trainer(made, CPU)
    progress = state.restore(second.tensors())
    assert (progress.epoch, progress.step, progress.resumed) == (*at, 1)
    history = fit(second, Feed(images, made, CPU), progress)
    assert same(second.tensors(), whole.tensors())
    measured = ["epoch", "distortion", "wasserstein", "penalty", "learning_rate"]
    assert pd.DataFrame(history)[measured].equals(pd.DataFrame(expected)[measured])


def test_killed_at_ten_random_moments_it_ends_with_the_same_model(datasets, settings, tmp_path):
    """kill -9 at any moment: while it reads, trains, saves or writes its outputs."""
    task = {"n_train": 512, "modes": {"end_to_end": {"epochs": 8, "decay_epoch": 4}}}
    made = settings(change={"tasks": {"super_resolution": task}, "training": {"batch_size": 32}})
    processes = multiprocessing.get_context("forkserver")  # torch is imported once, each training is a process
    processes.set_forkserver_preload(["ecot.training.cell"])

    def start(out):
        compute = Compute(save_minutes=1e-9)  # at every step
        process = processes.Process(target=train, args=(made, datasets / "mnist_sample.npz", "cpu", compute, out))
        process.start()
        return process

    for _ in "12":  # the first one waits for the import as well
        begin, uninterrupted = time.monotonic(), start(tmp_path / "whole")
        uninterrupted.join()
        lasted = time.monotonic() - begin
    whole, out = tensors_of(tmp_path / "whole"), tmp_path / "killed"
    moments, kills, left_a_state = random.Random(0), 0, 0
    for _ in range(10 * KILLS):
        process = start(out)
        process.join(timeout=lasted * moments.random())
        process.kill()
        process.join()
        if process.exitcode == 0:  # it came to its end before
            assert same(tensors_of(out), whole)
            shutil.rmtree(out)
            continue
        kills += 1
        left_a_state += (out / "state.safetensors").is_file()
        if kills == KILLS:
            break
    assert kills == KILLS
    assert left_a_state > 1
    last = start(out)
    last.join()
    assert last.exitcode == 0
    assert same(tensors_of(out), whole)
    files = {path.name for path in out.iterdir() if not path.name.startswith(".model")}
    assert files == {"model.safetensors", "config.yaml", "history.csv", "run.json"}
    assert json.loads((out / "run.json").read_text())["resumed"] > 0


@pytest.fixture
def half_done(datasets, settings, images, tmp_path):
    """A cell's folder with a state whose values would show in the model, and the tensors of a fresh training."""
    made, dataset = settings(), datasets / "mnist_sample.npz"
    train(made, dataset, "cpu", Compute(), tmp_path / "fresh")
    run = json.loads((tmp_path / "fresh/run.json").read_text())
    trainer = make_trainer(made, CPU)
    for tensor in trainer.tensors().values():
        tensor.add_(1)
    folder = tmp_path / "cell"
    State(folder, fingerprint(made, run, None)).save(Progress(), trainer.tensors())

    def retrain(settings=made):
        train(settings, dataset, "cpu", Compute(), folder)
        return same(tensors_of(folder), tensors_of(tmp_path / "fresh"))

    return folder / "state.safetensors", retrain


def test_a_state_of_the_same_training_is_used(half_done):
    path, retrain = half_done
    assert not retrain()
    assert not path.exists()


def flip(path):
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (flip, "it is damaged .its content does not match its SHA-256"),
        (lambda path: path.write_bytes(path.read_bytes()[:-10]), "it is damaged"),
        (lambda path: path.write_bytes(b""), "it is damaged"),
        (lambda path: path.write_bytes(b"\x80\x04\x95pickle"), "it is damaged"),
    ],
    ids=["a bit flipped", "cut off", "empty", "a pickle"],
)
def test_a_damaged_state_is_set_aside_with_a_message(half_done, caplog, damage, reason):
    path, retrain = half_done
    damage(path)
    with caplog.at_level(logging.WARNING):
        assert retrain()
    assert len(caplog.messages) == 1
    assert reason.split(".")[0] in caplog.messages[0]
    assert "state.set-aside, training starts anew" in caplog.messages[0]
    assert path.with_suffix(".set-aside").is_file()


def test_a_state_of_other_settings_is_set_aside_and_says_what_differs(half_done, settings, caplog):
    path, retrain = half_done
    with caplog.at_level(logging.WARNING):
        retrain(settings(seed=1))
    assert "it is of another training (settings differ)" in caplog.messages[0]
    assert path.with_suffix(".set-aside").is_file()


def test_the_state_is_saved_as_often_as_asked(images, settings):
    made, saved = settings(), []
    fit(make_trainer(made, CPU), Feed(images, made, CPU), Progress(), lambda p: saved.append(p.step), 0.0)
    assert len(saved) == 4
    saved.clear()
    fit(make_trainer(made, CPU), Feed(images, made, CPU), Progress(), lambda p: saved.append(p.step), 3600)
    assert not saved
