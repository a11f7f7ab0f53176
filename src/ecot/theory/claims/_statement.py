"""What a statement is, and how exactly it is to hold."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

ROUNDING = 1e-9  # of closed forms
SOLVER = 1e-6  # of what linear programs and searches return
VISIBLE = 1e-3  # two curves that the paper calls different are at least so far apart somewhere

EXACT = f"within {ROUNDING:g}, the rounding of doubles"
SOLVED = f"within {SOLVER:g}, the tolerance of the solvers"
APART = f"by more than {VISIBLE:g}, far above rounding and hardly visible in a figure"


class Outcome(NamedTuple):
    """Whether a statement holds, and the numbers that say so."""

    holds: bool
    evidence: str


@dataclass(frozen=True)
class Statement:
    """A statement of the paper in one sentence, where it stands, what is computed and the criterion."""

    id: str
    claim: str
    place: str
    test: str
    check: Callable[[], Outcome]
