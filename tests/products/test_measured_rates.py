"""Distortion against measured rates: the table, the comparison at equal distortion, the figure."""

from pathlib import Path

import pandas as pd
import pytest

from ecot.products import base, measured_rates
from ecot.products.measured_rates import savings, sentence

SHARE = {"common": 0.9, "independent": 0.6}  # of d log2(L): indices without common randomness are coded better


def numbers(cell):
    """Common randomness saves 2 bits by the paper's count, and fewer by the coder's."""
    rate = cell.rate_bits or 1
    found = {"mse_input": 1 / (rate + 2 * (cell.randomness == "common")), "mse_target": 0.1}
    if cell.mode == "end_to_end":
        coded = SHARE[cell.randomness] * rate
        found |= {"cross_entropy_bits": coded, "file_bits": coded + 0.5 + cell.seed}
    return found


CHANGE = {"tasks": {"super_resolution": {"modes": {"end_to_end": {"rates": [4, 6, 8, 10]}}}}}


def test_means_over_seeds_and_all_three_counts(run):
    config = run(CHANGE, numbers=numbers)
    product = base.named(config, "measured_rates")
    base.make(config, product)
    assert all(path.is_file() and path.stat().st_size for path in product.files(config))
    rows = pd.read_csv("results/tiny/tables/measured_rates.csv")
    one = rows[(rows.task == "super_resolution") & (rows.randomness == "common") & (rows.rate_bits == 8)]
    assert one[["cross_entropy_bits", "file_bits", "mse_input", "n_seeds"]].iloc[0].tolist() == pytest.approx(
        [7.2, 8.2, 0.1, 2]
    )
    text = Path("results/tiny/tables/measured_rates.md").read_text(encoding="utf-8")
    assert "Only the paper's count agrees with the paper's statement" in text


def test_tasks_are_in_the_configurations_order_and_rates_ascend(run):
    """With so many rows that a sort which is not stable would mix them up."""
    change = {"tasks": {"super_resolution": {"modes": {"end_to_end": {"rates": list(range(4, 33, 2))}}}}}
    config = run(change, numbers=numbers)
    base.make(config, base.named(config, "measured_rates"))
    rows = pd.read_csv("results/tiny/tables/measured_rates.csv")
    assert list(rows.task.unique()) == ["super_resolution", "denoising"]
    for _, curve in rows.groupby(["task", "randomness"]):
        assert curve.rate_bits.is_monotonic_increasing


def test_bits_saved_at_equal_distortion():
    """The curve of common randomness is linear between its points; what lies outside is not compared."""
    rows = pd.DataFrame(
        [
            ("common", 4, 3.0, 0.4),
            ("common", 8, 7.0, 0.2),
            ("independent", 8, 5.0, 0.3),
            ("independent", 20, 9.0, 0.1),
        ],
        columns=["randomness", "rate_bits", "cross_entropy_bits", "mse_input"],
    )
    assert savings(rows, "rate_bits") == [2.0]
    assert savings(rows, "cross_entropy_bits") == [0.0]
    assert "saves 2.00 bits per image by the paper's count and 0.00" in sentence(rows)
    assert "nothing is compared" in sentence(rows[rows.randomness == "common"])


def test_a_run_without_measured_rates_is_refused(run):
    from ecot.errors import EcotError

    config = run(CHANGE)
    with pytest.raises(EcotError, match="no cell of it has measured rates"):
        base.make(config, base.named(config, measured_rates.NAME))
