"""What all figures share: panels, how randomness is drawn, one legend for all panels, and how a figure is written.

matplotlib and seaborn are imported here. Import this module where a figure is drawn and not at the top of a product's
module: planning a workflow imports all products.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from ecot.files import atomic
from ecot.modes import MODES

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


def style(mode: str, randomness: str | None) -> dict[str, Any]:
    """How a mode is drawn among others: its own mark and name, with the colour and the filling of the randomness.

    A mode without a bottleneck has no randomness and is black.
    """
    found = MODES[mode]
    if randomness is None:
        return {"color": "0", "marker": found.marker, "linestyle": "none", "label": f"{found.title}, no bottleneck"}
    choice = f", {STYLES[randomness]['label']}" if len(found.dithers) > 1 else ""
    return STYLES[randomness] | {"marker": found.marker, "label": f"{found.title}{choice}"}


def panels(rows: int, columns: int, size: tuple[float, float], **options: Any) -> tuple[Figure, NDArray[Any]]:
    """A figure of `size` inches and its panels, an array of Axes (rows, columns)."""
    figure = Figure(figsize=size, layout="constrained")  # without pyplot, and so without a window or a backend
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def tidy(axes: Axes) -> None:
    """A light grid, and no frame at the top and at the right."""
    axes.grid(alpha=0.3)
    sns.despine(ax=axes)


def without_frame(axes: Axes) -> None:
    """No frame and no ticks; the names at the ticks stay."""
    axes.tick_params(length=0)
    sns.despine(ax=axes, left=True, bottom=True)


def colours(n: int) -> NDArray[np.float64]:
    """`n` colours from dark to light, (n, 4), for values in ascending order."""
    return np.asarray(mpl.colormaps["viridis"](np.linspace(0, 0.9, n)))


def rate_colours(axes: Axes, rates: list[int], shown: int) -> None:
    """A scale beside a panel that names the rates of `colours`, at most about `shown` of them."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import BoundaryNorm, ListedColormap

    n = len(rates)
    scale = ScalarMappable(BoundaryNorm(np.arange(n + 1) - 0.5, n), ListedColormap(list(colours(n))))
    named = range(0, n, 1 + n // shown)
    bar = axes.figure.colorbar(scale, ax=axes, ticks=list(named), label="rate (bits per image)", aspect=30)
    bar.ax.set_yticklabels([str(rates[i]) for i in named])
    bar.ax.minorticks_off()


def image_rows(axes: Axes, rows: dict[str, ArrayLike]) -> None:
    """Rows of images (n, c, h, w) in [0, 1], each under its label, nothing between the images."""
    strips = [
        np.concatenate([image.transpose(1, 2, 0) for image in np.asarray(row)], axis=1) for row in rows.values()
    ]
    pixels = (np.concatenate(strips).clip(0, 1) * 255).round().astype(np.uint8)
    height = strips[0].shape[0]
    axes.imshow(pixels.squeeze(), cmap="gray", vmin=0, vmax=255, interpolation="nearest")
    axes.set_yticks([height * (i + 0.5) - 0.5 for i in range(len(rows))], list(rows))
    axes.set_xticks([])
    without_frame(axes)


def say(axes: Axes, text: str) -> None:
    """A text in place of a panel's content."""
    axes.set_axis_off()
    axes.text(0.5, 0.5, text, ha="center", va="center", wrap=True, transform=axes.transAxes)


def warn(figure: Figure, sentences: list[str]) -> None:
    """Sentences above all panels in the colour of warnings, if there are any."""
    if sentences:
        figure.suptitle(" ".join(sentences), wrap=True, fontsize="small", color="C3")


def legend_below(figure: Figure, columns: int) -> None:
    """One legend for all panels under them, each label once, measured values (with error bars) first."""
    handles: dict[str, Any] = {}
    for axes in figure.axes:
        entries = list(zip(*axes.get_legend_handles_labels(), strict=True))
        for handle, label in sorted(entries, key=lambda entry: not isinstance(entry[0], ErrorbarContainer)):
            handles.setdefault(label, handle)
    figure.legend(
        handles.values(), handles.keys(), loc="outside lower center", ncols=columns, fontsize="small", frameon=False
    )


def write(path: Path, draw: Callable[[], Figure]) -> None:
    """Draw a figure and write it to path.svg and path.png; the same figure gives the same files.

    A user's matplotlibrc changes nothing.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({"svg.hashsalt": "ecot", "font.size": 9})  # names, not random numbers, in the SVG
        figure = draw()
        for suffix, metadata in ((".svg", {"Date": None}), (".png", {})):
            with atomic(path.with_suffix(suffix)) as temporary:
                figure.savefig(temporary, dpi=150, metadata=metadata)
