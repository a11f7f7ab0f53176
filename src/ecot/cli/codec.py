"""Commands that compress images to a file, and bring them back."""

import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from ecot.errors import EcotError

model_option = click.option(
    "--model",
    "folder",
    type=click.Path(path_type=Path),
    required=True,
    help="Folder of the model: of a cell in the store, or one that the repository carries.",
)
output_option = click.option("--output", type=click.Path(path_type=Path), required=True, help="What to write.")


@click.command()
@model_option
@click.option(
    "--input", "source", type=click.Path(path_type=Path), required=True, help=".npy, .npz or folder of PNG files."
)
@output_option
@click.option("--seed", type=int, help="Fixes noise and dither.  [default: drawn]")
@click.option("--degrade", is_flag=True, help="The images are clean: make X from them first.")
@click.option("--raw", is_flag=True, help="Exactly d log2(L) bits per image, for single images; no entropy coding.")
def encode(folder: Path, source: Path, output: Path, seed: int | None, degrade: bool, raw: bool) -> None:
    """Compress images to a file (.ecot)."""
    with _refusing():
        import ecot
        from ecot.codec import images
        from ecot.coding import container
        from ecot.files import atomic

        model = ecot.load(folder)
        x = images.read(source, model.shape)
        if degrade:
            x = model.degrade(x, secrets.randbits(64) if seed is None else seed)
        encoded = model.encode(x, seed)
        content = model.to_bytes(encoded, raw=raw)
        with atomic(output) as temporary:
            temporary.write_bytes(content)
        n, header = len(x), container.overhead(model.settings.task)
        click.echo(
            f"{output}: {n} {'image' if n == 1 else 'images'}, {len(content)} bytes, {8 * len(content) / n:.2f} bits"
            f" per image; {8 * (len(content) - header) / n:.2f} without the {header} bytes of head and checksum,"
            f" {model.ideal_bits(encoded):.2f} ideally, {model.limit_bits} by the paper's count d log2(L)"
        )


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@model_option
@output_option
@click.option("--seed", type=int, help="Fixes what the decoder draws on its own.  [default: drawn]")
def decode(file: Path, folder: Path, output: Path, seed: int | None) -> None:
    """Bring back the images of FILE: to a folder of PNG files, or to a .npy or .npz file."""
    with _refusing():
        import ecot
        from ecot.codec import images

        images.check_output(output)
        model = ecot.load(folder)
        decoded = model.decode(model.from_bytes(images.read_file(file)), seed)
        images.write(output, decoded)
        n = len(decoded)
        click.echo(f"{output}: {n} {'image' if n == 1 else 'images'} of shape {model.shape}")


@contextmanager
def _refusing() -> Iterator[None]:
    """Bad input ends in one message and exit status 2, as a wrong option does."""
    try:
        yield
    except EcotError as error:
        click.echo(f"ecot: {error}", err=True)
        sys.exit(2)
