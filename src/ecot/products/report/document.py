"""The page itself: what it shows, put into the template."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from plotly.colors import sample_colorscale
from plotly.offline import get_plotlyjs

import ecot
from ecot.config import Config
from ecot.grid.cell import Cell
from ecot.grid.paths import results_folder
from ecot.grid.plan import tasks
from ecot.paper.verdicts import VERDICTS
from ecot.products import palette
from ecot.products.captions import data_title, missing_note
from ecot.products.metrics import Metrics
from ecot.products.report import PAGE, charts, explorers, pictures, sheets, sources, summary, training
from ecot.tasks import TASKS

MACHINE = {"device", "compute", "resources", "data"}  # of the configuration: how a run is computed, not what
THEORY = "Theory, computed anew"


def render(config: Config, measured: Metrics, shown: list[Cell], folder: Path) -> str:
    """The whole page as HTML, for the rows of metrics of a run and the cells whose images are shown.

    `folder` is the one that it goes to: that of the run, or that of its incomplete products.
    """
    claims = _claims(config, folder)
    by_task = [_task(task, measured.table, shown, config) for task in tasks(config)]
    theory = explorers.explorers()
    theory_charts = {explorer.name: explorer.chart() for explorer in theory}
    losses, records = training.chart(), training.records(config)
    data = {
        "charts": {
            **{task["name"]: task["chart"].plain() for task in by_task if task["chart"]},
            **{name: chart.plain() for name, chart in theory_charts.items()},
            "training": losses.plain(),
        },
        "pictures": {task["name"]: task["pictures"] for task in by_task if task["pictures"]},
        "explorers": {
            explorer.name: {
                "sliders": [slider.positions for slider in explorer.sliders],
                "rates": explorer.rates,
                "values": explorer.distortions(),
                "commands": explorer.commands(),
            }
            for explorer in theory
        },
        "histories": training.histories(config),
    }
    environment = Environment(
        loader=FileSystemLoader(PAGE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.jinja").render(
        run=config.run,
        answers=list(summary.answers(config, measured.table, claims)),
        tasks=by_task,
        claims=_verdicts(claims),
        explorers=[(explorer, theory_charts[explorer.name]) for explorer in theory],
        losses=losses,
        histories=data["histories"],
        times=training.times(records) if records else None,
        machine=training.machine(records),
        sheets=list(sheets.sheets(config, folder)),
        settings=yaml.safe_dump(config.model_dump(exclude=MACHINE), sort_keys=False, allow_unicode=True),
        missing=missing_note(measured.missing),
        rates=_rates(measured.table),
        colours=_colours(_rates(measured.table)),
        version=ecot.__version__,
        data=plain_json(data),
        style=(PAGE / "report.css").read_text(encoding="utf-8"),
        script=(PAGE / "report.js").read_text(encoding="utf-8"),
        plotly=get_plotlyjs().replace("</script", r"<\/script"),
    )


def _task(task: str, table: pd.DataFrame, shown: list[Cell], config: Config) -> dict[str, Any]:
    """A task's part of the page; without a chart if no cell with a rate is measured."""
    of_task = table[table.task == task]
    rated = of_task.dropna(subset=["rate_bits"])
    return {
        "name": task,
        "title": TASKS[task].title,
        "data": data_title(config, task, of_task) if len(of_task) else "",
        "chart": None if rated.empty else charts.rate_distortion(rated, task, config),
        "quantities": list(charts.quantities(of_task)),
        "pictures": pictures.pictures(task, shown, of_task, config),
    }


def _claims(config: Config, folder: Path) -> pd.DataFrame | None:
    """The rows of claims.csv, of the run or of its incomplete products; None if there are none."""
    return sources.product_table(results_folder(config) / "claims.csv", config, folder)


def _verdicts(claims: pd.DataFrame | None) -> list[dict[str, Any]]:
    """The claims by task, then those of the theory: heading, how many of each verdict, and the claims."""
    if claims is None:
        return []
    groups = []
    for task, rows in claims.fillna({"task": ""}).groupby("task", sort=False):
        counts = rows.verdict.value_counts()
        items = [
            {str(name): "" if pd.isna(value) else value for name, value in row.items()} for _, row in rows.iterrows()
        ]
        groups.append(
            {
                "title": TASKS[str(task)].title if task else THEORY,
                "counts": [(word, int(counts[word])) for word in VERDICTS if word in counts],
                "claims": items,
            }
        )
    return groups


def _rates(table: pd.DataFrame) -> list[int]:
    return sorted(int(rate) for rate in table.rate_bits.dropna().unique())


def _colours(rates: list[int]) -> dict[str, palette.Colour]:
    """The palette, and a colour for each rate."""
    places = [i / max(len(rates) - 1, 1) for i in range(len(rates))]
    scales = [
        sample_colorscale(palette.RATES, [low + place * (high - low) for place in places])
        for low, high in (palette.RATES_ON_WHITE, palette.RATES_ON_DARK)
    ]
    of_rates = {
        f"rate-{rate}": palette.Colour(*pair) for rate, pair in zip(rates, zip(*scales, strict=True), strict=True)
    }
    return palette.COLOURS | of_rates


def plain_json(data: Any) -> str:
    """JSON that may stand in a script element: no sign in it ends the element."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", r"\u003c")
