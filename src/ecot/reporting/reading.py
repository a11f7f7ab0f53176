"""Reading the results that tables and figures are made of."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from PIL import Image

from ecot.errors import EcotError
from ecot.files import read_text


def table(path: Path) -> pd.DataFrame:
    """A small table (.csv); a rate is an integer or missing. EcotError if it cannot be read or is too large."""
    with reading(path):
        return pd.read_csv(io.StringIO(read_text(path)), dtype={"rate_bits": "Int64"})


def picture(path: Path) -> NDArray[np.uint8]:
    """The pixels of a .png, (height, width[, channels]). EcotError if it cannot be read or is too large."""
    with reading(path), Image.open(path, formats=["PNG"]) as image:
        return np.asarray(image)


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Errors in reading a result become an EcotError that names it and says how to make it anew."""
    try:
        yield
    except (OSError, ValueError, KeyError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).split())
        raise EcotError(f"{path} is damaged ({reason}): delete it and run again, which makes it anew") from None
