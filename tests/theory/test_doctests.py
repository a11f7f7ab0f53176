"""The examples in the docstrings."""

import doctest
import importlib

import pytest

MODULES = "binary", "finite", "gaussian", "squared", "uniform", "images", "penalty", "simulation", "curves"


@pytest.mark.parametrize("module", MODULES)
def test_examples(module):
    failed, tried = doctest.testmod(importlib.import_module(f"ecot.theory.{module}"))
    assert failed == 0
    assert tried > 0
