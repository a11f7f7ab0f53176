"""`ecot bounds`: how little distortion a rate allows, for each kind of source, on the terminal or as JSON.

The names of the values are those of the functions in `ecot.theory`, where their formulas stand.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ecot.cli.options import config_option
from ecot.config import Config
from ecot.errors import EcotError, MistakeError
from ecot.files import atomic

if TYPE_CHECKING:
    from ecot.theory._arguments import FloatArray, Values

rate_option = click.option(
    "--rate", type=float, multiple=True, required=True, help="Bits per letter; may be given several times."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object in place of a table.")


@click.group()
def bounds() -> None:
    """Print how little distortion a rate allows: d_cr with common randomness, d_ncr without."""


@bounds.command()
@click.option("--q-x", type=float, required=True, help="P(X = 1).")
@click.option("--q-y", type=float, required=True, help="P(Y = 1).")
@rate_option
@json_option
def binary(q_x: float, q_y: float, rate: tuple[float, ...], as_json: bool) -> None:
    """Binary sources under Hamming distortion (Theorem 4)."""
    with _options_named():
        from ecot.theory import binary as theory

        R = _finite(rate)
        _show(
            R,
            {
                "d_ncr": theory.d_ncr(q_x, q_y, R),
                "d_ncr_upper": theory.d_ncr_upper(q_x, q_y, R),
                "d_ncr_lower": theory.d_ncr_lower(q_x, q_y, R),
                "d_cr": theory.d_cr(q_x, q_y, R),
            },
            as_json,
        )


@bounds.command()
@click.option("--a", type=float, required=True, help="X is uniform on [0, a].")
@click.option("--b", type=float, required=True, help="Y is uniform on [0, b].")
@rate_option
@json_option
def uniform(a: float, b: float, rate: tuple[float, ...], as_json: bool) -> None:
    """Uniform sources under squared error (Appendix A.6): bounds only, the optimum is not known."""
    with _options_named():
        from ecot.theory import uniform as theory

        R = _finite(rate)
        _show(
            R,
            {
                "d_ncr_upper": theory.d_ncr_upper(a, b, R),
                "d_ncr_lower": theory.d_ncr_lower(a, b, R),
                "d_cr_lower": theory.d_cr_lower(a, b, R),
            },
            as_json,
        )


@bounds.command()
@click.option("--mu-x", type=float, default=0.0, help="Mean of X.")
@click.option("--sigma-x", type=float, required=True, help="Standard deviation of X.")
@click.option("--mu-y", type=float, default=0.0, help="Mean of Y.")
@click.option("--sigma-y", type=float, required=True, help="Standard deviation of Y.")
@rate_option
@json_option
def gaussian(
    mu_x: float, sigma_x: float, mu_y: float, sigma_y: float, rate: tuple[float, ...], as_json: bool
) -> None:
    """Gaussian sources under squared error, long blocks (Theorem 8)."""
    with _options_named():
        from ecot.theory import gaussian as theory

        R, sources = _finite(rate), (mu_x, sigma_x, mu_y, sigma_y)
        _show(
            R,
            {
                "d_ncr": theory.d_ncr(*sources, R),
                "d_ncr_upper": theory.d_ncr(*sources, R),  # (59)
                "d_ncr_lower": theory.d_ncr_lower(*sources, R),
                "d_cr": theory.d_cr(*sources, R),
            },
            as_json,
        )


@bounds.command()
@click.option("--p-x", required=True, help="Probabilities of X, for instance 0.2,0.3,0.5.")
@click.option("--p-y", required=True, help="Probabilities of Y.")
@click.option("--cost", help="d(x, y), a row for each x, for instance '0,1;1,0'.  [default: Hamming distortion]")
@rate_option
@json_option
def finite(p_x: str, p_y: str, cost: str | None, rate: tuple[float, ...], as_json: bool) -> None:
    """Sources on finite alphabets, by solvers (Definitions 2 and 3; long blocks: Theorems 5 and 7).

    d_ncr is known only to lie between a value that a plan attains, d_ncr_upper, and one that no plan goes below.
    """
    with _options_named():
        import numpy as np

        from ecot.theory import finite as theory

        R, p, q = _finite(rate), np.ravel(_rows("p_x", p_x)), np.ravel(_rows("p_y", p_y))
        d = _rows("cost", cost) if cost else 1 - np.eye(len(p), len(q))
        one_shot, long_blocks = theory.d_ncr(p, q, d, R), theory.d_ncr_asymptotic(p, q, d, R)
        _show(
            R,
            {
                "d_ncr_upper": one_shot.upper,
                "d_ncr_lower": one_shot.lower,
                "d_cr": theory.d_cr(p, q, d, R),
                "d_ncr_asymptotic_upper": long_blocks.upper,
                "d_ncr_asymptotic_lower": long_blocks.lower,
                "d_cr_asymptotic": theory.d_cr_asymptotic(p, q, d, R),
            },
            as_json,
        )


@bounds.command()
@click.option("--task", required=True, help="Task of the configuration: its data set and its degradation.")
@click.option(
    "--rate",
    type=float,
    multiple=True,
    help="Bits per image; may be given several times.  [default: a curve's rates]",
)
@config_option
@click.option("--out", type=click.Path(path_type=Path), help="Write the table to this file (.csv) as well.")
@json_option
def images(task: str, rate: tuple[float, ...], config: Config, out: Path | None, as_json: bool) -> None:
    """What the test images of a task say about its distortion before anything is trained, per pixel.

    The data set must be prepared.
    """
    with _options_named():
        from ecot.products import image_bounds

        table = image_bounds.compute(config, task, _finite(rate) if rate else None)
    if out:
        with atomic(out) as temporary:
            table.to_csv(temporary, index=False)
    at_rates = table[table.kind != "bound"].pivot_table("distortion", "rate_bits", "bound", sort=False)
    everywhere = table[table.kind == "bound"].set_index("bound")["distortion"]
    columns = {name: column.to_numpy() for name, column in at_rates.items()}
    about = table[["task", "dataset", "n_test"]].iloc[0].to_dict()
    _show(at_rates.index.to_numpy(), columns, as_json, about | everywhere.to_dict())


@contextmanager
def _options_named() -> Iterator[None]:
    """A wrong value, which the library names by its argument, ends in one line that names the option."""
    options = {parameter.name: parameter.opts[0] for parameter in click.get_current_context().command.params}
    try:
        yield
    except ValueError as error:
        argument, _, problem = str(error).partition(": ")
        raise MistakeError(f"{options[argument]}: {problem}" if argument in options else str(error)) from error
    except ArithmeticError as error:
        raise EcotError(str(error)) from error


def _finite(rate: tuple[float, ...]) -> "FloatArray":
    """The rates, none of them infinite (JSON has no such number)."""
    import numpy as np

    R = np.array(rate)
    if np.isinf(R).any():
        raise ValueError("rate: must be finite")
    return R


def _rows(argument: str, text: str) -> list[list[float]]:
    """Numbers apart by commas, rows by semicolons; brackets as in Python and JSON do no harm."""
    rows = [row.strip("[], ") for row in re.split(r"[;\]]", text)]
    try:
        found = [[float(number) for number in re.split(r"[,\s]+", row)] for row in rows if row]
    except ValueError:
        raise ValueError(f"{argument}: numbers expected, such as 0.2,0.8 or 0,1;1,0, got {text!r}") from None
    if not found or len({len(row) for row in found}) > 1:
        raise ValueError(f"{argument}: rows of equal length expected, such as 0,1;1,0, got {text!r}")
    return found


def _show(
    R: "FloatArray", found: "Mapping[str, Values]", as_json: bool, everywhere: Mapping[str, object] | None = None
) -> None:
    """The values at each rate as a table, or as one JSON object: of numbers for one rate, of lists for several.

    `everywhere`, what depends on no rate, comes first. NaN stands for no value.
    """
    import numpy as np

    columns = {
        name: [None if np.isnan(value) else value for value in np.ravel(values).tolist()]
        for name, values in {"rate": R, **found}.items()
    }
    if as_json:
        at_rates = {name: column if len(R) > 1 else column[0] for name, column in columns.items()}
        click.echo(json.dumps({**(everywhere or {}), **at_rates}))
    else:
        from tabulate import tabulate

        if everywhere:
            click.echo(tabulate(everywhere.items(), tablefmt="plain", floatfmt=".6f") + "\n")
        click.echo(tabulate(columns, headers="keys", floatfmt=("g", *[".6f"] * len(found)), missingval="-"))
