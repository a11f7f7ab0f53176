"""Images per second of the codec, beside the network's own forward pass in the same run.

    python -m benchmarks.codec [--task super_resolution] [--images 10000] [--device cpu]

It trains a cell of the embedded sample for one epoch, with the paper's networks, and encodes and decodes so many
images. What entropy coding adds is printed as a share of the forward pass of the half that it belongs to: the
encoder's for encoding, the decoder's for decoding.
"""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

import click
import numpy as np
import torch

import ecot
from benchmarks import measuring
from ecot import config as configuration
from ecot.codec.codec import Codec
from ecot.coding import entropy
from ecot.coding.quantiser import Code
from ecot.config import Compute, Device
from ecot.data.prepare import prepare
from ecot.engine.job import train
from ecot.evaluation.measurement import BATCH
from ecot.grid.cell import Cell
from ecot.grid.plan import cell_settings


@click.command(context_settings={"show_default": True})
@click.option("--task", type=click.Choice(list(measuring.SAMPLES)), default="super_resolution")
@click.option("--rate", type=int, help="Bits per image.  [default: the middle one of the paper's grid]")
@click.option("--images", default=10_000)
@click.option("--device", type=click.Choice(get_args(Device)), default="cpu")
@click.option("--repetitions", default=5)
def main(task: str, rate: int | None, images: int, device: Device, repetitions: int) -> None:
    """Time encoding and decoding, with the entropy coder and without."""
    chosen = measuring.choose(device)
    click.echo(measuring.machine(chosen))
    with TemporaryDirectory() as folder:
        model = _model(task, rate, device, Path(folder))
    click.echo(
        f"{task}, {model.limit_bits} bits per image, {images} images, {torch.get_num_threads()} threads; images/s"
    )
    times = {name: [] for name, _ in _steps(model, images)}
    for _ in range(repetitions):
        for name, step in _steps(model, images):
            start = time.perf_counter()
            step()
            times[name].append(time.perf_counter() - start)
    for name, seconds in times.items():
        click.echo(f"  {name:<42}{measuring.spread([images / s for s in seconds])}")
    best = {name: min(seconds) for name, seconds in times.items()}
    for half in ("encode", "decode"):
        share = best[f"{half}: entropy coder"] / best[f"{half}: network"]
        click.echo(f"  {half}: the entropy coder takes {100 * share:.2f} % of the network's time")


def _model(task: str, rate: int | None, device: Device, folder: Path) -> Codec:
    paper = measuring.paper()
    name = measuring.SAMPLES[task]
    change = {"tasks": {task: {"dataset": name, "modes": {"end_to_end": measuring.short(paper, task, 1)}}}}
    values = configuration.merge(paper.model_dump(), {**change, "seeds": [0]})
    rates = paper.tasks[task].modes["end_to_end"].rates or []
    cell = Cell(task, "end_to_end", "common", rate or rates[len(rates) // 2], 0)
    settings = cell_settings(configuration.validate(values), cell)
    prepare(name, folder, folder / f"{name}.npz")
    train(settings, folder / f"{name}.npz", device, Compute(), folder / "model")
    return ecot.load(folder / "model", str(measuring.choose(device)))


def _steps(model: Codec, n: int) -> list[tuple[str, Callable[[], object]]]:
    """The steps that are timed: the network alone, the coder alone, and all of it, for each half."""
    rng = np.random.default_rng(0)
    x = rng.random((n, *model.shape), np.float32)
    encoded = model.encode(x, seed=0)
    contexts = model.contexts(encoded.seed, n)
    stream = entropy.encode(encoded.indices, contexts, model.frequencies)
    content = model.to_bytes(encoded)
    device, d = model.device, model.settings.latent_dim
    u = torch.zeros(BATCH, d, device=device)
    pixels = torch.from_numpy(x).to(device)
    code = torch.from_numpy(encoded.indices.astype(np.float32)).to(device)

    def forward(half: Callable[[int], object]) -> None:
        with torch.no_grad():
            for start in range(0, n - BATCH + 1, BATCH):
                half(start)

    return [
        ("encode: network", lambda: forward(lambda i: model.system.encode(pixels[i : i + BATCH], u).indices.cpu())),
        ("encode: entropy coder", lambda: entropy.encode(encoded.indices, contexts, model.frequencies)),
        ("encode: images to a file's bytes", lambda: model.to_bytes(model.encode(x, seed=0))),
        ("decode: network", lambda: forward(lambda i: model.system.decode(Code(code[i : i + BATCH]), u).cpu())),
        ("decode: entropy coder", lambda: entropy.decode(stream, contexts, model.frequencies)),
        ("decode: a file's bytes to images", lambda: model.decode(model.from_bytes(content))),
    ]


if __name__ == "__main__":
    main()
