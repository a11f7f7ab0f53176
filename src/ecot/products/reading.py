"""Reading the results that tables and figures are made of, beside the metrics of cells."""

import io
from pathlib import Path

import pandas as pd

from ecot.artefacts import DamagedError
from ecot.files import read_text


def table(path: Path) -> pd.DataFrame:
    """A small table (.csv); a rate is an integer or missing. DamagedError if it cannot be read or is too large."""
    try:
        return pd.read_csv(io.StringIO(read_text(path)), dtype={"rate_bits": "Int64"})
    except (OSError, ValueError) as error:
        raise DamagedError(path, error, "delete it and run the same command again, which makes it again") from None
