"""From a configuration to its cells."""

import pytest

from ecot.config import load, merge, validate
from ecot.errors import EcotError
from ecot.grid.cell import Cell
from ecot.grid.plan import cell_settings, grid, rated, tasks

MODES = ["end_to_end", "joint", "separate", "restoration", "baseline"]


def in_order(values):
    """The names of the whole grid as plain loops over the configuration's lists give them."""
    names = []
    for task, settings in values["tasks"].items():
        for mode in MODES:
            schedule = settings["modes"].get(mode)
            if schedule is None:
                continue
            for rate in schedule.get("rates", [None]):
                for randomness in schedule.get("randomness", ["independent"]):
                    if randomness.startswith("limited") and rate not in schedule.get("limited_rates", [rate]):
                        continue
                    for reading in schedule.get("dither", [None]):
                        for seed in values["seeds"]:
                            point = "" if rate is None else f"{randomness}/rate-{rate}/"
                            point += "" if reading is None else f"dither-{reading}/"
                            names.append(f"{task}/{mode}/{point}seed-{seed}")
    return names


def names(config):
    return [cell.name for cell in grid(config)]


def test_the_grid_is_in_the_order_of_the_lists(values):
    values = merge(values, {"seeds": [3, 0, 1]})
    values["tasks"]["denoising"]["modes"]["baseline"]["randomness"] = ["independent", "common"]
    modes = values["tasks"]["denoising"]["modes"]
    shuffled = merge(values, {})
    shuffled["tasks"]["denoising"] = {**values["tasks"]["denoising"], "modes": dict(reversed(modes.items()))}
    assert names(validate(values)) == names(validate(shuffled)) == in_order(values)


def test_the_grids_of_the_shipped_configurations(repository, values):
    assert names(load(repository / "config.yaml")) == in_order(values)
    demo = load(repository / "config.yaml", repository / "config.demo.yaml")
    assert names(demo) == in_order(demo.model_dump(exclude_none=True))
    assert len(rated(demo)) == len(grid(demo)) - len(demo.tasks) * len(demo.seeds)
    limited = load(repository / "config.yaml", repository / "config.limited.yaml")
    assert [cell.randomness for cell in grid(limited)[:: len(limited.seeds)]] == [
        "independent", "limited-1", "limited-2", "limited-3", "limited-4", "common"
    ]  # fmt: skip


def select(values, **chosen):
    return validate(merge(values, {"select": chosen}))


def test_a_selection_cuts_every_axis(values):
    values = merge(values, {"seeds": [0, 1]})
    everything = grid(validate(values))
    config = select(values, tasks=["denoising"], modes=["end_to_end"], rates=[12, 60], seeds=[1])
    assert names(config) == [
        f"denoising/end_to_end/{kind}/rate-{rate}/seed-1" for rate in (12, 60) for kind in ("common", "independent")
    ]
    assert tasks(config) == ["denoising"]
    assert grid(select(values, seeds=[1])) == [cell for cell in everything if cell.seed == 1]
    assert grid(select(values)) == everything


def test_a_mode_without_a_rate_is_in_every_selection_of_rates(values):
    config = select(values, tasks=["denoising"], modes=["end_to_end", "restoration"], rates=[18])
    assert [(cell.mode, cell.randomness, cell.rate_bits) for cell in grid(config)] == [
        ("end_to_end", "common", 18),
        ("end_to_end", "independent", 18),
        ("restoration", None, None),
    ]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (
            "joint",
            [
                "end_to_end/independent/rate-30",
                "joint/independent/rate-30/dither-fresh",
                "joint/independent/rate-30/dither-shared",
            ],
        ),
        ("separate", ["end_to_end/independent/rate-30", "separate/independent/rate-30"]),
        ("baseline", ["restoration", "baseline/common/rate-30", "baseline/independent/rate-30"]),
    ],
)
def test_what_a_selected_cell_builds_on_is_trained_too(values, mode, expected):
    config = select(values, tasks=["denoising"], modes=[mode], rates=[30])
    assert names(config) == [f"denoising/{name}/seed-0" for name in expected]


def test_what_a_cell_builds_on_is_in_the_grid_though_no_list_has_it(values):
    """Otherwise no rule would train it, and the index of the run, by which models are pruned, would not have it."""
    change = {
        "end_to_end": {"rates": [12, 60], "randomness": ["common"]},
        "joint": {"rates": [12, 30], "dither": ["fresh"]},
    }
    change |= dict.fromkeys(("separate", "restoration", "baseline"))
    values = merge(values, {"tasks": {"super_resolution": None, "denoising": {"modes": change}}})
    assert names(validate(values)) == [
        f"denoising/{name}/seed-0"
        for name in (
            "end_to_end/common/rate-12",
            "end_to_end/independent/rate-12",
            "end_to_end/independent/rate-30",
            "end_to_end/common/rate-60",
            "joint/independent/rate-12/dither-fresh",
            "joint/independent/rate-30/dither-fresh",
        )
    ]


def test_a_selection_changes_no_settings(values):
    cell = Cell("denoising", "joint", "independent", 30, 0, None, "fresh")
    chosen = select(values, tasks=["denoising"], modes=["joint"], rates=[30])
    assert cell_settings(chosen, cell) == cell_settings(validate(values), cell)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"tasks": ["jpeg"]}, "select.tasks: no cell has 'jpeg'; there are super_resolution, denoising"),
        (
            {"modes": ["joint", "jiont"]},
            "select.modes: no cell has 'jiont'; there are end_to_end, joint, separate, restoration, baseline",
        ),
        ({"rates": [5]}, "select.rates: no cell has 5; there are 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28"),
        ({"seeds": [0, 7]}, "select.seeds: no cell has 7; there are 0"),
        (
            {"tasks": ["super_resolution"], "modes": ["joint"], "rates": [12]},
            "select leaves no cell: {'tasks': ['super_resolution'], 'modes': ['joint'], 'rates': [12]}; there are"
            " tasks super_resolution, denoising; modes end_to_end, joint, separate, restoration, baseline; rates 4",
        ),
    ],
)
def test_a_selection_that_leaves_nothing_names_what_there_is(values, chosen, message):
    config = select(values, **chosen)
    with pytest.raises(EcotError) as error:
        grid(config)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
