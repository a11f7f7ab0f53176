"""Measuring trained models on the test set."""
