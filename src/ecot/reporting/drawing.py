"""What all figures share: how randomness is drawn, and how a figure is written."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from ecot.files import atomic

# Filled against open marks and full against dashed lines tell the curves apart in grey as well.
STYLES: dict[str, dict[str, Any]] = {
    "common": {"color": "C0", "marker": "o", "linestyle": "-", "label": "common randomness"},
    "independent": {
        "color": "C1",
        "marker": "s",
        "markerfacecolor": "white",
        "linestyle": "--",
        "label": "no common randomness",
    },
}


def write(path: Path, draw: Callable[[], Figure]) -> None:
    """Draw a figure and write it to path.svg and path.png; the same figure gives the same files."""
    # Names in place of random numbers in the SVG.
    with mpl.rc_context({"svg.hashsalt": "ecot", "font.size": 9}):
        figure = draw()
        for suffix, metadata in ((".svg", {"Date": None}), (".png", {})):
            with atomic(path.with_suffix(suffix)) as temporary:
                figure.savefig(temporary, dpi=150, metadata=metadata)
        plt.close(figure)


def legend_below(figure: Figure, columns: int) -> None:
    """One legend for all panels under them, each label once, measured values (with error bars) first."""
    handles: dict[str, Any] = {}
    for axes in figure.axes:
        found = list(zip(*axes.get_legend_handles_labels(), strict=True))
        for handle, label in sorted(found, key=lambda entry: not isinstance(entry[0], ErrorbarContainer)):
            handles.setdefault(label, handle)
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=columns, fontsize="small", frameon=False
    )
