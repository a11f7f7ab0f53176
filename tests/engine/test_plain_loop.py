"""The engine against the plain loop of the benchmarks: faster, and the same results."""

import numpy as np
import torch

from benchmarks.plain import PlainLoop
from ecot.data.arrays import load
from ecot.engine.feed import Feed
from ecot.engine.loop import fit
from ecot.engine.training import make_trainer

CPU = torch.device("cpu")
SEEDS = range(4)


def test_the_same_cell_by_both_loops_agrees_within_the_spread_over_seeds(datasets, settings):
    """Distortion on the training images after the same number of steps, critic included; 4 standard errors."""
    mode = {"end_to_end": {"epochs": 4, "decays": {1: None}, "distribution_weight": 1e-2}}
    change = {
        "tasks": {"super_resolution": {"modes": mode}},
        "training": {"batch_size": 16, "critic_batches": "paired"},  # as a plain loop has them
    }
    images = load(datasets / "mnist_sample.npz", "train", 512).images
    engine, plain = [], []
    for seed in SEEDS:
        made = settings(seed=seed, change=change)
        trainer, feed = make_trainer(made, CPU), Feed(images, made, CPU)
        fit(trainer, feed)
        torch.manual_seed(1000 + seed)
        loop = PlainLoop(made, torch.from_numpy(images), CPU, workers=0)
        loop.run(made.schedule.epochs * feed.steps)
        batches = list(feed.epoch(99))
        with torch.no_grad():
            engine.append(np.mean([float(trainer.system(b.x, b.u).terms["distortion"]) for b in batches]))
            outputs = [torch.nn.functional.mse_loss(loop.reconstruct(b.x), b.x) for b in batches]
            plain.append(float(torch.stack(outputs).mean()))
    difference = np.mean(engine) - np.mean(plain)
    error = np.sqrt((np.var(engine, ddof=1) + np.var(plain, ddof=1)) / len(SEEDS))
    assert abs(difference) < 4 * error
    assert error < 0.1 * np.mean(plain)  # else the test would say nothing
