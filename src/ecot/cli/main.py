"""`ecot`: every step of the pipeline as a command, usable without Snakemake."""

import logging
import sys
from typing import Any

import click

from ecot import __version__
from ecot.cli import data, inspect, report, train
from ecot.cli.bounds import bounds
from ecot.errors import EcotError

# Packages that the commands need beyond what is always installed, and the extra of pyproject.toml that brings them.
EXTRAS = {
    **dict.fromkeys(("safetensors", "torch", "torchvision", "tqdm"), "train"),
    **dict.fromkeys(("jinja2", "matplotlib", "seaborn", "snakemake"), "pipeline"),
}


class _Commands(click.Group):
    """Turns errors that a user may see into one line and exit status 1."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EcotError as error:
            click.echo(f"ecot: {error}", err=True)
            sys.exit(1)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] not in EXTRAS:
                raise
            package = error.name.split(".")[0]
            click.echo(f"ecot: {package} is not installed; `pip install '.[{EXTRAS[package]}]'` brings it", err=True)
            sys.exit(1)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__)
def main() -> None:
    """Lossy compression with distribution shift: data, training, evaluation, tables, figures."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr)


for _command in (
    *(data.data, data.schema, data.classifier, data.clean_scores),
    *(train.train, train.evaluate),
    *(report.make, report.show, report.reference),
    *(inspect.status, inspect.plan, inspect.compare, inspect.index, inspect.prune),
    bounds,
):
    main.add_command(_command)
