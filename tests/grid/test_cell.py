"""The name of a cell: written and parsed in one place."""

import pytest

from ecot.errors import EcotError
from ecot.grid.cell import Cell, point_pattern
from ecot.grid.plan import grid
from ecot.modes import MODES

CELLS = [
    ("super_resolution/end_to_end/common/rate-10/seed-0", ("super_resolution", "end_to_end", "common", 10, 0)),
    ("denoising/end_to_end/independent/rate-114/seed-12", ("denoising", "end_to_end", "independent", 114, 12)),
    (
        "denoising/joint/independent/rate-30/dither-fresh/seed-2",
        ("denoising", "joint", "independent", 30, 2, None, "fresh"),
    ),
    ("super_resolution/end_to_end/limited-3/rate-10/seed-0", ("super_resolution", "end_to_end", "limited-3", 10, 0)),
    ("denoising/separate/independent/rate-30/seed-2", ("denoising", "separate", "independent", 30, 2)),
    ("jpeg/restoration/seed-3", ("jpeg", "restoration", None, None, 3)),
    ("super_resolution/baseline/common/rate-4/seed-0", ("super_resolution", "baseline", "common", 4, 0)),
]


@pytest.mark.parametrize(("name", "fields"), CELLS)
def test_a_name_is_written_and_parsed(name, fields):
    assert Cell(*fields).name == name
    assert Cell.parse(name) == Cell(*fields)
    assert Cell.parse(f"{name}/") == Cell(*fields)  # as a shell completes the name of a folder


def test_the_examples_are_of_every_mode():
    assert {fields[1] for _, fields in CELLS} == set(MODES)


def test_every_cell_of_the_papers_grid_is_found_by_its_name(config):
    for cell in grid(config):
        assert Cell.parse(cell.name) == cell


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "'' is no name of a cell (it has too few parts); write TASK/MODE/RANDOMNESS/rate-BITS/seed-K, with"),
        ("denoising/seed-0", "(it has too few parts); write TASK/MODE"),
        ("denoising/end_to_end/seed-0", "(end_to_end has a randomness and a rate); write TASK/MODE"),
        ("denoising/end_to_end/common/rate-12/x/seed-0", "(end_to_end has a randomness and a rate); write"),
        ("denoising/restoration/common/rate-12/seed-0", "is no name of a cell; write denoising/restoration/seed-0"),
        ("denoising/joint/common/rate-12/dither-fresh/seed-0", "('common' is no randomness of joint); write TASK/"),
        ("denoising/joint/independent/rate-12/seed-0", "(joint has a dither: fresh, shared); write TASK/MODE"),
        ("denoising/joint/independent/rate-12/dither-own/seed-0", "(joint has a dither: fresh, shared); write"),
        (
            "denoising/separate/limited-2/rate-12/seed-0",
            "('limited-2' is no randomness of separate); write TASK/MODE",
        ),
        ("denoising/end_to_end/limited-0/rate-12/seed-0", "('limited-0' is no randomness of end_to_end); write"),
        ("denoising/end_to_end/limited-02/rate-12/seed-0", "('limited-02' is no randomness of end_to_end); write"),
        ("denoising/end_to_end/shared/rate-12/seed-0", "('shared' is no randomness of end_to_end); write"),
        ("denoising/end_to_end/common/12/seed-0", "('12' is not rate-NUMBER); write TASK/MODE"),
        ("denoising/end_to_end/common/rate--12/seed-0", "('rate--12' is not rate-NUMBER); write"),
        ("denoising/end_to_end/common/rate-12.0/seed-0", "('rate-12.0' is not rate-NUMBER); write"),
        ("denoising/end_to_end/common/rate-12/seed-", "('seed-' is not seed-NUMBER); write"),
        ("denoising/end_to_end/common/rate-012/seed-0", "write denoising/end_to_end/common/rate-12/seed-0"),
        ("denoising/end_to_end/common/rate-١٢/seed-0", "write denoising/end_to_end/common/rate-12/seed-0"),
        (f"denoising/restoration/seed-{'9' * 5000}", "is no name of a cell ("),
        ("denoise/end_to_end/common/rate-12/seed-0", "there is no task 'denoise'; did you mean denoising? allowed"),
        (
            "denoising/end-to-end/common/rate-12/seed-0",
            "there is no mode 'end-to-end'; did you mean end_to_end? all",
        ),
        ("../denoising/end_to_end/common/rate-12/seed-0", "there is no task '..'; allowed: denoising, jpeg, super_r"),
    ],
)
def test_what_is_no_name_of_a_cell_is_refused(name, message):
    with pytest.raises(EcotError) as error:
        Cell.parse(name)
    assert message in str(error.value)


def test_a_cell_in_words():
    assert (
        Cell("super_resolution", "end_to_end", "common", 10, 0, 0.01).title
        == "Super-resolution, end to end, common randomness, 10 bits, lambda 0.01, seed 0"
    )
    assert Cell("denoising", "restoration", None, None, 1).title == "Denoising, restoration, seed 1"


def test_the_weight_is_no_part_of_the_name():
    assert (
        Cell("denoising", "end_to_end", "common", 12, 0, 0.5).name
        == Cell.parse("denoising/end_to_end/common/rate-12/seed-0").name
    )


@pytest.mark.parametrize("mode", MODES)
def test_the_workflows_pattern_fits_the_name(mode):
    name = next(name for name, fields in CELLS if fields[1] == mode)
    cell = Cell.parse(name)
    point = point_pattern(MODES[mode]).format(randomness=cell.randomness, rate=cell.rate_bits, dither=cell.dither)
    assert f"{cell.task}/{cell.mode}/{point}seed-{cell.seed}" == name
