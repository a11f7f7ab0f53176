"""Data sets: fetching, checking, converting and loading them."""

from ecot.data.datasets import DATASETS, DatasetInfo, load, prepare
from ecot.data.readers import Split

__all__ = ["DATASETS", "DatasetInfo", "Split", "load", "prepare"]
