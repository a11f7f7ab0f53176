"""Commands for the products of a run: write them, show them, keep them."""

import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from ecot.cli.options import config_option
from ecot.config import Config
from ecot.errors import EcotError, MistakeError
from ecot.grid.paths import results_folder
from ecot.products import base
from ecot.products.base import Product
from ecot.products.incomplete import folder as incomplete_folder
from ecot.products.incomplete import incomplete, lacks_something

log = logging.getLogger(__name__)


@click.command()
@click.argument("names", metavar="NAME...", nargs=-1)
@config_option
@click.option("--all", "everything", is_flag=True, help="Write all products of the target `all`.")
@click.option(
    "--incomplete",
    "partial",
    is_flag=True,
    help="Write, below results/RUN/incomplete, the products of which some files are missing.",
)
def make(names: tuple[str, ...], config: Config, everything: bool, partial: bool) -> None:
    """Write the products NAME... of the run: tables, figures, claims, comparisons, bounds."""
    if everything + partial + bool(names) != 1:
        there = ", ".join(base.products(config))
        raise click.UsageError(f"write either names of products, or --all, or --incomplete; products: {there}")
    if partial:
        _each(incomplete(config), lambda product: product.write(config, incomplete_folder(config)))
        return
    chosen = [base.named(config, name) for name in names]
    if everything:
        chosen = [product for product in base.products(config).values() if product.in_all]
    _each(chosen, lambda product: _make(config, product))


@click.command()
@click.argument("names", metavar="[NAME]...", nargs=-1)
@config_option
def show(names: tuple[str, ...], config: Config) -> None:
    """Print a summary of the run on one screen; with NAME..., those products and where their files are."""
    if not names:
        from ecot.products.summary import summary

        click.echo(summary(config))
        return
    written, faults = [], []
    for product in (base.named(config, name) for name in names):
        try:
            base.require(config, product)
            written.append(_written(product, config))
        except EcotError as error:
            faults.append(str(error))
    if not any(written) and not faults:
        raise EcotError(f"run {config.run} has none of these products yet; `ecot make {' '.join(names)}` writes them")
    for files in written:
        for path in [path for path in files if path.suffix == ".md"][:1]:
            click.echo(path.read_text(encoding="utf-8"))
    for files in written:
        for path in files:
            click.echo(path)
    if faults:
        raise EcotError("\n".join(faults))


@click.command()
@config_option
def reference(config: Config) -> None:
    """Keep the finished run's results in results/reference/RUN, which belongs in git."""
    from ecot.products.reference import keep

    click.echo(keep(config))


def _make(config: Config, product: Product) -> None:
    """Write a product; what is incomplete stands apart, so that nobody takes it for finished."""
    if not lacks_something(product, config):
        base.make(config, product)
        return
    apart = incomplete_folder(config)
    product.write(config, apart)
    log.warning("%s is incomplete, since files that it is made of are missing: it is written to %s", product, apart)


def _each(products: Iterable[Product], write: Callable[[Product], None]) -> None:
    """Write all products, also after one that cannot be written; EcotError at the end names those."""
    faults: dict[str, EcotError] = {}
    for product in products:
        try:
            write(product)
        except EcotError as error:
            faults[f"{product.name} is not written: {error}"] = error
    if faults:
        kind = MistakeError if all(isinstance(error, MistakeError) for error in faults.values()) else EcotError
        raise kind("\n".join(faults))


def _written(product: Product, config: Config) -> list[Path]:
    """The files of a product that are there; those of an incomplete one stand in for those that are not."""
    run = results_folder(config)
    paths = [(path, incomplete_folder(config) / path.relative_to(run)) for path in product.files(config)]
    return [path if path.is_file() else stand_in for path, stand_in in paths if path.is_file() or stand_in.is_file()]
