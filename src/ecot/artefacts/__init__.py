"""The kinds of files that are read again. Each has one writer and one reader, which checks what it reads."""

from pathlib import Path

from ecot.errors import EcotError


class DamagedError(EcotError):
    """A file is missing a part, altered, or another cell's; the message names it and the way out."""

    def __init__(self, path: Path, reason: object, way_out: str) -> None:
        super().__init__(f"{path} is damaged or not what it should be ({' '.join(str(reason).split())}); {way_out}")
