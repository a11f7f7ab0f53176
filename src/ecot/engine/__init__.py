"""Objectives, the training loop, checkpoints, devices."""
