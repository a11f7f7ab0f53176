"""Options that several commands share."""

from pathlib import Path

import click

from ecot.config import Config, load


def _configuration(_ctx: click.Context, _parameter: click.Parameter, paths: tuple[Path, ...]) -> Config:
    return load(*paths)


config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    multiple=True,
    default=["config.yaml"],
    show_default=True,
    callback=_configuration,
    help="Configuration file; given again, each is laid over those before it.",
)
dataset_option = click.option(
    "--dataset",
    type=click.Path(path_type=Path),
    help="Prepared data set (.npz).  [default: results/datasets/NAME.npz]",
)
