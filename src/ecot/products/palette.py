"""The colours of all figures and of the report: one for each series, the same everywhere.

Blue, vermilion and green are those of seaborn's colour-blind palette, with a contrast of 3 or more on white; the
report has a lighter one of each for a dark page. No plotting library is imported here, so that a workflow is planned
without one.
"""

from typing import NamedTuple


class Colour(NamedTuple):
    """A colour on white, and on the report's dark page."""

    light: str
    dark: str


COLOURS = {
    "common": Colour("#0173b2", "#56b4e9"),
    "independent": Colour("#d55e00", "#ff9a52"),
    "third": Colour("#029e73", "#3ccfa4"),
    "fourth": Colour("#b0529f", "#e19fd6"),
    "ink": Colour("#1a1a1a", "#f0f0f0"),  # what is neither with nor without common randomness
    "grey": Colour("#6b6b6b", "#a8a8a8"),
    "band": Colour("#e2e2e2", "#3d3d3d"),
}
# From dark to light for ascending rates; where it starts and ends, every colour has contrast with its page.
RATES = "plasma"
RATES_ON_WHITE, RATES_ON_DARK = (0.0, 0.62), (0.35, 1.0)
