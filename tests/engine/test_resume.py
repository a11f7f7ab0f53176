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

from ecot.artefacts import model as models
from ecot.artefacts import tensors as tensor_file
from ecot.artefacts.names import MODEL_FILES
from ecot.config import Compute
from ecot.data.arrays import load
from ecot.engine.feed import Feed
from ecot.engine.job import train
from ecot.engine.loop import Progress, Silent, fit
from ecot.engine.state import State
from ecot.engine.training import make_trainer

CPU = torch.device("cpu")
KILLS = 10


def tensors_of(folder):
    return models.read(folder).tensors


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture
def images(datasets):
    return load(datasets / "mnist_sample.npz", "train", 128).images


class KilledError(Exception):
    pass


class KilledAt(Silent):
    """An observer that saves the state at one point of the training, which ends there."""

    def __init__(self, state, tensors, at):
        self.state, self.tensors, self.at = state, tensors, at

    def wants_state(self):
        return True

    def save(self, progress):
        if (progress.epoch, progress.step) == self.at:
            self.state.save(progress, self.tensors)
            raise KilledError


@pytest.mark.parametrize("at", [(1, 1), (1, 2), (2, 1), (3, 2)])
def test_a_training_left_at_any_step_ends_as_an_uninterrupted_one(images, settings, tmp_path, at):
    """Networks, moments, running statistics, learning rate, random streams and means all go on."""
    made = settings(change={"tasks": {"super_resolution": {"modes": {"end_to_end": {"epochs": 3}}}}})
    whole = make_trainer(made, CPU)
    expected = fit(whole, Feed(images, made, CPU))

    state, first = State(tmp_path, {"of": "this"}, "here"), make_trainer(made, CPU)
    with pytest.raises(KilledError):
        fit(first, Feed(images, made, CPU), Progress(), KilledAt(state, first.tensors(), at))
    second = make_trainer(made, CPU)
    progress = state.restore(second.tensors())
    assert (progress.epoch, progress.step, progress.resumed) == (*at, 1)
    history = fit(second, Feed(images, made, CPU), progress)
    assert same(second.tensors(), whole.tensors())
    measured = ["epoch", "distortion", "wasserstein", "penalty", "learning_rate"]
    assert pd.DataFrame(history)[measured].equals(pd.DataFrame(expected)[measured])


def test_killed_at_ten_random_moments_it_ends_with_the_same_model(datasets, settings, tmp_path):
    """kill -9 at any moment: while it reads, trains, saves or writes its outputs."""
    task = {"n_train": 256, "modes": {"end_to_end": {"epochs": 4, "decays": {1: None, 2: 5.0}}}}
    made = settings(change={"tasks": {"super_resolution": task}, "training": {"batch_size": 32}})
    processes = multiprocessing.get_context("forkserver")  # torch is imported once, each training is a process
    processes.set_forkserver_preload(["ecot.engine.job"])

    def start(out):
        compute = Compute(save_minutes=1e-9)  # at every step
        process = processes.Process(target=train, args=(made, datasets / "mnist_sample.npz", "cpu", compute, out))
        process.start()
        return process

    for name in ("first", "whole"):  # the first one waits for the import as well
        begin, uninterrupted = time.monotonic(), start(tmp_path / name)
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
    assert same(models.load(out, made).tensors, whole)
    # A writer that was killed leaves its temporary file, and nothing else.
    assert {path.name for path in out.iterdir() if not path.name.startswith(".")} == set(MODEL_FILES)
    assert json.loads((out / "run.json").read_text())["resumed"] > 0


@pytest.fixture
def half_done(datasets, settings, trained, tmp_path, monkeypatch):
    """A training that was killed after its first epoch, and whose state is altered: it would show in the model.

    The path of the state, and a function that trains to the end and says whether the model is the one of a training
    that was never killed.
    """
    made, dataset, folder = settings(), datasets / "mnist_sample.npz", tmp_path / "cell"

    def die(*_):
        raise KilledError

    with monkeypatch.context() as dying:
        dying.setattr("ecot.engine.job._Follower.epoch_done", die)
        with pytest.raises(KilledError):
            train(made, dataset, "cpu", Compute(save_minutes=1e-9), folder)
    path = folder / "state.safetensors"
    rewrite(path, lambda tensors, header: [tensor.add_(1) for tensor in tensors.values()])

    def go_on(settings=made, **more):
        train(settings, dataset, "cpu", Compute(), folder, **more)
        return same(tensors_of(folder), tensors_of(trained(made)))

    return path, go_on


def rewrite(path, change):
    """Change the tensors and the header of a file, which is then whole again."""
    tensors, header = tensor_file.read(path, "")
    change(tensors, header)
    tensor_file.write(path, tensors, header)


def test_a_state_of_the_same_training_is_used(half_done):
    path, go_on = half_done
    assert not go_on()
    assert not path.exists()
    record = json.loads(path.with_name("run.json").read_text())
    assert record["resumed"] == 1
    assert pd.read_csv(path.with_name("history.csv")).epoch.tolist() == [1, 2]


def test_a_state_that_is_left_beside_a_finished_model_is_removed(half_done):
    """A training that is killed between its last two steps leaves it."""
    path, go_on = half_done
    content = path.read_bytes()
    go_on()
    path.write_bytes(content)
    model = path.with_name("model.safetensors").read_bytes()
    go_on()
    assert not path.exists()
    assert path.with_name("model.safetensors").read_bytes() == model


def test_force_starts_anew(half_done):
    path, go_on = half_done
    assert go_on(force=True)
    assert not path.exists()
    assert json.loads(path.with_name("run.json").read_text())["resumed"] == 0


def test_a_state_of_another_machine_is_used_and_the_log_says_so(half_done, caplog):
    path, go_on = half_done

    def move(tensors, header):
        header["machine"] = json.dumps("cuda (NVIDIA Abacus)")

    rewrite(path, move)
    with caplog.at_level(logging.WARNING):
        assert not go_on()
    (message,) = caplog.messages
    assert message.startswith("this state comes from cuda (NVIDIA Abacus) and goes on on cpu (")
    assert not path.with_suffix(".set-aside").exists()


def test_a_state_of_the_same_machine_is_used_without_a_word(half_done, caplog):
    with caplog.at_level(logging.WARNING):
        half_done[1]()
    assert not caplog.messages


def flip(path):
    content = bytearray(path.read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)


def deep(path):
    rewrite(path, lambda tensors, header: header.update(progress='{"sums": ' + "[" * 10**5))


DAMAGE = {
    "a bit flipped": (flip, "its content does not match its SHA-256"),
    "cut off": (lambda path: path.write_bytes(path.read_bytes()[:-10]), "is damaged"),
    "empty": (lambda path: path.write_bytes(b""), "is damaged"),
    "a pickle": (lambda path: path.write_bytes(b"\x80\x04\x95pickle"), "is damaged"),
    "no progress": (lambda path: rewrite(path, lambda tensors, header: header.pop("progress")), "'progress'"),
    "a deep progress": (deep, "is damaged"),
    "an unknown entry": (
        lambda path: rewrite(path, lambda tensors, header: header.update(progress='{"speed": 1}')),
        "unexpected keyword argument 'speed'",
    ),
    "one tensor less": (
        lambda path: rewrite(path, lambda tensors, header: tensors.popitem()),
        "its tensors are not those of this training",
    ),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_a_damaged_state_is_set_aside_with_a_message(half_done, caplog, name):
    path, go_on = half_done
    damage, reason = DAMAGE[name]
    damage(path)
    with caplog.at_level(logging.WARNING):
        assert go_on()
    (message,) = caplog.messages
    assert str(path) in message
    assert reason in message
    assert "It is now called state.set-aside, and the training starts anew" in message
    assert path.with_suffix(".set-aside").is_file()
    assert not path.exists()


@pytest.mark.parametrize("name", ["settings and code", "frozen model", "threads", "torch", "numpy", "dataset_sha256"])
def test_a_state_of_another_training_is_set_aside_and_the_message_says_what_differs(half_done, caplog, name):
    path, go_on = half_done

    def change(tensors, header):
        decided_by = json.loads(header["decided_by"])
        assert name in decided_by
        header["decided_by"] = json.dumps({**decided_by, name: "another"})

    rewrite(path, change)
    with caplog.at_level(logging.WARNING):
        assert go_on()
    assert f"it is of another training: {name} differ" in caplog.messages[0]
    assert path.with_suffix(".set-aside").is_file()


def test_a_state_of_other_settings_is_set_aside(half_done, settings, caplog):
    path, go_on = half_done
    with caplog.at_level(logging.WARNING):
        go_on(settings(seed=1))
    assert "it is of another training: settings and code differ" in caplog.messages[0]
    assert path.with_suffix(".set-aside").is_file()


def test_a_state_of_another_number_of_threads_is_set_aside(half_done, settings, caplog):
    path, go_on = half_done
    threads = torch.get_num_threads()
    try:
        with caplog.at_level(logging.WARNING):
            go_on(settings(change={"training": {"threads": 2}}))
    finally:
        torch.set_num_threads(threads)
    assert "it is of another training: settings and code, threads differ" in caplog.messages[0]
    assert path.with_suffix(".set-aside").is_file()
