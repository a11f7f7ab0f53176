"""Arguments and options that several commands share."""

from pathlib import Path

import click

from ecot.config import Config, load
from ecot.grid.cell import Cell


def _configuration(_ctx: click.Context, _parameter: click.Parameter, paths: tuple[Path, ...]) -> Config:
    return load(*paths)


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    multiple=True,
    default=["config.yaml"],
    show_default=True,
    is_eager=True,  # before the name of a cell is read: extensions add names
    callback=_configuration,
    help="Configuration file; given again, each is laid over those before it.",
)
cell_argument = click.argument("cell", callback=lambda _ctx, _parameter, name: Cell.parse(name))
weight_option = click.option(
    "--weight",
    type=click.FloatRange(min=0),
    help="lambda of (15), for a sweep.  [default: the configuration's]",
)
