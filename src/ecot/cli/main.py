"""`ecot`: every step of the pipeline as a command, usable without Snakemake."""

import errno
import io
import logging
import os
import sys
from typing import Any

import click

from ecot import __version__
from ecot.cli import codec, data, inspect, report, train
from ecot.cli.bounds import bounds
from ecot.errors import EcotError

# Packages that the commands need beyond what is always installed, and the extra of pyproject.toml that brings them.
EXTRAS = {
    **dict.fromkeys(("constriction", "safetensors", "torch", "torchvision", "tqdm"), "train"),
    **dict.fromkeys(("jinja2", "matplotlib", "plotly", "seaborn", "snakemake"), "pipeline"),
}


class _Commands(click.Group):
    """Turns errors that a user may see into a message and the exit status of their kind."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except EcotError as error:
            click.echo(f"ecot: {error}", err=True)
            sys.exit(error.exit_code)
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read the output has gone; click says nothing
                raise
            click.echo(f"ecot: {error.filename or 'a file'}: {error.strerror or error}", err=True)
            sys.exit(EcotError.exit_code)
        except ModuleNotFoundError as error:
            if error.name is None or error.name.split(".")[0] not in EXTRAS:
                raise
            package = error.name.split(".")[0]
            click.echo(f"ecot: {package} is not installed; `pip install '.[{EXTRAS[package]}]'` brings it", err=True)
            sys.exit(EcotError.exit_code)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(__version__)
def main() -> None:
    """Lossy compression with distribution shift: data, training, evaluation, tables, figures."""
    logging.basicConfig(format="%(asctime)s %(message)s", stream=sys.stderr)
    logging.getLogger("ecot").setLevel(logging.INFO)  # other packages speak up when something is wrong
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that lacks a sign shows another one
            stream.reconfigure(errors="replace")
    os.environ["MPLBACKEND"] = "agg"  # what a notebook exports would be loaded with matplotlib


for _command in (
    *(data.data, data.schema, data.classifier, data.clean_scores),
    *(train.train, train.evaluate),
    *(report.make, report.show, report.reference),
    *(codec.encode, codec.decode),
    *(inspect.status, inspect.plan, inspect.compare, inspect.index, inspect.prune),
    bounds,
):
    main.add_command(_command)
