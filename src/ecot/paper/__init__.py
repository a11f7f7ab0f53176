"""The paper's published numbers."""

import functools

import pandas as pd

from ecot import RESOURCES

# The data sets that the published numbers belong to; they stand beside no other.
DATASETS = {"super_resolution": "mnist", "denoising": "svhn"}


@functools.cache
def published() -> pd.DataFrame:
    """Every number of Tables 1, 2 and 5-11, a row each.

    Columns: table, task, rate_bits, randomness, mode, quantity, value, note (marks misprints).
    """
    numbers = pd.read_csv(RESOURCES / "paper_tables.csv")
    randomness = numbers.pop("common_randomness").map({"with": "common", "without": "independent"})
    return numbers.assign(randomness=randomness)
