"""The charts of the report as Plotly figures, each with the entries of its legend.

Colours are names of `ecot.products.palette`; the page gives them their value, which is another one in the dark. What
a trace is stands in its `meta`: `colour`, the `key` of its entry in the legend, and what it is shown for.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from ecot import paper
from ecot.coding.randomness import shared_bits
from ecot.config import Config
from ecot.modes import MODES, is_limited
from ecot.paper.comparable import match
from ecot.products import metrics
from ecot.products.report import sources
from ecot.quantities import QUANTITIES, measures
from ecot.tasks import TASKS

# A mark of matplotlib: Plotly's name of it, and the sign that stands for it in the legend, filled and open.
MARKS = {
    "o": ("circle", "●", "○"),
    "s": ("square", "■", "□"),
    "D": ("diamond", "◆", "◇"),
    "^": ("triangle-up", "▲", "△"),
    "v": ("triangle-down", "▼", "▽"),
    "*": ("star", "★", "☆"),
}
OTHER = ("hexagon", "⬢", "⬡")  # of a mode with another mark
DASHES = {"solid": "", "dash": "7 3", "dot": "2 3", "dashdot": "8 3 2 3", "longdash": "12 4"}  # SVG's, for the legend
PRINTED = {"mse_input": (5, 6), "mse_target": (9, 10)}  # the paper's tables of both distortions
RANDOMNESS = {"common": "common randomness", "independent": "no common randomness"}
HEADROOM = 1.25  # a chart begins with so much of the largest measured value


@dataclass
class Entry:
    """A line of a legend: a switch for all traces of its key."""

    key: str
    label: str
    colour: str
    dash: str | None = None  # SVG's pattern; None: no line
    sign: str = ""


@dataclass
class Chart:
    """A figure, its legend, and what it shows in words."""

    figure: go.Figure
    text: str
    legend: list[Entry] = field(default_factory=list)
    ranges: dict[str, list[float]] = field(default_factory=dict)  # of the first y axis, by quantity

    def plain(self) -> dict[str, Any]:
        """Data and layout as JSON has them."""
        figure = json.loads(self.figure.to_json())
        figure["layout"].pop("template", None)  # the page has its own
        return {"data": figure["data"], "layout": figure["layout"], "ranges": self.ranges}


@dataclass(frozen=True)
class Kind:
    """Cells that differ in rate and seed only."""

    mode: str
    randomness: str | None
    dither: str | None = None

    @property
    def key(self) -> str:
        return "-".join(filter(None, (self.mode, self.randomness, self.dither)))

    @property
    def label(self) -> str:
        """For instance "joint, no common randomness, fresh dither"."""
        parts = [MODES[self.mode].title, self._randomness]
        return ", ".join([*parts, *([f"{self.dither} dither"] if self.dither else [])])

    @property
    def _randomness(self) -> str:
        if self.randomness is None:
            return "no bottleneck"
        if is_limited(self.randomness):
            return f"{shared_bits(self.randomness)} shared bits for each dimension of the dither"
        return RANDOMNESS[self.randomness]

    @property
    def colour(self) -> str:
        """A name of the palette."""
        if self.randomness is None:
            return "ink"
        return "third" if is_limited(self.randomness) else self.randomness

    @property
    def dash(self) -> str:
        """Modes and readings are told apart by marks, randomness by lines as well."""
        if self.dither == "shared":
            return "dot"
        return "solid" if self.randomness == "common" else "dash"

    @property
    def mark(self) -> tuple[str, str]:
        """Plotly's name, and the sign; filled with common randomness, open without."""
        name, filled, empty = MARKS.get(MODES[self.mode].marker, OTHER)
        return (name, filled) if self.randomness == "common" else (f"{name}-open", empty)

    def entry(self) -> Entry:
        """Its line in a legend."""
        return Entry(self.key, self.label, self.colour, DASHES[self.dash], self.mark[1])

    def of(self, table: pd.DataFrame) -> pd.DataFrame:
        """Its rows among rows of metrics, or among means over seeds."""
        chosen = table[table["mode"] == self.mode]
        for column, value in (("randomness", self.randomness), ("dither", self.dither)):
            chosen = chosen[chosen[column].isna() if value is None else chosen[column] == value]
        return chosen


def kinds(table: pd.DataFrame) -> list[Kind]:
    """The kinds of cells among rows of metrics, in the order of the modes, common randomness first."""
    order = list(MODES)
    found = {
        Kind(str(mode), *(None if pd.isna(value) else str(value) for value in (randomness, dither)))
        for mode, randomness, dither in table[["mode", "randomness", "dither"]].itertuples(index=False)
    }
    return sorted(found, key=lambda kind: (order.index(kind.mode), str(kind.randomness), str(kind.dither)))


def rate_distortion(table: pd.DataFrame, task: str, config: Config) -> Chart:
    """Both distortions and the constraint gap against the rate, with spreads, bounds and the paper's numbers.

    `table` has the rows of metrics of the task's cells that have a rate.
    """
    title = TASKS[task].title
    chart = Chart(go.Figure(), f"{title}: distortion per pixel, above, and Gelbrich distance to pY, below, by rate.")
    bounds = sources.bounds(config, task)
    if bounds is not None:
        _band(chart, bounds, float(table.rate_bits.max()))  # first, and so behind all else
    for quantity in PRINTED:
        for kind in kinds(table):
            _measured(chart, kind, table, quantity, "y")
        _published(chart, quantity, task, config)
    for kind in kinds(table):
        _measured(chart, kind, table, "gelbrich", "y2")
        chart.legend.append(kind.entry())
    chart.legend.sort(key=lambda entry: entry.key.startswith("paper"))
    tops = {quantity: HEADROOM * table[quantity].max() for quantity in PRINTED}
    if bounds is not None:
        _bounds(chart, bounds, float(table.rate_bits.max()))
    for images, gap in sources.clean_gaps(config, task).items():
        dash = "dot" if images == "test" else "dashdot"
        line = Entry(f"clean-{images}", f"gap of clean {images} images", "grey", DASHES[dash])
        ends = [0, 1.1 * float(table.rate_bits.max())]
        chart.figure.add_scatter(x=ends, y=[gap, gap], yaxis="y2", **_line(line, dash, ""))
        chart.legend.append(line)
    chart.ranges = {quantity: [0.0, float(top)] for quantity, top in tops.items()}
    axis = {"rangemode": "tozero", "zeroline": False, "automargin": True}
    law = measures()["gelbrich"].quantity
    chart.figure.update_layout(
        xaxis={"title": "rate (bits per image)", "anchor": "y2", "range": [0, 1.04 * float(table.rate_bits.max())]},
        yaxis={"title": "distortion per pixel", "domain": [0.4, 1], "range": chart.ranges["mse_input"], **axis},
        yaxis2={"title": f"gap to pY:<br>{law.text}, {law.unit}", "domain": [0, 0.32], **axis},
        height=560,
    )
    return chart


def _measured(chart: Chart, kind: Kind, table: pd.DataFrame, quantity: str, axis: str) -> None:
    """Means over seeds with the standard deviation as bars."""
    means = metrics.over_seeds(kind.of(table), quantity).dropna(subset=["rate_bits"])
    seeds = [f"{n} seed{'' if n == 1 else 's'}" for n in means.n_seeds]
    spreads = ["" if pd.isna(std) else f" ± {std:.4f}" for std in means["std"]]
    words = [f"{spread}, {count}" for spread, count in zip(spreads, seeds, strict=True)]
    chart.figure.add_scatter(
        x=numbers(means.rate_bits),
        y=numbers(means.value),
        error_y={"type": "data", "array": [value or 0 for value in numbers(means["std"])], "width": 4},
        yaxis=axis,
        mode="lines+markers",
        line={"dash": kind.dash},
        marker={"symbol": kind.mark[0], "size": 9},
        customdata=words,
        hovertemplate=f"<b>{kind.label}</b><br>%{{x}} bits: %{{y:.4f}}%{{customdata}}<extra></extra>",
        name=kind.label,
        meta={"colour": kind.colour, "key": kind.key, "for": quantity if axis == "y" else ""},
    )


def _published(chart: Chart, quantity: str, task: str, config: Config) -> None:
    """The paper's numbers of the end-to-end system, where they answer the same question."""
    if task not in paper.TASKS or not match(config, task, "end_to_end").comparable:
        return
    published = paper.published()
    published = published[(published.task == task) & published.table.isin(PRINTED[quantity])]
    for randomness, line in published.groupby("randomness"):
        label, key = f"paper, {RANDOMNESS[str(randomness)]}", f"paper-{randomness}"
        chart.figure.add_scatter(
            x=numbers(line.rate_bits),
            y=numbers(line.value),
            mode="markers",
            marker={"symbol": "x-thin-open", "size": 8, "line": {"width": 2}},
            hovertemplate=f"<b>{label}</b><br>%{{x}} bits: %{{y:.4f}}<extra></extra>",
            name=label,
            meta={"colour": str(randomness), "key": key, "for": quantity},
        )
        if key not in {entry.key for entry in chart.legend}:
            chart.legend.append(Entry(key, label, str(randomness), None, "✕"))


def _band(chart: Chart, bounds: pd.DataFrame, last: float) -> None:
    """Where the least transport cost from pX to pY lies."""
    floor, paired = (float(bounds.distortion[name]) for name in ("gelbrich_floor", "paired_upper_bound_on_transport"))
    chart.figure.add_scatter(
        x=[0, last * 1.1, last * 1.1, 0],
        y=[floor, floor, paired, paired],
        fill="toself",
        mode="none",
        hoverinfo="skip",
        meta={"colour": "band", "key": "band", "for": "mse_input"},
    )


def _bounds(chart: Chart, bounds: pd.DataFrame, last: float) -> None:
    """What else is known of the distortion to the input before training."""
    floor = float(bounds.distortion["gelbrich_floor"])
    # Of `_band`, which is drawn first: in the legend what is measured comes first.
    chart.legend.append(Entry("band", "bounds: the limit W2²(pX, pY) lies in this band", "band", None, "█"))
    line = Entry("floor", "bound: Gelbrich floor, for outputs of law pY", "grey", DASHES["solid"])
    chart.figure.add_scatter(x=[0, last * 1.1], y=[floor, floor], **_line(line, "solid", "mse_input"))
    chart.legend.append(line)
    curves = (
        ("gaussian_d_cr", "Gaussian vectors, common randomness", "common", "dot", None),
        ("gaussian_d_ncr", "Gaussian vectors, no common randomness", "independent", "dashdot", None),
        ("entropic_d_cr", "estimate: entropic transport, common randomness", "common", None, "△"),
        ("rate_zero", "bound: independent output, R = 0", "ink", None, "◆"),
    )
    for name, label, colour, dash, sign in curves:
        curve = bounds[bounds.index == name]
        if curve.empty:
            continue
        entry = Entry(name, label, colour, DASHES[dash] if dash else None, sign or "")
        style = _line(entry, dash, "mse_input")
        if sign:
            style["marker"] = {"symbol": "triangle-up-open" if sign == "△" else "diamond", "size": 8}
        chart.figure.add_scatter(x=numbers(curve.rate_bits), y=numbers(curve.distortion), **style)
        chart.legend.append(entry)


def _line(entry: Entry, dash: str | None, shown_for: str) -> dict[str, Any]:
    return {
        "mode": "lines" if dash else "markers",
        "line": {"dash": dash or "solid", "width": 1.5},
        "name": entry.label,
        "hovertemplate": f"<b>{entry.label}</b><br>%{{x}} bits: %{{y:.4f}}<extra></extra>",
        "meta": {"colour": entry.colour, "key": entry.key, "for": shown_for},
    }


def quantities(table: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """The two distortions that a chart is switched between: name and words."""
    for name in PRINTED:
        if table[name].notna().any():
            yield name, QUANTITIES[name].text


def numbers(values: Any) -> list[float | None]:
    """Numbers as JSON has them, six decimals, as `ecot bounds` prints them; None for one that is missing."""
    return [None if pd.isna(value) else round(float(value), 6) for value in values]
