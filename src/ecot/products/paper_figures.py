"""Figure 5 of the paper: a view over the cells of the paper's two tasks."""

from collections.abc import Iterator

from ecot import paper
from ecot.config import Config
from ecot.grid.plan import rated
from ecot.products.base import declare
from ecot.products.rate_figures import CAPTION, RateDistortionFigure


@declare
def _products(config: Config) -> Iterator[RateDistortionFigure]:
    there = {cell.task for cell in rated(config) if cell.mode == "end_to_end"}
    tasks = tuple(task for task in paper.DATASETS if task in there)
    if tasks:
        yield RateDistortionFigure(
            "figure_05",
            "Figure 5: rate-distortion trade-offs and samples",
            f"Figure 5 of the paper from this run; the data set is named in the figure. {CAPTION}",
            "Figures",
            "figure_05",
            tasks,
            ("end_to_end",),
        )
