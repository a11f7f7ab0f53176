"""Configuration: what is accepted, what is refused and in which words."""

import json
import re
from dataclasses import replace

import pytest
import yaml

from ecot import config as configuration
from ecot.cells import Cell, cell_settings, grid
from ecot.cells import sweep as swept
from ecot.config import json_schema, load, merge, validate
from ecot.errors import EcotError
from ecot.pipeline import Pipeline


def end_to_end(**change):
    return {"tasks": {"denoising": {"modes": {"end_to_end": change}}}}


def sweep(**change):
    return {"tasks": {"super_resolution": {"fit_weight": change}}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sedes": [1]}, "sedes: unknown setting; did you mean seeds? allowed: run, device"),
        ({"seeds": []}, "seeds: an empty list"),
        ({"seeds": [1, 1]}, "seeds: each seed may be named once"),
        ({"seeds": "0"}, "seeds: '0': must be a valid list"),
        ({"run": "../elsewhere"}, "run: '../elsewhere' is no name for a run; allowed: letters"),
        ({"run": "datasets"}, "run: 'datasets' is no name for a run"),
        ({"device": "gpu"}, "device: 'gpu': must be 'auto', 'cpu', 'cuda' or 'mps'"),
        (
            {"tasks": {"denoising": {"levels": 6}}},
            "tasks.denoising.levels: 6 is not a power of two; allowed: 2, 4, 8",
        ),
        ({"tasks": {"denoising": {"dataset": "cifar"}}}, "tasks.denoising.dataset: 'cifar': must be 'mnist'"),
        ({"tasks": {"denoising": {"degradation": {"kind": "blur"}}}}, "tasks.denoising.degradation.kind: allowed:"),
        (
            {"tasks": {"denoising": {"degradation": {"sigma": 3}}}},
            "tasks.denoising.degradation.sigma: unknown setting; allowed: kind, std, clip",
        ),
        (
            {"tasks": {"denoising": {"modes": {"end_to_end": None}}}},
            "tasks.denoising.modes: joint needs a model of end_to_end; add modes.end_to_end or leave joint out",
        ),
        ({"tasks": {"denoising": {"modes": {"restoration": None}}}}, "baseline needs a model of restoration"),
        ({"tasks": {"inpainting": {}}}, "tasks.inpainting.dataset: missing"),
        (end_to_end(rates=[]), "tasks.denoising.modes.end_to_end.rates: an empty list"),
        (end_to_end(rates=[12, 13]), "rates: 13 is not a multiple of log2(levels) = 3; write 12 or 15"),
        (end_to_end(rates=[2]), "rates: 2 is not a multiple of log2(levels) = 3; write 3"),
        (end_to_end(rates=[18, 12]), "rates must ascend without repetition; write [12, 18]"),
        (end_to_end(rates=[12.0]), "rates.0: 12.0: must be a valid integer"),
        (end_to_end(randomness=["shared"]), "randomness.0: 'shared': must be 'common' or 'independent'"),
        (end_to_end(randomness=[False]), "randomness.0: False: must be 'common' or 'independent'"),
        (end_to_end(epochs=0), "epochs: 0: must be greater than or equal to 1"),
        (end_to_end(learning_rate="1e-4"), "learning_rate: '1e-4': must be a valid number (YAML takes 1e-4 for text"),
        (
            end_to_end(distribution_weight=float("nan")),
            "end_to_end.distribution_weight: nan: must be a finite number",
        ),
        (
            end_to_end(distribution_weight=-1),
            "end_to_end.distribution_weight: -1: must be greater than or equal to 0",
        ),
        (
            end_to_end(distribution_weight="1e-4"),
            "distribution_weight: '1e-4': must be a number, or a mapping of published, fitted and use (YAML takes",
        ),
        (end_to_end(distribution_weight=True), "distribution_weight: True: must be a number, or a mapping of"),
        (end_to_end(distribution_weight=None), "distribution_weight: None: must be a number, or a mapping of"),
        (end_to_end(distribution_weight=[0.1]), "distribution_weight: [0.1]: must be a number, or a mapping of"),
        (
            end_to_end(distribution_weight={"use": "fitted"}),
            "denoising.modes.end_to_end.distribution_weight: use: fitted, but there is no fitted value;"
            " write fitted: VALUE or use: published",
        ),
        (end_to_end(distribution_weight={"use": "best"}), "distribution_weight.use: 'best': must be 'published' or"),
        (
            end_to_end(distribution_weight={"fited": 0.1}),
            "distribution_weight.fited: unknown setting; did you mean fitted? allowed: published, fitted, use",
        ),
        (end_to_end(distribution_weight={"fitted": "1e-2"}), "distribution_weight.fitted: '1e-2': must be a valid"),
        (sweep(weights=[0.1]), "super_resolution.fit_weight.weights: only [0.1]; write at least 3 values"),
        (sweep(weights=[0.1, 0.2, 0.2]), "fit_weight.weights: must ascend without repetition; write [0.1, 0.2]"),
        (sweep(weights=[0.0, 0.1, 0.2]), "fit_weight.weights.0: 0.0: must be greater than 0"),
        (
            sweep(rates=[7]),
            "super_resolution: fit_weight.rates: 7 is not a multiple of log2(levels) = 2; write 6 or 8",
        ),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(values, change, message):
    with pytest.raises(EcotError) as error:
        validate(merge(values, change))
    assert message in str(error.value).splitlines()[0]
    if "inpainting" not in change.get("tasks", {}):
        assert len(str(error.value).splitlines()) == 1


def test_a_task_is_a_module(values):
    values["tasks"]["inpainting"] = values["tasks"]["denoising"]
    with pytest.raises(
        EcotError, match=r"no task 'inpainting': it would be the module src/ecot/tasks/inpainting\.py"
    ):
        validate(values)


def test_an_empty_grid_is_refused(values):
    values["tasks"]["denoising"]["modes"] = {}
    with pytest.raises(EcotError, match=r"denoising\.modes: an empty grid; name at least one of end_to_end, joint"):
        validate(values)
    with pytest.raises(EcotError, match="tasks: an empty list"):
        validate(values | {"tasks": {}})


def test_files_are_laid_over_each_other(repository):
    paper, demo = load(repository / "config.yaml"), load(repository / "config.yaml", repository / "config.demo.yaml")
    assert (paper.run, demo.run) == ("paper", "demo")
    assert demo.tasks["super_resolution"].degradation == paper.tasks["super_resolution"].degradation
    assert demo.tasks["super_resolution"].dataset == "mnist_sample"


@pytest.mark.parametrize(
    ("text", "message"), [("- a", "must be a mapping"), ("a: [", "cannot be read"), (None, "cannot be read")]
)
def test_a_file_that_is_no_configuration_is_named(tmp_path, text, message):
    path = tmp_path / "mine.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(EcotError, match=f"configuration {re.escape(str(path))} {message}"):
        load(path)


def test_yaml_executes_nothing(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(f"run: !!python/object/apply:os.mkdir [{tmp_path / 'made'}]")
    with pytest.raises(EcotError, match="cannot be read"):
        load(path)
    assert not (tmp_path / "made").exists()


def test_schema_is_in_step(repository):
    exported = json.loads((repository / "workflow/schemas/config.schema.json").read_text())
    assert exported == json_schema(), "run: ecot schema --out workflow/schemas/config.schema.json"


def test_every_key_of_the_papers_grid_has_a_comment(repository):
    """On its own line, or on that of the same key in the first task, or of the mapping around it."""
    commented, missing = set(), []
    for line in (repository / "config.yaml").read_text().splitlines():
        match = re.match(r"\s*([a-z_0-9]+):", line)
        if match and "#" in line:
            commented.add(match[1])
        elif match and match[1] not in commented:
            missing.append(match[1])
    assert set(missing) <= {"data", "tasks", "evaluation", "train", "evaluate"}


def test_the_papers_grid(config):
    cells = list(grid(config))
    assert len({cell.folder for cell in cells}) == len(cells)
    rates = {}
    for cell in cells:
        rates.setdefault(cell.kind, []).append(cell.rate_bits)
    for task, all_rates, few in (
        ("super_resolution", list(range(4, 33, 2)), [4, 10, 20, 30]),
        ("denoising", list(range(12, 115, 6)), [12, 30, 60, 90]),
    ):
        for randomness in ("common", "independent"):
            assert rates.pop((task, "end_to_end", randomness)) == all_rates
            assert rates.pop((task, "baseline", randomness)) == all_rates
        assert rates.pop((task, "joint", "independent")) == few
        assert rates.pop((task, "separate", "independent")) == few
        assert rates.pop((task, "restoration", None)) == [None]
    assert not rates


def test_what_a_cell_stands_on(config):
    joint = Cell("denoising", "joint", "independent", 30, 2)
    assert joint.needs == Cell("denoising", "end_to_end", "independent", 30, 2)
    assert (
        Cell("denoising", "baseline", "common", 30, 2).needs.folder.as_posix() == "cells/denoising/restoration/seed-2"
    )
    assert cell_settings(config, joint).frozen == cell_settings(config, joint.needs)


def test_settings_of_a_cell_do_not_depend_on_the_grid_around_it(values):
    cell = Cell("denoising", "end_to_end", "common", 12, 0)
    one = cell_settings(validate(values), cell)
    other = merge(values, {"seeds": [0, 5], "device": "cpu", **end_to_end(rates=[12])})
    assert cell_settings(validate(other), cell) == one
    assert cell_settings(validate(merge(values, end_to_end(epochs=7))), cell) != one


@pytest.mark.parametrize(
    ("change", "weight", "origin"),
    [
        ({}, 1e-3, "published"),
        ({"use": "fitted"}, 1e-2, "fitted"),
        ({"use": "fitted", "fitted": 0.0}, 0.0, "fitted"),
        (0.5, 0.5, "own"),
        (1, 1.0, "own"),
    ],
)
def test_a_cell_is_trained_with_the_value_in_use(values, change, weight, origin):
    """Its settings hold the number alone, so that the same model has the same settings under any name."""
    mode = {"end_to_end": {"distribution_weight": change}}
    config = validate(merge(values, {"tasks": {"super_resolution": {"modes": mode}}}))
    schedule = config.tasks["super_resolution"].schedules()["end_to_end"]
    assert (schedule.weight, schedule.weight_origin) == (weight, origin)
    cell = Cell("super_resolution", "end_to_end", "common", 8, 0)
    plain = validate(merge(values, {"tasks": {"super_resolution": {"modes": {"end_to_end": {
        "distribution_weight": weight}}}}}))  # fmt: skip
    assert cell_settings(config, cell).model_dump_json() == cell_settings(plain, cell).model_dump_json()
    assert f'"distribution_weight":{weight}' in cell_settings(config, cell).model_dump_json()


def test_the_demo_uses_the_fitted_weight_of_the_papers_grid(repository):
    demo = load(repository / "config.yaml", repository / "config.demo.yaml")
    named = demo.tasks["super_resolution"].schedules()["end_to_end"].distribution_weight
    assert (named.published, named.fitted, named.use) == (1e-3, 1e-2, "fitted")


def test_a_sweep_differs_from_the_grid_in_its_weight_alone(config):
    """Even the streams of random numbers are the same, and no file of one is a file of the other."""
    cells = swept(config, "super_resolution")
    assert len({cell.folder for cell in cells}) == len(cells) == 5 * 2 * 2
    assert not {cell.folder for cell in cells} & {cell.folder for cell in grid(config)}
    for cell in cells:
        own, theirs = cell_settings(config, cell), cell_settings(config, replace(cell, weight=None))
        assert own.schedule.distribution_weight == cell.weight
        assert merge(own.model_dump(), {"schedule": {"distribution_weight": 1e-3}}) == theirs.model_dump()
        assert own.identity == theirs.identity


def test_a_sweep_needs_the_schedule_of_end_to_end(values):
    modes = dict.fromkeys(("end_to_end", "joint", "separate"))
    config = validate(merge(values, {"tasks": {"super_resolution": {"modes": modes}}}))
    with pytest.raises(EcotError, match=r"super_resolution\.modes\.end_to_end: missing; fit_weight trains by its"):
        swept(config, "super_resolution")


def test_latent_dimension(config):
    assert cell_settings(config, Cell("super_resolution", "end_to_end", "common", 32, 0)).latent_dim == 16
    assert cell_settings(config, Cell("denoising", "end_to_end", "common", 114, 0)).latent_dim == 38
    with pytest.raises(EcotError, match="rate 13 of denoising is not a positive multiple"):
        cell_settings(config, Cell("denoising", "end_to_end", "common", 13, 0))


def test_values_from_the_command_line_are_typed(values):
    """Snakemake hands the inner values of --config on as text."""
    values["tasks"]["denoising"]["modes"]["end_to_end"]["rates"] = ["12", "30"]
    values["tasks"]["denoising"]["n_train"] = "null"
    task = Pipeline(values).config.tasks["denoising"]
    assert (task.schedules()["end_to_end"].rates, task.n_train) == ([12, 30], None)


def test_resolved_configuration_is_a_configuration(config):
    again = yaml.safe_load(yaml.safe_dump(config.model_dump()))
    assert configuration.validate(again) == config


def test_a_task_set_to_null_is_left_out(values):
    values["tasks"]["denoising"] = None
    assert list(validate(values).tasks) == ["super_resolution"]
    values["tasks"]["super_resolution"] = None
    with pytest.raises(EcotError, match="tasks: an empty"):
        validate(values)
