"""What lambda of (15) does, in a sweep of trained cells.

One product finds the lambda that gives the paper's tables. Another sets the distortion that lambda adds beside the
law of `ecot.theory.penalty`.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecot import paper
from ecot.config import Config, Schedule
from ecot.data.arrays import checksum, measured_split
from ecot.data.sets import DATASETS
from ecot.degradations import KINDS, DegradationSettings
from ecot.errors import EcotError
from ecot.evaluation.degraded import batches
from ecot.files import atomic, write_text
from ecot.grid.cell import Cell
from ecot.grid.paths import dataset_path, results_folder
from ecot.grid.plan import measurement_settings, sweep, swept, tasks
from ecot.paper.comparable import match
from ecot.products import metrics, palette
from ecot.products.base import Product, declare
from ecot.products.captions import count, missing_note
from ecot.tasks import TASKS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)

PARTS: dict[str, dict[str, Any]] = {
    "both": {"color": palette.COLOURS["ink"].light, "marker": "o", "linestyle": "-", "label": "both"},
    "mse_input": {
        "color": palette.COLOURS["third"].light,
        "marker": "^",
        "linestyle": "--",
        "label": "distortion to the input",
    },
    "mse_target": {
        "color": palette.COLOURS["fourth"].light,
        "marker": "s",
        "linestyle": ":",
        "label": "distortion to the ground truth",
    },
}
POINTS = 1001  # of the curve: 0.4 % apart for a sweep over a factor of 50
TRANSPORTED = 500  # images of the sample transport


class Fit(NamedTuple):
    """The weight of least score and that score; `interior`: it is neither the smallest nor the largest swept."""

    weight: float
    score: float
    interior: bool


@dataclass(frozen=True)
class WeightFit(Product):
    """fit_weight/<task>.{svg,png,csv,json}. All cells of the sweep must be measured, on the validation images.

    It is made only where the run's problem is the paper's: see `ecot.paper.comparable`.
    """

    task: str
    n_validation: int
    in_all = False

    def check(self, config: Config) -> None:
        paper.end_to_end(self.task, sorted({cell.rate_bits for cell in self.cells(config) if cell.rate_bits}))

    def cells(self, config: Config) -> list[Cell]:
        return sweep(config, self.task)

    def files(self, config: Config) -> list[Path]:
        return _files(config, self.task)

    def write(self, config: Config, folder: Path) -> None:
        """Write the files. EcotError if a cell is not measured or the paper has no numbers at a rate of the sweep."""
        from ecot.products import drawing

        table = _measured(self, config)
        rows = tidy(table)
        path = folder / "fit_weight" / self.task
        summary = _summary(self.task, config, table, self.n_validation)
        _write(path, rows, summary)
        drawing.write(path, lambda: _draw(summary, rows, table))
        setting = f"tasks.{self.task}.modes.end_to_end.distribution_weight"
        log.info("the value of %s that gives the paper's numbers: %s", setting, summary["fitted_weight"])
        if not summary["interior"]:
            log.warning("it lies at an end of the sweep; the best value may be outside: widen fit_weight.weights")


@dataclass(frozen=True)
class OffsetLaw(Product):
    """fit_weight/<task>_offset.{svg,png,csv,json}: the distortion that lambda adds, measured and by the law."""

    task: str
    dataset: str
    dataset_version: int
    n_train: int | None
    n_validation: int
    seed: int  # of the noise of the validation images
    degradation: DegradationSettings
    in_all = False
    job: ClassVar[str | None] = "evaluate"

    @property
    def modules(self) -> tuple[str, ...]:
        return (*super().modules, KINDS[self.degradation.kind].module)

    def cells(self, config: Config) -> list[Cell]:
        return sweep(config, self.task)

    def reads(self, config: Config) -> list[Path]:
        path = dataset_path(self.dataset)
        return [path, path.with_suffix(".json")]

    def files(self, config: Config) -> list[Path]:
        return _files(config, f"{self.task}_offset")

    def write(self, config: Config, folder: Path) -> None:
        """Write the files. EcotError if a cell is not measured or the data set is missing or damaged."""
        from ecot.products import drawing

        table = _measured(self, config)
        x, y = self.pairs()
        swept = np.sort(table.distribution_weight.unique())
        law = added_distortion(x, y, np.geomspace(swept[0], swept[-1], 25).tolist() + swept.tolist())
        rows = offsets(table, law)
        summary: dict[str, Any] = {
            "task": self.task,
            "dataset": self.dataset,
            "n_validation": len(x),
            "n_transported": len(_thinned(x)),
            "least_weight": float(swept[0]),
            "critical_weight": critical_weights(x, y),
        }
        path = folder / "fit_weight" / f"{self.task}_offset"
        _write(path, rows, summary)
        drawing.write(path, lambda: _draw_offsets(summary, rows, law))
        for name, weight in summary["critical_weight"].items():
            log.info("%s: the critical weight lambda* is %.3g (%s)", self.task, weight, name)

    def pairs(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The degraded validation images, noise included, and the clean ones, (n_validation, values) each."""
        path = dataset_path(self.dataset)
        checksum(path, self.dataset, self.dataset_version)
        images = measured_split(path, self.n_train, self.n_validation, None).images
        (batch,) = batches(images, self.degradation, self.seed, size=len(images))
        x, y = (np.asarray(part, np.float64).reshape(len(images), -1) for part in (batch.x, batch.y))
        return x, y


def _files(config: Config, name: str) -> list[Path]:
    return [results_folder(config) / "fit_weight" / f"{name}{suffix}" for suffix in (".svg", ".png", ".csv", ".json")]


def _measured(product: Product, config: Config) -> pd.DataFrame:
    """The metrics of a product's cells. EcotError if one is not measured."""
    measured = metrics.read(product.cells(config), config)
    if measured.missing:
        raise EcotError(f"{product.name}: {missing_note(measured.missing)[0]} Run: snakemake fit_weight")
    return measured.table


def _write(path: Path, rows: pd.DataFrame, summary: dict[str, Any]) -> None:
    with atomic(path.with_suffix(".csv")) as temporary:
        rows.to_csv(temporary, index=False)
    write_text(path.with_suffix(".json"), json.dumps(summary, indent=2) + "\n")


def critical_weights(x: NDArray[np.float64], y: NDArray[np.float64]) -> dict[str, float]:
    """lambda* of the paired images (n, values) at three values of the least transport cost per pixel.

    `gelbrich floor`: a lower bound on it, so below this weight no optimal system meets p_Y. `sample transport`: the
    least squared cost between TRANSPORTED images of each, which are further apart than the laws. `true pairs`: the
    cost of the plan that takes each degraded image to its own clean one. All three take the input for the plain
    reconstruction, which holds at high rates.
    """
    from ecot.theory import images, penalty

    values = x.shape[1]
    uniform = np.full(len(_thinned(x)), 1 / len(_thinned(x)))
    # At a weight that no move reaches the Huber cost is the squared one.
    all_the_way = 2 * float(np.abs(x - y).max() + 2)
    transport = penalty.penalised_transport(_thinned(x), _thinned(y), uniform, uniform, all_the_way).mse
    costs = {
        "gelbrich floor": images.gelbrich_floor(images.moments(x, y)),
        "sample transport": transport,
        "true pairs": images.paired_upper_bound(x, y),
    }
    return {name: penalty.critical_weight(max(cost, 0.0), values) for name, cost in costs.items()}


def added_distortion(x: NDArray[np.float64], y: NDArray[np.float64], weights: Iterable[float]) -> pd.DataFrame:
    """What the law says that each weight adds to the distortion of the plain reconstruction, per pixel.

    Columns: distribution_weight; most, n lambda^2 / 4; transport, E min(|d|, n lambda / 2)^2 / n along the Huber plan
    between TRANSPORTED of the degraded images x and as many of the clean images y, (n, values) each; pairs, the
    same along the plan of the true pairs. The input stands in for the plain reconstruction.
    """
    from ecot.theory import penalty

    values, few, targets = x.shape[1], _thinned(x), _thinned(y)
    uniform = np.full(len(few), 1 / len(few))
    way = np.sqrt(((x - y) ** 2).sum(1))
    rows = []
    for weight in sorted(set(weights)):
        move = penalty.largest_move(values, weight)
        transport = penalty.penalised_transport(few, targets, uniform, uniform, weight).mse
        pairs = float((np.minimum(way, move) ** 2).mean()) / values
        rows.append((weight, move**2 / values, transport, pairs))
    return pd.DataFrame(rows, columns=["distribution_weight", "most", "transport", "pairs"])


def offsets(table: pd.DataFrame, law: pd.DataFrame) -> pd.DataFrame:
    """mse_input at each weight of a sweep minus that at its least weight, beside what the law says of the difference.

    `table` are the metrics of one task's sweep, `law` is what `added_distortion` gives at its weights. Columns: task,
    dataset, distribution_weight, rate_bits, randomness, offset (mean over seeds of the difference within a seed), std
    (over seeds, NaN for one), n_seeds, most, transport, pairs.
    """
    place = ["task", "dataset", "rate_bits", "randomness"]
    least = table.distribution_weight.min()
    base = table[table.distribution_weight == least][[*place, "seed", "mse_input"]]
    cells = table[table.distribution_weight > least].merge(base, on=[*place, "seed"], suffixes=("", "_least"))
    differences = cells.assign(offset=cells.mse_input - cells.mse_input_least)
    groups = differences.groupby([*place, "distribution_weight"])["offset"]
    rows = groups.agg(offset="mean", std="std", n_seeds="count").reset_index()
    by_weight = law.set_index("distribution_weight")
    said = (by_weight - by_weight.loc[least]).reset_index()
    columns = ["task", "dataset", "distribution_weight", "rate_bits", "randomness", "offset", "std", "n_seeds"]
    return rows.merge(said, on="distribution_weight")[[*columns, "most", "transport", "pairs"]]


def _thinned(images: NDArray[np.float64]) -> NDArray[np.float64]:
    return images[:: max(1, -(-len(images) // TRANSPORTED))]


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


def _summary(task: str, config: Config, table: pd.DataFrame, n_validation: int) -> dict[str, Any]:
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
        "n_train": (settings.n_train or DATASETS[settings.dataset].n_train) - n_validation,
        "n_validation": n_validation,
        "differs": list(match(config, task, "end_to_end").training),
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
    drawing.tidy(axes)
    axes.legend(fontsize="small")
    return figure


def _draw_offsets(summary: dict[str, Any], rows: pd.DataFrame, law: pd.DataFrame) -> "Figure":
    """The measured differences as marks, the law's as lines, and lambda*."""
    from ecot.products import drawing

    figure, ((axes,),) = drawing.panels(1, 1, (6.5, 4.5))
    least = law.set_index("distribution_weight").loc[summary["least_weight"]]
    lines = {
        "most": ("0", ":", r"at most, $n(\lambda^2-\lambda_0^2)/4$"),
        "transport": ("0", "-", "law, sample transport"),
        "pairs": ("0.5", "--", "law, true pairs"),
    }
    for name, (colour, line, label) in lines.items():
        axes.plot(law.distribution_weight, law[name] - least[name], color=colour, linestyle=line, label=label)
    rates = sorted(rows.rate_bits.unique())
    for colour, rate in zip(drawing.colours(len(rates)), rates, strict=True):
        for randomness, cells in rows[rows.rate_bits == rate].groupby("randomness"):
            look = drawing.STYLES[randomness]
            style = {"marker": look["marker"], "linestyle": "none", "color": colour, "capsize": 2}
            if randomness == "independent":
                style["markerfacecolor"] = "white"
            label = f"{rate} bits, {look['label']}"
            axes.errorbar(cells.distribution_weight, cells.offset, cells["std"].fillna(0), label=label, **style)
    weights = summary["critical_weight"]
    axes.axvspan(min(weights.values()), max(weights.values()), color="0.9", zorder=0)
    axes.axvline(weights["gelbrich floor"], color="0.4", linewidth=1)
    axes.annotate(
        f"$\\lambda^*$ = {weights['gelbrich floor']:.3g} to {max(weights.values()):.3g}",
        (weights["gelbrich floor"], 1), xycoords=("data", "axes fraction"), xytext=(-3, -3),
        textcoords="offset points", ha="right", va="top", fontsize="small",
    )  # fmt: skip
    highest = max(rows.offset.max(), rows.transport.max(), rows.pairs.max())
    axes.set(
        xscale="log",
        xlabel=r"$\lambda$",
        ylabel=rf"$E\|X-\hat{{Y}}\|^2$ minus that at $\lambda_0$ = {summary['least_weight']:g}, per pixel",
        ylim=(min(0.0, 1.1 * float(rows.offset.min())), 1.3 * highest),
        title=f"{TASKS[summary['task']].title}, {DATASETS[summary['dataset']].title}",
    )
    drawing.tidy(axes)
    axes.legend(fontsize="small", loc="upper left", bbox_to_anchor=(0, 0.93))
    return figure


@declare
def _products(config: Config) -> Iterator[Product]:
    for task in tasks(config):
        settings = config.tasks[task]
        if not settings.fit_weight or task not in swept(config):
            continue
        n_validation = settings.fit_weight.n_validation
        if match(config, task, "end_to_end").comparable:
            yield WeightFit(
                f"fit_weight_{task}",
                f"Fit of lambda: {TASKS[task].title}",
                f"{TASKS[task].title}: the lambda of (15) that gives the paper's tables. Root mean square log ratio"
                " of the reproduced to the published distortion to the input and to the ground truth, at each swept"
                " lambda (marks) and between them (lines: the log ratios, interpolated in log lambda). Reproduced"
                f" distortions are measured on {n_validation:,} training images that were kept out of training.",
                "Figures",
                task,
                n_validation,
            )
        yield OffsetLaw(
            f"fit_weight_offset_{task}",
            f"What lambda adds to the distortion: {TASKS[task].title}",
            f"{TASKS[task].title}: the distortion at each swept lambda minus that at the least one, measured on"
            f" {n_validation:,} training images that were kept out of training (marks) and by the law of the"
            " penalised problem (lines): for a fixed encoder, lambda adds E min(|d|, n lambda / 2)^2 / n, at most"
            " n lambda^2 / 4, where d is an image's way under a transport plan with a Huber cost. The full line takes"
            f" the plan between {TRANSPORTED} images of each kind, which is longer than that of the laws; the dashed"
            " one takes each image to its own clean one. Both take the input for the plain reconstruction; at low"
            " rates the reconstruction is another one. Shaded: the critical weight, from the Gelbrich floor (line) to"
            " the largest of its estimates; below it no optimal system meets the law of the outputs.",
            "Figures",
            task,
            settings.dataset,
            DATASETS[settings.dataset].version,
            settings.n_train,
            n_validation,
            measurement_settings(config, task).seed,
            settings.degradation,
        )
