"""Tables and figures from metrics: means, spreads, the paper's numbers, what is missing."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from click.testing import CliRunner
from PIL import Image

from ecot import paper
from ecot.cells import grid
from ecot.cli import main
from ecot.config import merge, validate
from ecot.errors import EcotError
from ecot.reporting import catalogue, figures, metrics, settings, tables
from ecot.tasks.architecture import layers


def test_a_table_is_mean_and_spread_over_seeds(run):
    config = run()
    tables.write(5, config)
    rows = pd.read_csv("results/tiny/tables/table_05.csv")
    assert list(rows.columns) == [
        "task", "rate_bits", "randomness", "mode", "quantity", "value", "std", "n_seeds", "paper", "dataset",
        "distribution_weight", "weight_origin",
    ]  # fmt: skip
    common = rows[(rows.randomness == "common") & (rows.rate_bits == 4)].iloc[0]
    assert common["value"] == pytest.approx(0.026)
    assert common["std"] == pytest.approx(0.001 * np.sqrt(2))
    assert common["n_seeds"] == 2
    text = Path("results/tiny/tables/table_05.md").read_text()
    assert "| Rate (bits)   | 4 " in text
    assert "0.0260 ± 0.0014 (2)" in text
    assert "In brackets behind a number: how many seeds" in text
    assert "MNIST sample" in text
    assert "INCOMPLETE" not in text
    assert r"\begin{tabular}" in Path("results/tiny/tables/table_05.tex").read_text()


@pytest.mark.parametrize(
    ("change", "weight", "origin"), [({}, 0.001, "published"), ({"use": "fitted"}, 0.01, "fitted"), (0.5, 0.5, "own")]
)
def test_every_table_says_which_lambda_it_used(run, change, weight, origin):
    config = run({"tasks": {"super_resolution": {"modes": {"end_to_end": {"distribution_weight": change}}}}})
    tables.write(5, config)
    settings.write_settings(config)
    rows = pd.read_csv("results/tiny/tables/table_05.csv")
    assert set(zip(rows.distribution_weight, rows.weight_origin, strict=True)) == {(weight, origin)}
    assert f"lambda {weight:g} ({origin})" in Path("results/tiny/tables/table_05.md").read_text()
    assert rf"$\lambda$ {weight:g} ({origin})" in Path("results/tiny/tables/table_05.tex").read_text()
    third = pd.read_csv("results/tiny/tables/table_03.csv").set_index(["task", "network"])
    assert tuple(third.loc[("super_resolution", "Encoder"), ["lambda", "lambda is"]]) == (weight, origin)
    figures.write(5, config)
    assert f"lambda {weight:g} ({origin})" in Path("results/tiny/figures/figure_05.svg").read_text()


def test_one_seed_has_no_spread(run):
    config = run({"seeds": [0]})
    tables.write(6, config)
    rows = pd.read_csv("results/tiny/tables/table_06.csv")
    assert rows["std"].isna().all()
    assert "±" not in Path("results/tiny/tables/table_06.md").read_text()


@pytest.mark.parametrize(("dataset", "beside"), [("mnist", True), ("mnist_sample", False)])
def test_the_papers_numbers_stand_beside_its_data_set_only(run, dataset, beside):
    config = run({"tasks": {"super_resolution": {"dataset": dataset}}})
    tables.write(5, config)
    rows = pd.read_csv("results/tiny/tables/table_05.csv").set_index(["randomness", "rate_bits"])
    text = Path("results/tiny/tables/table_05.md").read_text()
    assert ("MSE (paper)" in text) == beside
    if beside:
        assert rows.loc[("common", 8), "paper"] == 0.0420
        assert rows.loc[("independent", 4), "paper"] == 0.0558
    else:
        assert rows["paper"].isna().all()


def test_missing_cells_are_named_and_the_other_task_is_whole(run):
    config = run(without={("super_resolution", 8, "common", 1)})
    for number in (5, 6):
        tables.write(number, config)
    text = Path("results/tiny/tables/table_05.md").read_text()
    assert "INCOMPLETE, 1 cell missing: super-resolution, end to end, common randomness, 8 bits, seed 1." in text
    rows = pd.read_csv("results/tiny/tables/table_05.csv").set_index(["randomness", "rate_bits"])
    assert rows["n_seeds"].to_dict()[("common", 8)] == 1
    assert "INCOMPLETE" not in Path("results/tiny/tables/table_06.md").read_text()


def grid_of(text, heading):
    """The cells of the Markdown table under a heading."""
    lines = text.split(f"**{heading}**")[1].strip().split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [rows[0], *rows[2:]]


def test_tables_1_2_and_11_are_in_the_papers_shape(run, all_modes):
    config = run({**all_modes, "seeds": [0]})
    for number in (1, 2, 11):
        tables.write(number, config)
    one, two, eleven = (Path(f"results/tiny/tables/table_{n}.md").read_text() for n in ("01", "02", "11"))
    # At the rates that both modes have: end to end is there at 4 bits as well.
    assert grid_of(one, "Super-resolution") == [
        ["Rate (bits)", "8"], ["End-to-end loss", "0.0225 (1)"], ["Decomposed loss", "0.0410 (1)"]
    ]  # fmt: skip
    assert grid_of(two, "Denoising") == [
        ["Rate (bits)", "12 Joint", "12 Separate"],
        ["E‖X − Y1‖²", "0.0100 (1)", "0.0100 (1)"],
        ["E‖Ỹ − Y2‖²", "0.0300 (1)", "0.0200 (1)"],
        ["E‖Y1 − Y2‖²", "0.0010 (1)", "0.0010 (1)"],
    ]
    assert grid_of(eleven, "Super-resolution, joint training") == [
        ["Rate (bits)", "E‖X − Y1‖²", "E‖Ỹ − Y2‖²", "E‖Y1 − Y2‖²", "Decomposed loss", "End-to-end loss"],
        ["8", "0.0100 (1)", "0.0300 (1)", "0.0010 (1)", "0.0410 (1)", "0.0225 (1)"],
    ]
    rows = pd.read_csv("results/tiny/tables/table_11.csv")
    assert set(rows.quantity) == {"mse_x_y1", "mse_y_y2", "mse_y1_y2", "loss_decomposed", "loss_end_to_end"}
    assert r"$E$" not in Path("results/tiny/tables/table_11.tex").read_text()
    assert r"$\tilde{Y}$" in Path("results/tiny/tables/table_11.tex").read_text()


def test_the_better_of_baseline_and_ours_is_bold(run, all_modes):
    config = run({**all_modes, "seeds": [0]})
    tables.write(7, config)
    text = Path("results/tiny/tables/table_07.md").read_text()
    assert grid_of(text, "With common randomness")[1:] == [["Baseline", "0.0325 (1)"], ["Ours", "**0.0125 (1)**"]]
    assert grid_of(text, "Without common randomness")[1:] == [["Baseline", "**0.0175 (1)**"], ["Ours", "0.0225 (1)"]]
    assert r"\textbf{0.0125 (1)}" in Path("results/tiny/tables/table_07.tex").read_text()


@pytest.mark.parametrize("number", [1, 2, 5, 7, 11])
def test_every_published_number_finds_its_place(run, all_modes, values, number):
    """On the paper's data set and grid, each of its numbers stands beside one of ours."""
    published = paper.published().query("table == @number and task == 'super_resolution'")
    modes = {mode: values["tasks"]["super_resolution"]["modes"][mode] for mode in ("joint", "separate", "baseline")}
    modes["end_to_end"] = {"rates": list(range(4, 33, 2))}
    change = {"seeds": [0], "tasks": {"super_resolution": {"dataset": "mnist", "modes": modes}}}
    config = run(merge(all_modes, change))
    tables.write(number, config)
    rows = pd.read_csv(f"results/tiny/tables/table_{number:02d}.csv")
    assert rows["paper"].notna().sum() == len(published)
    assert sorted(rows["paper"].dropna()) == sorted(published["value"])


def test_settings_and_architectures_are_the_programs_own(tiny, all_modes, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    config = validate(merge(tiny, all_modes))
    settings.write_settings(config)
    rows = pd.read_csv("results/tiny/tables/table_03.csv").set_index(["task", "network"])
    assert rows.loc[("super_resolution", "Critic"), "gradient penalty"] == "10"
    assert rows.loc[("denoising", "Encoder"), "lambda"] == 0.003
    text = Path("results/tiny/tables/table_04.md").read_text()
    assert "0 (frozen)" in text
    assert "Critic" not in text, "the two-branch model has none unless a weight is set"
    for number, (task, mode) in catalogue.ARCHITECTURES.items():
        found = layers(task, mode, 16 if task == "super_resolution" else 38, 1.0)
        settings.write_architecture(number, config, found, 16)
    counts = {
        number: pd.read_csv(f"results/tiny/tables/table_{number}.csv").groupby("network").parameters.sum().to_dict()
        for number in catalogue.ARCHITECTURES
    }
    assert counts[12] == {"Encoder": 472_208, "Decoder": 328_129, "Critic": 1_030_145}
    assert counts[14] == {"Encoder": 1_184_934, "Decoder": 648_967, "Critic": 1_033_345}
    assert counts[13]["Decoder 1 and 2"] == counts[12]["Decoder"]
    assert Path("results/tiny/tables/table_15.md").read_text().count("ResBlock") == 3


@pytest.mark.parametrize(
    ("left_out", "numbers"),
    [
        ({}, {12, 13, 14, 15}),
        ({"tasks": {"denoising": None}}, {12, 13}),
        ({"tasks": {"denoising": {"modes": {"end_to_end": None, "joint": None, "separate": None}}}}, {12, 13}),
    ],
)
def test_networks_of_what_is_left_out_have_no_table(tiny, all_modes, left_out, numbers, tmp_path, monkeypatch):
    """The workflow expects of the command the tables that it writes."""
    monkeypatch.chdir(tmp_path)
    made = merge(merge(tiny, all_modes), left_out)
    Path("config.yaml").write_text(yaml.safe_dump(made))
    result = CliRunner().invoke(main, ["architectures", "--config", "config.yaml"])
    assert result.exit_code == 0, result.output
    assert {int(path.stem[-2:]) for path in Path("results/tiny/tables").glob("table_*.csv")} == numbers
    assert set(catalogue.architectures(validate(made))) == numbers


def test_nothing_to_show_is_an_error(run, tiny):
    with pytest.raises(EcotError, match="Table 5: no cell of it is measured in results/tiny"):
        tables.write(5, validate(tiny))
    with pytest.raises(EcotError, match="no Table 99; there are 1, 2, 5"):
        tables.write(99, validate(tiny))
    with pytest.raises(EcotError, match="Figure 5: no cell of it is measured"):
        figures.write(5, validate(tiny))


def test_all_cells_in_one_table(run):
    config = run()
    metrics.collect(config)
    assert len(pd.read_csv("results/tiny/metrics.csv")) == len(list(grid(config)))


def test_figure_5_is_drawn_the_same_twice(run):
    config = run()
    contents = []
    for _ in range(2):
        figures.write(5, config)
        contents.append(Path("results/tiny/figures/figure_05.svg").read_bytes())
    assert contents[0] == contents[1]
    with Image.open("results/tiny/figures/figure_05.png") as picture:
        assert min(picture.size) > 800
    assert len(list(Path("results/tiny/figures").iterdir())) == 2


def test_published_numbers_are_complete():
    numbers = paper.published()
    counts = numbers.groupby("table").size().to_dict()
    assert counts == {1: 16, 2: 32, 5: 30, 6: 36, 7: 60, 8: 72, 9: 16, 10: 18, 11: 40}
    assert numbers["value"].between(0, 0.1).all()
    assert set(numbers.randomness) == {"common", "independent"}
    # Tables 5 and 7, 6 and 8 print the same system; they differ in one misprint of Table 7.
    wide = numbers[numbers["mode"] == "end_to_end"].pivot_table(
        index=["task", "rate_bits", "randomness"], columns="table", values="value"
    )
    assert (wide[6] - wide[8]).abs().max() < 1e-4
    assert ((wide[5] - wide[7]).abs() > 1e-4).sum() == 1
