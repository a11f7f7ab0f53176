"""The paper's Tables 1, 2 and 5-11 as declarations: a view over the cells of the paper's two tasks."""

from collections.abc import Iterator

from ecot.config import Config
from ecot.modes import MODES, Dither
from ecot.products.base import declare
from ecot.products.rate_tables import RANDOMNESS, Block, Layout, Line, RateTable
from ecot.quantities import QUANTITIES
from ecot.tasks import TASKS

SUPER_RESOLUTION, DENOISING = "super_resolution", "denoising"
INPUT = "MSE between input and output"
TARGET = "MSE between ground truth and output"
TERMS = ("mse_x_y1", "mse_y_y2", "mse_y1_y2")
READINGS: tuple[Dither, ...] = tuple(MODES["joint"].readings)  # side by side, that of the tables first


def _table(
    number: int, title: str, blocks: tuple[Block, ...], layout: Layout = "rates across", bold: bool = False
) -> RateTable:
    caption = (
        f"Table {number} of the paper from this run: mean, standard deviation and number of seeds, and the paper's"
        " number where the two are comparable."
    )
    title = f"Table {number}: {title}"
    return RateTable(f"table_{number:02d}", title, caption, "Tables", blocks, number, layout, bold)


def _end_to_end(task: str, quantity: str) -> tuple[Block, ...]:
    return tuple(
        Block(heading, (Line("MSE", task, "end_to_end", randomness, QUANTITIES[quantity]),))
        for randomness, heading in RANDOMNESS.items()
    )


def _against_baseline(task: str) -> tuple[Block, ...]:
    return tuple(
        Block(
            heading,
            (
                Line("Baseline", task, "baseline", randomness, QUANTITIES["mse_input"]),
                Line("End to end", task, "end_to_end", randomness, QUANTITIES["mse_input"]),
            ),
        )
        for randomness, heading in RANDOMNESS.items()
    )


def _losses(task: str) -> Block:
    readings = (_decomposed_loss(task, dither, f", {dither} dither") for dither in READINGS)
    return Block(TASKS[task].title, (_end_to_end_loss(task), *readings))


def _end_to_end_loss(task: str) -> Line:
    quantity = QUANTITIES["mse_input"]
    return Line("End-to-end loss", task, "end_to_end", "independent", quantity, printed_as="loss_end_to_end")


def _decomposed_loss(task: str, dither: Dither, words: str = "") -> Line:
    quantity = QUANTITIES["loss_decomposed"]
    return Line(f"Decomposed loss{words}", task, "joint", "independent", quantity, dither=dither)


def _joint_and_separate(task: str) -> Block:
    methods: list[tuple[str, str, Dither | None]] = [
        *(("joint", f"Joint, {dither} dither", dither) for dither in READINGS),
        ("separate", "Separate", None),
    ]
    lines = (
        Line(QUANTITIES[term].text, task, mode, "independent", QUANTITIES[term], method, dither=dither)
        for term in TERMS
        for mode, method, dither in methods
    )
    return Block(TASKS[task].title, tuple(lines))


def _breakdown(task: str, dither: Dither) -> Block:
    terms = (
        Line(QUANTITIES[term].text, task, "joint", "independent", QUANTITIES[term], dither=dither) for term in TERMS
    )
    heading = f"{TASKS[task].title}, joint training, {dither} dither"
    end_to_end = (_end_to_end_loss(task),) if dither == READINGS[0] else ()  # one number, shown once
    return Block(heading, (*terms, _decomposed_loss(task, dither), *end_to_end))


TABLES = (
    _table(
        1,
        "End-to-end and decomposed loss without common randomness (Theorem 1)",
        (_losses(SUPER_RESOLUTION), _losses(DENOISING)),
    ),
    _table(
        2,
        "Separate and joint training for the decomposed loss (18)",
        (_joint_and_separate(SUPER_RESOLUTION), _joint_and_separate(DENOISING)),
        layout="methods across",
    ),
    _table(5, f"{INPUT}, super-resolution", _end_to_end(SUPER_RESOLUTION, "mse_input")),
    _table(6, f"{INPUT}, denoising", _end_to_end(DENOISING, "mse_input")),
    _table(7, "End-to-end system and baseline, super-resolution", _against_baseline(SUPER_RESOLUTION), bold=True),
    _table(8, "End-to-end system and baseline, denoising", _against_baseline(DENOISING), bold=True),
    _table(9, f"{TARGET}, super-resolution", _end_to_end(SUPER_RESOLUTION, "mse_target")),
    _table(10, f"{TARGET}, denoising", _end_to_end(DENOISING, "mse_target")),
    _table(
        11,
        "Breakdown of Table 1",
        tuple(_breakdown(task, dither) for task in (SUPER_RESOLUTION, DENOISING) for dither in READINGS),
        layout="rates down",
    ),
)


@declare
def _products(config: Config) -> Iterator[RateTable]:
    """The tables that the configuration has cells of."""
    return (table for table in TABLES if table.cells(config))
