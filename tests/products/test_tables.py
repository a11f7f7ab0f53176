"""Tables over rates: means, spreads, the paper's numbers, what is missing, the paper's shapes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from ecot import paper
from ecot.config import merge, validate
from ecot.errors import EcotError
from ecot.grid.paths import results_folder
from ecot.grid.plan import grid
from ecot.products import base, paper_tables, rate_tables
from ecot.products.tables import latex, markdown
from ecot.source import closure

SR, DN = "super_resolution", "denoising"


def write(config, name):
    """Write a product; its Markdown and its numbers."""
    product = base.named(config, name)
    base.make(config, product)
    assert all(path.is_file() for path in product.files(config))
    csv, md, _tex = product.files(config)
    return md.read_text(), pd.read_csv(csv)


def tex(config, name):
    return base.named(config, name).files(config)[2].read_text()


def grid_of(text, heading):
    """The cells of the Markdown table under a heading."""
    lines = text.split(f"**{heading}**")[1].strip().split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [rows[0], *rows[2:]]


def test_a_table_is_mean_and_spread_over_seeds(run):
    config = run()
    text, rows = write(config, "table_05")
    assert list(rows.columns) == [
        "task", "rate_bits", "randomness", "mode", "quantity", "value", "std", "n_seeds", "paper", "dataset",
        "distribution_weight", "dither",
    ]  # fmt: skip
    common = rows[(rows.randomness == "common") & (rows.rate_bits == 4)].iloc[0]
    assert common["value"] == pytest.approx(0.026)
    assert common["std"] == pytest.approx(0.001 * np.sqrt(2))
    assert common["n_seeds"] == 2
    assert text.startswith("### Table 5: MSE between input and output, super-resolution\n")
    assert "| Rate (bits)   | 4 " in text
    assert "0.0260 ± 0.0014 (2)" in text
    assert "In brackets behind a number: how many seeds" in text
    assert "MNIST sample" in text
    assert "INCOMPLETE" not in text
    assert r"0.0260 $\pm$ 0.0014 (2)" in tex(config, "table_05")


@pytest.mark.parametrize(
    ("weight", "words"), [(0.001, "lambda 0.001 (as published)"), (0.01, "lambda 0.01 (published: 0.001)")]
)
def test_every_table_says_which_lambda_it_used(run, weight, words):
    config = run({"tasks": {SR: {"modes": {"end_to_end": {"distribution_weight": weight}}}}})
    text, rows = write(config, "table_05")
    assert set(rows.distribution_weight) == {weight}
    assert f"end to end: 2 epochs, {words};" in text
    assert words.replace("lambda", r"$\lambda$") in tex(config, "table_05")


def test_one_seed_has_no_spread(run):
    text, rows = write(run({"seeds": [0]}), "table_06")
    assert rows["std"].isna().all()
    assert "±" not in text


@pytest.mark.parametrize(("dataset", "beside"), [("mnist", True), ("mnist_sample", False)])
def test_the_papers_numbers_stand_beside_its_data_set_only(run, dataset, beside):
    text, rows = write(run({"tasks": {SR: {"dataset": dataset}}}), "table_05")
    rows = rows.set_index(["randomness", "rate_bits"])
    assert ("MSE (paper)" in text) == beside
    if beside:
        assert rows.loc[("common", 8), "paper"] == 0.0420
        assert rows.loc[("independent", 4), "paper"] == 0.0558
    else:
        assert rows["paper"].isna().all()


def test_missing_cells_are_named_and_the_other_task_is_whole(run):
    config = run(without={f"{SR}/end_to_end/common/rate-8/seed-1"})
    text, rows = write(config, "table_05")
    assert "INCOMPLETE, 1 cell missing: Super-resolution, end to end, common randomness, 8 bits, seed 1." in text
    assert rows.set_index(["randomness", "rate_bits"])["n_seeds"].to_dict()[("common", 8)] == 1
    assert "INCOMPLETE" not in write(config, "table_06")[0]


def test_tables_1_2_and_11_are_in_the_papers_shape(run, all_modes):
    config = run({**all_modes, "seeds": [0]})
    (one, _), (two, _), (eleven, rows) = (write(config, f"table_{number}") for number in ("01", "02", "11"))
    # At the rates that both modes have: end to end is there at 4 bits as well.
    assert grid_of(one, "Super-resolution") == [
        ["Rate (bits)", "8"], ["End-to-end loss", "0.0225 (1)"],
        ["Decomposed loss, fresh dither", "0.0410 (1)"], ["Decomposed loss, shared dither", "0.0410 (1)"],
    ]  # fmt: skip
    assert grid_of(two, "Denoising") == [
        ["Rate (bits)", "12 Joint, fresh dither", "12 Joint, shared dither", "12 Separate"],
        ["E‖X − Y1‖²", "0.0100 (1)", "0.0100 (1)", "0.0100 (1)"],
        ["E‖Ỹ − Y2‖²", "0.0300 (1)", "0.0300 (1)", "0.0200 (1)"],
        ["E‖Y1 − Y2‖²", "0.0010 (1)", "0.0010 (1)", "0.0010 (1)"],
    ]
    assert grid_of(eleven, "Super-resolution, joint training, fresh dither") == [
        ["Rate (bits)", "E‖X − Y1‖²", "E‖Ỹ − Y2‖²", "E‖Y1 − Y2‖²", "Decomposed loss", "End-to-end loss"],
        ["8", "0.0100 (1)", "0.0300 (1)", "0.0010 (1)", "0.0410 (1)", "0.0225 (1)"],
    ]
    assert set(rows.quantity) == {"mse_x_y1", "mse_y_y2", "mse_y1_y2", "loss_decomposed", "loss_end_to_end"}
    header = r"Rate (bits) & $E\|X-Y_1\|^2$ & $E\|\tilde{Y}-Y_2\|^2$ & $E\|Y_1-Y_2\|^2$ & Decomposed loss &"
    assert header in tex(config, "table_11")


def test_the_better_of_baseline_and_end_to_end_is_bold_where_the_seeds_decide(run, all_modes):
    """Here both seeds have one and the same difference with common randomness, and opposite ones without."""

    def numbers(cell):
        found = {"mse_input": 0.0525 + 0.002 * cell.seed, "mse_target": 0.1}
        if cell.mode == "baseline":
            found["mse_input"] += 0.02 if cell.randomness == "common" else 0.02 * (1 - 2 * cell.seed)
        return found | dict.fromkeys(("mse_x_y1", "mse_y_y2", "mse_y1_y2", "loss_decomposed"), 0.01)

    config = run(all_modes, numbers=numbers)
    text, _ = write(config, "table_07")
    with_common, without = (grid_of(text, f"{word} common randomness")[1:] for word in ("With", "Without"))
    assert with_common == [["Baseline", "0.0735 ± 0.0014 (2)"], ["End to end", "**0.0535 ± 0.0014 (2)**"]]
    assert not any("**" in cell for row in without for cell in row)
    assert r"\textbf{0.0535 $\pm$ 0.0014 (2)}" in tex(config, "table_07")
    one_seed = run({**all_modes, "seeds": [0]})
    assert "**0" not in write(one_seed, "table_07")[0]


@pytest.mark.parametrize("number", [1, 2, 5, 7, 11])
def test_every_published_number_finds_its_place(run, all_modes, values, number):
    """On the paper's data set and grid, each of its numbers stands beside one of ours."""
    published = paper.published().query("table == @number and task == @SR")
    modes = {mode: values["tasks"][SR]["modes"][mode] for mode in ("joint", "separate", "baseline")}
    modes["end_to_end"] = {"rates": list(range(4, 33, 2))}
    change = {"seeds": [0], "tasks": {SR: {"dataset": "mnist", "modes": modes}, DN: None}}
    _, rows = write(run(merge(all_modes, change)), f"table_{number:02d}")
    assert sorted(rows["paper"].dropna()) == sorted(published["value"])


def test_every_task_has_a_table_of_all_its_modes(run, all_modes):
    config = run({**all_modes, "seeds": [0]})
    text, rows = write(config, f"rate_distortion_table_{DN}")
    assert grid_of(text, "End to end") == [
        ["Rate (bits)", "12"],
        ["E‖X − Ŷ‖², with common randomness", "0.0083 (1)"],
        ["E‖X − Ŷ‖², without common randomness", "0.0183 (1)"],
        ["E‖Y − Ŷ‖², with common randomness", "0.0167 (1)"],
        ["E‖Y − Ŷ‖², without common randomness", "0.0167 (1)"],
    ]
    assert set(rows["mode"]) == {"end_to_end", "joint", "separate", "baseline"}, "a restoration has no rate"
    assert rows.paper.isna().all()


def test_a_task_that_is_not_the_papers_has_its_table_and_none_of_the_papers(values, tiny, run):
    """A third task appears by its own name; the paper's numbering is that of the paper's tasks."""
    jpeg = {
        **tiny["tasks"][DN],
        "degradation": {"kind": "jpeg", "quality": 10},
    }
    config = run({"seeds": [0], "tasks": {"jpeg": jpeg, SR: None, DN: None}})
    text, _ = write(config, "rate_distortion_table_jpeg")
    assert "Removal of JPEG artefacts: street digits sample" in text
    assert "lambda 0.003;" in text, "the paper has no lambda of this task"
    assert not [name for name in base.products(config) if name.startswith("table_")]


def test_a_task_that_is_left_out_has_no_tables(tiny):
    there = base.products(validate(merge(tiny, {"tasks": {DN: None}})))
    assert {"table_05", "table_09", f"rate_distortion_table_{SR}"} <= set(there)
    assert not {"table_06", "table_10", f"rate_distortion_table_{DN}"} & set(there)
    assert "table_07" not in there, "there is no baseline"


def test_all_cells_are_in_the_table_of_metrics(run):
    config = run()
    base.make(config, base.named(config, "metrics"))
    rows = pd.read_csv(results_folder(config) / "metrics.csv")
    assert len(rows) == len(grid(config))
    keys = zip(rows.task, rows["mode"], rows.randomness, rows.rate_bits, rows.seed, strict=True)
    assert list(keys) == [(cell.task, cell.mode, cell.randomness, cell.rate_bits, cell.seed) for cell in grid(config)]
    assert rows.mse_input[0] == pytest.approx(0.1 / 4)


def test_nothing_measured_is_an_error(run, tiny):
    config = validate(tiny)
    with pytest.raises(EcotError, match="no cell of it is measured in results/tiny"):
        write(config, "table_05")
    with pytest.raises(EcotError, match=r"no product 'table_99' in this configuration; it has .*table_05"):
        write(config, "table_99")
    assert not (results_folder(config) / "tables").exists()


def test_a_changed_layout_makes_its_table_again_and_no_other():
    """A product is made again when its declaration or the code of its class changes."""
    tables = {table.name: table for table in paper_tables.TABLES}
    changed = replace(tables["table_05"], layout="rates down")
    assert repr(changed) != repr(tables["table_05"])
    for table in tables.values():
        assert table.modules == ("ecot.products.rate_tables",)
        assert "ecot.products.paper_tables" not in closure(table.modules), "where all of them are declared"
    assert "ecot.products.tables" in closure(changed.modules)


def test_no_product_depends_on_the_code_of_all_others(config):
    for product in rate_tables._products(config):
        assert "ecot.products.claims" not in closure(product.modules)


def test_a_bar_and_tex_signs_are_escaped():
    blocks = [("Heads & tails", [["100%", "a_b"], ["|x|", r"**{1}** ^ ~ # $ \ <"]])]
    assert r"| \|x\| " in markdown("Title", ["Note."], blocks)
    text = latex("A & B", ["C_d ± 1."], blocks)
    assert r"\caption{A \& B. C\_d $\pm$ 1.}" in text
    assert r"\par\medskip Heads \& tails \par" in text
    assert r"100\% & a\_b \\" in text
    assert r"|x| & \textbf{\{1\}} \textasciicircum{} \textasciitilde{} \# \$ \textbackslash{} \textless{} \\" in text
    for rule in ("toprule", "midrule", "bottomrule"):
        assert text.count(rf"\{rule}") == 1


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
