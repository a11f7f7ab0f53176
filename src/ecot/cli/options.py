"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated, Any

import click
from pydantic import TypeAdapter, ValidationError

from ecot.config import Config, Schedule, load
from ecot.grid.cell import Cell
from ecot.settings import Settings


def _configuration(_ctx: click.Context, _parameter: click.Parameter, paths: tuple[Path, ...]) -> Config:
    return load(*paths)


class Setting(click.ParamType):  # type: ignore[type-arg]  # older versions of click have none
    """A value that obeys the type of a setting, as it does in a configuration file."""

    def __init__(self, settings: type[Settings], name: str) -> None:
        field = settings.model_fields[name]
        self.name = getattr(field.annotation, "__name__", name)
        allowed: Any = Annotated[field.annotation, *field.metadata]
        self.allowed: TypeAdapter[Any] = TypeAdapter(allowed)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The value; click's message for one that is not allowed."""
        try:
            return self.allowed.validate_strings(value)
        except ValidationError as error:
            self.fail(f"{value}: {error.errors()[0]['msg']}", param, ctx)


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
    type=Setting(Schedule, "distribution_weight"),
    help="lambda of (15), for a sweep.  [default: the configuration's]",
)
