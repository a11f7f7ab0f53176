"""The last screen of a run: what was trained, one small table, the score of the claims, and where to read on."""

import json
import re
import textwrap

import pandas as pd
from tabulate import tabulate

from ecot.artefacts import record as run_record
from ecot.artefacts.names import RECORD
from ecot.config import Config
from ecot.data.sets import DATASETS
from ecot.errors import EcotError
from ecot.files import read_text
from ecot.grid.cell import Cell
from ecot.grid.paths import model_folder, results_folder
from ecot.grid.plan import cell_settings, grid, tasks
from ecot.modes import Randomness
from ecot.paper import checks, differences
from ecot.paper.comparable import match
from ecot.products import base, comparison, metrics
from ecot.products.captions import count
from ecot.products.claims import count_verdicts
from ecot.products.file_round_trip import FileRoundTrip
from ecot.tasks import TASKS

WIDTH = 100  # columns of a terminal
ROWS = 8  # rates of a task that are shown; the tables have all
RANDOMNESS: tuple[Randomness, ...] = ("common", "independent")


def summary(config: Config) -> str:
    """The screen of a run, at most WIDTH columns wide. EcotError if no cell of it is measured."""
    cells = grid(config)
    measured = metrics.read(cells, config)
    run = results_folder(config)
    if measured.table.empty:
        raise EcotError(f"run {config.run} has no results yet in {run}; `snakemake` makes them, see `ecot status`")
    parts = [_trained(config, cells, len(cells) - len(measured.missing)), _table(config, measured.table)]
    if score := _score(config):
        parts.append(score)
    if files := _files(config):
        parts.append(files)
    places = [(name, run / file) for name, file in (("report", "report.html"), ("claims", "claims.md"))]
    lines = [f"{name:<8}{path}" for name, path in places if path.is_file()]
    more = "more    ecot show NAME, for instance claims, paper_comparison, constraint; ecot status"
    parts.append("\n".join([*lines, more]))
    return "\n\n".join(parts)


def _trained(config: Config, cells: list[Cell], done: int) -> str:
    """What was trained, on what and for how long."""
    folders = {cell: model_folder(config, cell) for cell in cells}
    records = [
        run_record.of_cell(folder, cell_settings(config, cell))
        for cell, folder in folders.items()
        if (folder / RECORD).is_file()
    ]
    devices = sorted({re.sub(r"\d+ threads?, ", "", record["device"]) for record in records})
    hours = sum(record["seconds"] for record in records) / 3600
    seeds = count(len(config.seeds), "seed")
    time = f"{hours:.1f} h" if hours >= 1 else f"{60 * hours:.0f} min"
    head = f"Run {config.run}: {done} of {len(cells)} models trained and measured, {seeds}, {time} of training"
    lines = [f"{head} on {', '.join(devices)}." if devices else f"{head}."]
    for task in tasks(config):
        settings = config.tasks[task]
        data = DATASETS[settings.dataset]
        images = f"{settings.n_train or data.n_train:,} training images, networks of width {settings.width:g}"
        lines.append(f"{TASKS[task].title}: {data.title}, {images}.")
    return "\n".join(lines)


def _table(config: Config, table: pd.DataFrame) -> str:
    """Distortion with and without common randomness, end to end, and the paper's number where it is comparable."""
    there = table[table["mode"] == "end_to_end"]
    if there.empty:
        return "No end-to-end system is measured, so that nothing can be said of common randomness."
    means = metrics.over_seeds(there, "mse_input")
    published = (
        comparison.compare(table, config) if any(match(config, task).comparable for task in tasks(config)) else None
    )
    lines, notes = [], []
    for task in dict.fromkeys(there.task):
        rates = sorted(means.rate_bits[means.task == task].dropna().unique())
        shown = rates if len(rates) <= ROWS else rates[:: -(-len(rates) // ROWS)]
        for i, rate in enumerate(shown):
            numbers = [_number(means, task, rate, randomness) for randomness in RANDOMNESS]
            paper = [_published(published, task, rate, randomness) for randomness in RANDOMNESS]
            lines.append([TASKS[task].title if i == 0 else "", rate, *numbers, *paper])
        notes.append(f"{TASKS[task].title}: {_saved(there[there.task == task], task)}")
        if problem := match(config, task).problem:
            notes.append(f"  not comparable with the paper's numbers: {'; '.join(problem)}")
    headers = ["end to end", "bits", "common randomness", "none", "paper, common", "paper, none"]
    if all(not any(line[4:]) for line in lines):
        headers, lines = headers[:4], [line[:4] for line in lines]
    head = "Distortion E‖X − Ŷ‖² per pixel" + (
        ", mean ± standard deviation over seeds" if len(config.seeds) > 1 else ""
    )
    return "\n".join([head, tabulate(lines, headers=headers, disable_numparse=True), "", *map(_fitted, notes)])


def _number(means: pd.DataFrame, task: str, rate: int, randomness: str) -> str:
    row = means[(means.task == task) & (means.rate_bits == rate) & (means.randomness == randomness)]
    if row.empty:
        return ""
    value, std = row.value.iloc[0], row["std"].iloc[0]
    return f"{value:.4f}" + ("" if pd.isna(std) else f" ± {std:.4f}")


def _published(rows: pd.DataFrame | None, task: str, rate: int, randomness: str) -> str:
    """The paper's number beside a measured one; empty where the two answer different questions."""
    if rows is None:
        return ""
    point = (rows.task == task) & (rows.rate_bits == rate) & (rows.randomness == randomness)
    row = rows[point & (rows["mode"] == "end_to_end") & (rows.quantity == "mse_input") & rows.value.notna()]
    return "" if row.empty else f"{row.paper.iloc[0]:.4f}"


def _saved(rows: pd.DataFrame, task: str) -> str:
    """How many bits common randomness saves, with the interval over the seeds."""
    numbers = differences.of_run(rows)
    curves = [differences.ENDS[randomness].of(numbers, task) for randomness in RANDOMNESS]
    seeds = curves[0].index.intersection(curves[1].index)
    saved = differences.interval([checks.bits_saved(curves[0].loc[seed], curves[1].loc[seed]) for seed in seeds])
    if saved.n == 0:
        return "the two curves have no distortion in common, so that no saving in bits can be read off"
    spread = "one seed, no interval" if pd.isna(saved.low) else f"95 % interval {saved.low:.1f} to {saved.high:.1f}"
    return f"at equal distortion common randomness saves {saved.mean:.1f} bits for each image ({spread})"


def _score(config: Config) -> str | None:
    """How many claims hold, of trained systems and of the theory."""
    path = results_folder(config) / "claims.csv"
    if not path.is_file():
        return None
    try:
        base.require(config, base.named(config, "claims"))
    except base.StaleError:
        return "Claims of the paper\n  not judged under these settings yet: `ecot make claims`"
    rows = pd.read_csv(path)
    parts = [("trained systems", rows[rows.task.notna()]), ("theory", rows[rows.task.isna()])]
    lines = [f"  {name + ':':<17}{count_verdicts(part.verdict)}" for name, part in parts if len(part)]
    return "\n".join(["Claims of the paper", *map(_fitted, lines)])


def _files(config: Config) -> str | None:
    """What the test images take in a file, and where they can be seen as they are decoded from it."""
    lines = []
    for product in base.products(config).values():
        path = next((path for path in product.files(config) if path.suffix == ".json"), None)
        if not isinstance(product, FileRoundTrip) or path is None or not path.is_file():
            continue
        try:
            base.require(config, product)
        except base.StaleError:  # nothing has been encoded under these settings yet
            continue
        taken = json.loads(read_text(path))
        lines.append(
            f"  {TASKS[product.cell.task].title}: {taken['images']:,} images in {taken['bytes']:,} bytes,"
            f" {taken['bits_per_image']:.2f} bits per image, distortion {taken['distortion']:.4f};"
            f" {path.with_suffix('.png')}"
        )
    return "\n".join(["Encoded to a file and decoded", *map(_fitted, lines)]) if lines else None


def _fitted(line: str) -> str:
    return textwrap.fill(line, WIDTH, subsequent_indent="    ", replace_whitespace=False)
