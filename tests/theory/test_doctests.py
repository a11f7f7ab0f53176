"""The examples in the docstrings."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("module", ["binary", "finite", "gaussian", "squared", "uniform", "images"])
def test_examples(module):
    failed, tried = doctest.testmod(importlib.import_module(f"ecot.theory.{module}"))
    assert failed == 0
    assert tried > 0
