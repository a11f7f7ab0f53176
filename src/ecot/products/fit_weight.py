"""The lambda of (15) that gives the paper's tables, from a sweep of trained cells that is scored against them."""

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecot import paper
from ecot.config import Config, Schedule
from ecot.data.sets import DATASETS
from ecot.errors import EcotError
from ecot.files import atomic, write_text
from ecot.grid.cell import Cell
from ecot.grid.paths import results_folder
from ecot.grid.plan import sweep, tasks
from ecot.products import metrics
from ecot.products.base import Product, declare
from ecot.products.captions import count, missing_note
from ecot.tasks import TASKS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)

PARTS: dict[str, dict[str, Any]] = {
    "both": {"color": "0", "marker": "o", "linestyle": "-", "label": "both"},
    "mse_input": {"color": "C0", "marker": "^", "linestyle": "--", "label": "distortion to the input"},
    "mse_target": {"color": "C1", "marker": "s", "linestyle": ":", "label": "distortion to the ground truth"},
}
POINTS = 1001  # of the curve: 0.4 % apart for a sweep over a factor of 50


class Fit(NamedTuple):
    """The weight of least score and that score; `interior`: it is neither the smallest nor the largest swept."""

    weight: float
    score: float
    interior: bool


@dataclass(frozen=True)
class WeightFit(Product):
    """fit_weight/<task>.{svg,png,csv,json}. All cells of the sweep must be measured."""

    task: str
    in_all = False

    def check(self, config: Config) -> None:
        paper.end_to_end(self.task, sorted({cell.rate_bits for cell in self.cells(config) if cell.rate_bits}))

    def cells(self, config: Config) -> list[Cell]:
        return sweep(config, self.task)

    def files(self, config: Config) -> list[Path]:
        suffixes = (".svg", ".png", ".csv", ".json")
        return [results_folder(config) / "fit_weight" / f"{self.task}{suffix}" for suffix in suffixes]

    def write(self, config: Config, folder: Path) -> None:
        """Write the files. EcotError if a cell is not measured or the paper has no numbers at a rate of the sweep."""
        from ecot.products import drawing

        measured = metrics.read(self.cells(config), config)
        if measured.missing:
            raise EcotError(f"{self.name}: {missing_note(measured.missing)[0]} Run: snakemake fit_weight")
        rows = tidy(measured.table)
        path = folder / "fit_weight" / self.task
        with atomic(path.with_suffix(".csv")) as temporary:
            rows.to_csv(temporary, index=False)
        summary = _summary(self.task, config, measured.table)
        write_text(path.with_suffix(".json"), json.dumps(summary, indent=2) + "\n")
        drawing.write(path, lambda: _draw(summary, rows, measured.table))
        setting = f"tasks.{self.task}.modes.end_to_end.distribution_weight"
        log.info("the value of %s that gives the paper's numbers: %s", setting, summary["fitted_weight"])
        if not summary["interior"]:
            log.warning("it lies at an end of the sweep; the best value may be outside: widen fit_weight.weights")


def tidy(table: pd.DataFrame) -> pd.DataFrame:
    """One row per weight, rate, randomness and distortion, from the metrics of one task's sweep.

    Columns: task, dataset, distribution_weight, rate_bits, randomness, quantity, value, std (over seeds, NaN for
    one), n_seeds, paper, log_ratio (natural logarithm of value / paper).
    """
    task, dataset = table.task.iloc[0], table.dataset.iloc[0]
    means = [
        metrics.over_seeds(cells, quantity).assign(distribution_weight=weight, quantity=quantity, dataset=dataset)
        for weight, cells in table.groupby("distribution_weight")
        for quantity in ("mse_input", "mse_target")
    ]
    published = paper.end_to_end(task, sorted(set(table.rate_bits)))
    rows = pd.concat(means).merge(published, on=["rate_bits", "randomness", "quantity"])
    rows["log_ratio"] = np.log(rows["value"] / rows["paper"])
    columns = ["task", "dataset", "distribution_weight", "rate_bits", "randomness", "quantity"]
    return rows[[*columns, "value", "std", "n_seeds", "paper", "log_ratio"]]


def scores(rows: pd.DataFrame, weights: NDArray[np.float64]) -> pd.DataFrame:
    """How far from the paper a system trained with each of `weights` would be: root mean square log ratio.

    Indexed by weight; columns: both, mse_input, mse_target. 0.1 is about 10 %. All rates, kinds of randomness and
    both distortions count alike. Between the weights of the sweep each log ratio is a monotone cubic of log lambda
    (PCHIP). The log ratios are interpolated and not the score: they change steadily with lambda and cross zero
    where the score has its minimum, which such a curve through the score itself would put at a swept weight.
    """
    from scipy.interpolate import PchipInterpolator

    swept = rows.pivot_table(
        index="distribution_weight", columns=["quantity", "rate_bits", "randomness"], values="log_ratio"
    )
    curves = PchipInterpolator(np.log(swept.index.to_numpy()), swept.to_numpy(), axis=0)(np.log(weights))
    squares = pd.DataFrame(curves**2, index=weights, columns=swept.columns)
    parts = {"both": squares} | {quantity: squares[quantity] for quantity in ("mse_input", "mse_target")}
    return pd.DataFrame({name: np.sqrt(part.mean(axis=1)) for name, part in parts.items()})


def fit(rows: pd.DataFrame) -> Fit:
    """The weight within the sweep whose score over both distortions is least."""
    both = scores(rows, _fine(rows))["both"].to_numpy()
    best = int(both.argmin())
    # More digits than the sweep can tell would be a pretence.
    return Fit(float(f"{_fine(rows)[best]:.3g}"), float(both[best]), 0 < best < POINTS - 1)


def _fine(rows: pd.DataFrame) -> NDArray[np.float64]:
    swept = rows["distribution_weight"]
    return np.geomspace(swept.min(), swept.max(), POINTS)


def _summary(task: str, config: Config, table: pd.DataFrame) -> dict[str, Any]:
    """The fit, and all that a reader needs to judge what it rests on."""
    settings = config.tasks[task]
    schedule = settings.modes["end_to_end"]
    rows = tidy(table)
    fitted = fit(rows)
    swept = np.sort(rows["distribution_weight"].unique())
    return {
        "task": task,
        "fitted_weight": fitted.weight,
        "interior": fitted.interior,
        "fitted_weight_by_seed": {int(seed): fit(tidy(cells)).weight for seed, cells in table.groupby("seed")},
        "published_weight": paper.WEIGHTS.get((task, "end_to_end")),
        "configured_weight": schedule.distribution_weight,
        "score": scores(rows, np.array([fitted.weight])).iloc[0].to_dict(),
        "curve": scores(rows, swept).rename_axis("distribution_weight").reset_index().to_dict("records"),
        "dataset": settings.dataset,
        "paper_dataset": paper.DATASETS[task],
        "same_dataset": settings.dataset == paper.DATASETS[task],
        "n_train": settings.n_train or DATASETS[settings.dataset].n_train,
        "n_test": int(table["n_test"].max()),
        "width": settings.width,
        "schedule": {name: getattr(schedule, name) for name in Schedule.model_fields},
        "rates_bits": sorted(set(rows["rate_bits"].tolist())),
        "randomness": sorted(set(rows["randomness"])),
    }


def _draw(summary: dict[str, Any], rows: pd.DataFrame, table: pd.DataFrame) -> "Figure":
    """Score against lambda, its two parts, and the fitted and the published value."""
    from ecot.products import drawing

    figure, ((axes,),) = drawing.panels(1, 1, (6.5, 4.5))
    curve, swept = scores(rows, _fine(rows)), np.sort(rows["distribution_weight"].unique())
    marks = scores(rows, swept)
    by_seed = pd.concat([scores(tidy(cells), swept) for _, cells in table.groupby("seed")])
    spread = by_seed.groupby(level=0).std().fillna(0)
    for name, style in PARTS.items():
        axes.plot(curve.index, curve[name], color=style["color"], linestyle=style["linestyle"])
        axes.errorbar(swept, marks[name], spread[name], capsize=2, markersize=4, **style | {"linestyle": "none"})
    fitted, seeds = summary["fitted_weight"], summary["fitted_weight_by_seed"]
    of_seeds = f", of each seed {min(seeds.values()):g} to {max(seeds.values()):g}" if len(seeds) > 1 else ""
    where = "" if summary["interior"] else ", an end of the sweep"
    axes.axvline(fitted, color="0", linewidth=1, label=f"fitted: {fitted:g}{of_seeds}{where}")
    if summary["published_weight"]:
        published = summary["published_weight"]
        axes.axvline(published, color="0.6", linewidth=3, zorder=0, label=f"published: {published:g}")
    rates = ", ".join(map(str, summary["rates_bits"]))
    bars = ", bars: standard deviation" if len(seeds) > 1 else ""
    axes.set(
        xscale="log",
        xlabel=f"$\\lambda$; {rates} bits, mean over {count(len(seeds), 'seed')}{bars}",
        ylabel="root mean square of log(reproduced / paper)",
        ylim=(0, None),
        title=f"{TASKS[summary['task']].title}, {DATASETS[summary['dataset']].title},\n"
        f"width {summary['width']:g}, {count(summary['schedule']['epochs'], 'epoch')}",
    )
    if not summary["same_dataset"]:
        other = f"The paper's numbers are of {DATASETS[summary['paper_dataset']].title}: another data set."
        drawing.warn(figure, [other])
    drawing.tidy(axes)
    axes.legend(fontsize="small")
    return figure


@declare
def _products(config: Config) -> Iterator[WeightFit]:
    for task in tasks(config):
        if task in paper.TASKS and config.tasks[task].fit_weight and "end_to_end" in config.tasks[task].modes:
            yield WeightFit(
                f"fit_weight_{task}",
                f"Fit of lambda: {TASKS[task].title}",
                f"{TASKS[task].title}: the lambda of (15) that gives the paper's tables. Root mean square log ratio"
                " of the reproduced to the published distortion to the input and to the ground truth, at each swept"
                " lambda (marks) and between them (lines: the log ratios, interpolated in log lambda). The data set"
                " is named in the figure, and if it is not the paper's, the figure says so.",
                "Figures",
                task,
            )
