"""The paper's published numbers, and its statements about them."""

import functools

import pandas as pd

from ecot import RESOURCES
from ecot.errors import MistakeError

# The data sets that the published numbers belong to; they stand beside no other.
DATASETS = {"super_resolution": "mnist", "denoising": "svhn"}
TASKS = tuple(DATASETS)  # of the paper
# Epochs behind them, where the paper says so (Section B.3).
EPOCHS = {
    ("super_resolution", "end_to_end"): 50,
    ("super_resolution", "joint"): 100,
    ("denoising", "end_to_end"): 100,
    ("denoising", "joint"): 200,
}
LEARNING_RATE = 1e-4  # Adam's, at the start (Tables 3 and 4)
# The lambda of (15), lambda_1 of (70) and lambda_2 of (71), as printed (Table 3, Section B.5), by task and mode.
WEIGHTS = {
    ("super_resolution", "end_to_end"): 1e-3,
    ("super_resolution", "restoration"): 0.05,
    ("super_resolution", "baseline"): 0.01,
    ("denoising", "end_to_end"): 3e-3,
    ("denoising", "restoration"): 0.03,
    ("denoising", "baseline"): 0.005,
}


@functools.cache
def published() -> pd.DataFrame:
    """Every number of Tables 1, 2 and 5-11, one row per number.

    Columns: table, task, rate_bits, randomness, mode, quantity, value, note (marks misprints).
    """
    numbers = pd.read_csv(RESOURCES / "paper_tables.csv")
    randomness = numbers.pop("common_randomness").map({"with": "common", "without": "independent"})
    return numbers.assign(randomness=randomness)


def end_to_end(task: str, rates: list[int]) -> pd.DataFrame:
    """Both distortions of the end-to-end system at `rates`, of Tables 5 and 6 (mse_input), 9 and 10 (mse_target).

    Columns: rate_bits, randomness, quantity, paper. MistakeError if a rate stands in one table only or in none.
    """
    numbers = published().query("task == @task and table in (5, 6, 9, 10)")
    both = numbers.groupby("rate_bits")["quantity"].nunique().eq(2)
    known = sorted(both.index[both])
    for rate in rates:
        if rate not in known:
            raise MistakeError(
                f"the paper has no mse_input and mse_target of {task} at {rate} bits;"
                f" allowed rates: {', '.join(map(str, known)) or 'none'}"
            )
    numbers = numbers[numbers.rate_bits.isin(rates)].rename(columns={"value": "paper"})
    return numbers[["rate_bits", "randomness", "quantity", "paper"]].reset_index(drop=True)
