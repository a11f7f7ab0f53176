"""The published numbers against each other: docs/paper-inconsistencies.md and the notes say what these find."""

from itertools import combinations

import pandas as pd
import pytest

from ecot import paper
from ecot.paper.differences import KEY, of_paper

SR, DN = "super_resolution", "denoising"
ROUNDING = 0.5e-4  # of a number printed with four decimals
TERMS = ["mse_x_y1", "mse_y_y2", "mse_y1_y2"]


def joint():
    """Table 11's columns, by task and rate."""
    rows = paper.published().query("table == 11")
    return rows.pivot_table(index=["task", "rate_bits"], columns="quantity", values="value")


def test_rows_that_miss_their_sum_are_marked_as_misprints():
    rows = joint()
    misses = (rows[TERMS].sum(axis=1) - rows.loss_decomposed).pipe(lambda miss: miss[miss.abs() > 4 * ROUNDING])
    assert misses.to_dict() == pytest.approx({(SR, 20): -0.00207, (SR, 30): -0.01098})
    noted = paper.published().query("table == 11").dropna(subset=["note"])
    assert list(zip(noted.task, noted.rate_bits, noted.quantity, strict=True)) == [
        (SR, 30, "mse_x_y1"), (SR, 20, "mse_y1_y2")
    ]  # fmt: skip


def test_numbers_that_two_tables_print_differently_are_marked():
    pairs = [
        of_paper([one]).merge(of_paper([other]), on=[*KEY, "quantity"]).assign(tables=f"{one} and {other}")
        for one, other in combinations((5, 6, 7, 8, 1, 2, 11), 2)
    ]
    twice = pd.concat(pairs)
    apart = twice[(twice.value_x - twice.value_y).abs() > 2 * ROUNDING + 1e-9]
    assert apart[["tables", "rate_bits", "value_x", "value_y"]].to_numpy().tolist() == [
        ["5 and 7", 18, 0.0324, 0.0342], ["2 and 11", 30, 0.0092, 0.00122]
    ]  # fmt: skip
    assert len(paper.published().note.dropna()) == 4, "both ends of the second, the misprint of the first, and a sum"


def test_the_decomposed_loss_lies_above_the_other_in_seven_of_eight_points():
    numbers = paper.published().query("table == 1").pivot_table(
        index=["task", "rate_bits"], columns="quantity", values="value"
    )  # fmt: skip
    share = (numbers.loss_decomposed / numbers.loss_end_to_end - 1).mul(100).round(1)
    assert share[SR].tolist() == [5.0, 4.1, -0.6, 0.3]
    assert share[DN].tolist() == [5.7, 9.7, 12.9, 13.0]


def test_separate_training_is_worse_than_joint_at_two_points_of_denoising():
    numbers = paper.published().query("table == 2 and quantity == 'mse_x_y1' and task == @DN")
    wide = numbers.pivot_table(index="rate_bits", columns="mode", values="value")
    assert wide.index[wide["separate"] > wide["joint"]].tolist() == [60, 90]
