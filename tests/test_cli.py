"""The commands, as a person or a rule calls them."""

import logging

import pytest
import yaml
from click.testing import CliRunner

from ecot.cli import main
from ecot.config import merge

SUPER_RESOLUTION = ["--task", "super_resolution"]


@pytest.fixture
def ecot(tiny, all_modes, datasets, tmp_path, monkeypatch):
    """Run a command in a folder with the tiny configuration and the samples prepared."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(merge(tiny, all_modes)))
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "datasets").symlink_to(datasets)
    monkeypatch.setattr(logging, "basicConfig", lambda **_: None)

    def run(*arguments):
        return CliRunner().invoke(main, list(arguments))

    return run


def test_the_chain_by_hand(ecot, tmp_path):
    """Without Snakemake: train, build on it, measure, tabulate, show."""
    cell = "results/tiny/cells/super_resolution/{}/rate-8/seed-0"
    options = ["--task", "super_resolution", "--rate", "8", "--out"]
    steps = [
        ["train", "end-to-end", "--randomness", "independent", *options, cell.format("end_to_end/independent")],
        ["train", "joint", *options, cell.format("joint/independent")],
        ["evaluate", cell.format("end_to_end/independent")],
        ["evaluate", cell.format("joint/independent")],
        ["table", "1"],
        ["collect"],
        ["figure", "5"],
        ["show"],
    ]
    for step in steps:
        done = ecot(*step)
        assert done.exit_code == 0, (step, done.output, done.exception)
    assert "Decomposed loss" in done.output
    assert "results/tiny/figures/figure_05.png" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["table", "5"], "ecot: Table 5: no cell of it is measured in results/tiny"),
        (["table", "77"], "ecot: no Table 77"),
        (["train", "joint", *SUPER_RESOLUTION, "--rate", "8", "--out", "x"], "is missing; train its cell first"),
        (["train", "joint", *SUPER_RESOLUTION, "--rate", "7", "--out", "x"], "ecot: rate 7 of super_resolution"),
        (["train", "restoration", "--task", "inpainting", "--out", "x"], "ecot: no task 'inpainting' in the"),
        (["fit-weight", *SUPER_RESOLUTION], "ecot: fit_weight of super_resolution: INCOMPLETE, 20 cells missing"),
        (["fit-weight", "--task", "denoising"], "ecot: tasks.denoising.fit_weight: missing; write the weights"),
        (["evaluate", "nowhere"], "ecot: model nowhere/model.safetensors is missing"),
        (["data", "cifar", "--out", "x.npz"], "ecot: there is no data set 'cifar'"),
        (["collect", "--config", "other.yaml"], "ecot: configuration other.yaml cannot be read"),
    ],
)  # fmt: skip
def test_mistakes_end_in_one_line(ecot, tmp_path, arguments, message):
    done = ecot(*arguments)
    assert done.exit_code == 1
    assert message in done.output
    assert len(done.output.strip().splitlines()) == 1
    assert not (tmp_path / "x").exists()


def test_a_bar_on_a_terminal_and_lines_in_a_log(ecot, monkeypatch, caplog):
    options = ["--task", "super_resolution", "--rate", "8", "--randomness", "common", "--out", "cell"]
    with caplog.at_level(logging.INFO):
        assert ecot("train", "end-to-end", *options).exit_code == 0
        assert any("epoch 2/2" in message for message in caplog.messages)
        caplog.clear()
        monkeypatch.setattr("ecot.training.loop._on_terminal", lambda: True)
        done = ecot("train", "end-to-end", *options)
    assert not any("epoch 2/2" in message for message in caplog.messages)
    assert "epoch 2/2" in done.output
    assert "distortion" in done.output
    assert "wasserstein" in done.output
    assert "image/s" in done.output
