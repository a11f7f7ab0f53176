"""Configuration: what is accepted, what is refused and in which words."""

import json
import re
import sys
from dataclasses import replace

import pytest
import yaml

from ecot import config as configuration
from ecot.config import json_schema, load, merge, validate
from ecot.degradations.gaussian_noise import GaussianNoiseSettings
from ecot.degradations.jpeg import JpegSettings
from ecot.degradations.resampling import ResamplingSettings
from ecot.errors import EcotError
from ecot.grid.cell import Cell
from ecot.grid.paths import model_folder
from ecot.grid.plan import cell_settings, grid
from ecot.grid.plan import sweep as swept
from ecot.tasks import TASKS
from ecot.theory.penalty import critical_weight


def mode(name, **change):
    return {"tasks": {"denoising": {"modes": {name: change}}}}


def end_to_end(**change):
    return mode("end_to_end", **change)


def degradation(**change):
    return {"tasks": {"denoising": {"degradation": change}}}


def sweep(**change):
    return {"tasks": {"super_resolution": {"fit_weight": change}}}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sedes": [1]}, "sedes: unknown setting; did you mean seeds? allowed: run, extensions"),
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
        (
            {"tasks": {"denoising": {"dataset": "cifar"}}},
            "tasks.denoising.dataset: 'cifar' is no data set; allowed: mnist, mnist_sample, street_digits,",
        ),
        (
            {"tasks": {"denoising": {"degradation": {"kind": "blur"}}}},
            "tasks.denoising.degradation: kind: 'blur' is no degradation; allowed: gaussian_noise, jpeg, resampling",
        ),
        (degradation(kind=["blur"]), "tasks.denoising.degradation: kind: ['blur'] is no degradation; allowed:"),
        (degradation(kind=None), "tasks.denoising.degradation: kind: None is no degradation; allowed:"),
        (degradation(std=-1), "tasks.denoising.degradation.std: -1: must be greater than or equal to 0"),
        (degradation(std="20"), "tasks.denoising.degradation.std: '20': must be a valid number"),
        (
            degradation(kind="resampling"),
            "degradation.std: unknown setting; allowed: kind, factor, down, up",
        ),
        ({"tasks": {"denoising": {"degradation": None}}}, "tasks.denoising.degradation: None: must be"),
        (
            {"tasks": {"denoising": {"degradation": {"sigma": 3}}}},
            "tasks.denoising.degradation.sigma: unknown setting; allowed: kind, std, clip",
        ),
        (
            {"tasks": {"denoising": {"modes": {"end_to_end": None, "separate": None}}}},
            "tasks.denoising.modes: joint needs a model of end_to_end; add modes.end_to_end or leave joint out",
        ),
        ({"tasks": {"denoising": {"modes": {"restoration": None}}}}, "baseline needs a model of restoration"),
        ({"tasks": {"inpainting": {}}}, "tasks.inpainting.dataset: missing"),
        (end_to_end(rates=[]), "tasks.denoising.modes.end_to_end.rates: an empty list"),
        (end_to_end(rates=[12, 13]), "rates: 13 is not a multiple of log2(levels) = 3; write 12 or 15"),
        (end_to_end(rates=[2]), "rates: 2 is not a multiple of log2(levels) = 3; write 3"),
        (end_to_end(rates=[18, 12]), "end_to_end.rates: must ascend without repetition; write [12, 18]"),
        (end_to_end(rates=[12.0]), "rates.0: 12.0: must be a valid integer"),
        (
            end_to_end(randomness=["shared"]),
            "randomness.0: 'shared' is no randomness; allowed: common, independent, limited-k",
        ),
        (end_to_end(randomness=[False]), "randomness.0: False: must be a valid string"),
        (end_to_end(randomness=["limited-17"]), "randomness.0: 'limited-17' is no randomness; allowed: common,"),
        (end_to_end(limited_rates=[13]), "end_to_end.limited_rates: 13 is none of the rates; write some of ["),
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
            "end_to_end.distribution_weight: '1e-4': must be a valid number (YAML takes 1e-4 for text: write 1.0e-4)",
        ),
        (end_to_end(distribution_weight=True), "end_to_end.distribution_weight: True: must be a valid number"),
        (end_to_end(distribution_weight=None), "end_to_end.distribution_weight: None: must be a valid number"),
        (end_to_end(distribution_weight=[0.1]), "end_to_end.distribution_weight: [0.1]: must be a valid number"),
        (
            end_to_end(distribution_weight={"published": 0.1}),
            "end_to_end.distribution_weight: {'published': 0.1}: must be a valid number",
        ),
        (mode("end_to_end", rates=None), "denoising.modes: end_to_end.rates: missing; write a list for it"),
        (mode("end_to_end", randomness=None), "denoising.modes: end_to_end.randomness: missing; write a list for it"),
        (mode("end_to_end", randomness=[]), "modes.end_to_end.randomness: an empty list; write at least one value"),
        (
            mode("end_to_end", randomness=["common", "common"]),
            "modes.end_to_end.randomness: each value may be named once",
        ),
        (
            mode("restoration", rates=[12]),
            "denoising.modes: restoration.rates: restoration has no choice of rates; leave it out",
        ),
        (
            mode("joint", randomness=["independent"]),
            "denoising.modes: joint.randomness: joint has no choice of randomness; leave it out",
        ),
        (
            {
                "tasks": {
                    "denoising": {
                        "modes": {
                            "end_to_ned": {
                                "epochs": 1,
                                "learning_rate": 0.1,
                                "decays": {},
                                "distribution_weight": 0.0,
                            }
                        }
                    }
                }
            },
            "denoising.modes: there is no mode 'end_to_ned'; allowed: end_to_end, joint, separate, restoration, base",
        ),
        ({"select": {"mode": ["joint"]}}, "select.mode: unknown setting; did you mean modes? allowed: tasks, modes"),
        ({"select": {"tasks": []}}, "select.tasks: an empty list; write at least one value"),
        ({"select": {"seeds": [True]}}, "select.seeds.0: True: must be a valid integer"),
        ({"select": {"rates": [0]}}, "select.rates.0: 0: must be greater than 0"),
        ({"run": "cells"}, "run: 'cells' is no name for a run"),
        ({"extensions": "mine"}, "extensions: 'mine': must be a valid list"),
        ({"extensions": [1]}, "extensions.0: 1: must be a valid string"),
        (sweep(weights=[0.1]), "super_resolution.fit_weight.weights: only [0.1]; write at least 3 values"),
        (sweep(weights=[0.1, 0.2, 0.2]), "fit_weight.weights: must ascend without repetition; write [0.1, 0.2]"),
        (sweep(weights=[0.0, 0.1, 0.2]), "fit_weight.weights.0: 0.0: must be greater than 0"),
    ],
)
def test_a_wrong_setting_is_named_in_one_line(values, change, message):
    with pytest.raises(EcotError) as error:
        validate(merge(values, change))
    assert message in str(error.value).splitlines()[0]
    if "inpainting" not in change.get("tasks", {}):
        assert len(str(error.value).splitlines()) == 1


def test_an_unknown_task_is_refused(values):
    values["tasks"]["inpainting"] = values["tasks"]["denoising"]
    with pytest.raises(
        EcotError, match=r"^tasks: there is no task 'inpainting'; allowed: denoising, jpeg, super_resolution"
    ):
        validate(values)


def test_a_degradation_needs_its_kind(values):
    del values["tasks"]["denoising"]["degradation"]["kind"]
    with pytest.raises(EcotError, match="degradation: kind is missing; allowed: gaussian_noise, jpeg, resampling"):
        validate(values)


def test_a_degradation_is_of_the_class_of_its_kind(config, values):
    assert config.tasks["super_resolution"].degradation == ResamplingSettings(kind="resampling")
    assert config.tasks["denoising"].degradation == GaussianNoiseSettings(kind="gaussian_noise")
    values["tasks"]["denoising"]["degradation"] = {"kind": "jpeg", "quality": 30}
    assert validate(values).tasks["denoising"].degradation == JpegSettings(kind="jpeg", quality=30)


def test_extensions_are_imported_from_the_working_directory(values, tmp_path, monkeypatch):
    """Before the rest is checked, which may name what they register."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    name = "an_extension_of_the_configuration"
    (tmp_path / f"{name}.py").write_text(
        "from ecot.tasks import TASKS, Task\n"
        "TASKS.register(Task('inpainting', 'Inpainting', (3, 32, 32), 'ecot.networks.street'))\n"
    )
    values["tasks"]["inpainting"] = values["tasks"]["denoising"]
    monkeypatch.setattr(TASKS, "_items", dict(TASKS._items))
    try:
        assert "inpainting" in validate(values | {"extensions": [name]}).tasks
    finally:
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", ["no_such_module", "faulty", "", ".relative", "no.such.module", "no-name"])
def test_an_extension_that_cannot_be_imported_is_named(values, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "faulty.py").write_text("def f(:\n")
    with pytest.raises(EcotError, match=rf"^extensions: {re.escape(repr(name))} cannot be imported \(.*must be a Py"):
        validate(values | {"extensions": [name]})


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
    """On its own line or the one above, or at the same key in the first task, or at the mapping around it."""
    commented, missing, above = set(), [], ""
    for line in (repository / "config.yaml").read_text().splitlines():
        match = re.match(r"\s*([a-z_0-9]+):", line)
        if match and ("#" in line or above.strip().startswith("#")):
            commented.add(match[1])
        elif match and match[1] not in commented:
            missing.append(match[1])
        above = line
    assert set(missing) <= {"data", "tasks", "evaluation", "train", "evaluate"}


def test_the_papers_grid(config):
    cells = grid(config)
    assert len({cell.name for cell in cells}) == len(cells) == 158
    rates = {}
    for cell in cells:
        rates.setdefault((cell.task, cell.mode, cell.randomness), []).append(cell.rate_bits)
    for task, all_rates, few in (
        ("super_resolution", list(range(4, 33, 2)), [4, 10, 20, 30]),
        ("denoising", list(range(12, 115, 6)), [12, 30, 60, 90]),
    ):
        for randomness in ("common", "independent"):
            assert rates.pop((task, "end_to_end", randomness)) == all_rates
            assert rates.pop((task, "baseline", randomness)) == all_rates
        assert rates.pop((task, "joint", "independent")) == [rate for rate in few for _ in ("fresh", "shared")]
        assert rates.pop((task, "separate", "independent")) == few
        assert rates.pop((task, "restoration", None)) == [None]
    assert not rates


def test_what_a_cell_builds_on(config):
    joint = Cell("denoising", "joint", "independent", 30, 2, None, "fresh")
    assert joint.builds_on == Cell("denoising", "end_to_end", "independent", 30, 2)
    assert Cell("denoising", "baseline", "common", 30, 2).builds_on.name == "denoising/restoration/seed-2"
    assert joint.builds_on.builds_on is None
    assert cell_settings(config, joint).frozen == cell_settings(config, joint.builds_on)


def test_settings_of_a_cell_do_not_depend_on_the_grid_around_it(values):
    cell = Cell("denoising", "end_to_end", "common", 12, 0)
    one = cell_settings(validate(values), cell)
    other = merge(values, {"seeds": [0, 5], "device": "cpu", "select": {"rates": [12]}, **end_to_end(rates=[12])})
    assert cell_settings(validate(other), cell) == one
    assert cell_settings(validate(merge(values, end_to_end(epochs=207))), cell) != one


@pytest.mark.parametrize("weight", [0, 1, 0.5, 1e-3])
def test_a_cell_is_trained_with_the_weight_of_its_mode(values, weight):
    """A whole number means the same model as the same number with a decimal point."""
    cell = Cell("denoising", "end_to_end", "common", 12, 0)
    texts = {
        cell_settings(validate(merge(values, end_to_end(distribution_weight=value))), cell).model_dump_json()
        for value in (weight, float(weight))
    }
    assert len(texts) == 1
    assert f'"distribution_weight":{float(weight)}' in texts.pop()


def test_the_published_weight_is_an_overlay_that_changes_nothing_else(repository, config):
    published = load(repository / "config.yaml", repository / "config.published.yaml")
    changed = {"tasks": {"super_resolution": {"modes": {"end_to_end": {"distribution_weight": 1e-3}}}}}
    assert config.tasks["super_resolution"].modes["end_to_end"].distribution_weight == 1e-2
    assert published.model_dump() == merge(config.model_dump(), {"run": published.run, **changed})
    assert published.run != config.run


def test_the_critical_weights_are_an_overlay_at_1_2_lambda_star(repository, config):
    """At the transport cost of the Gelbrich floor on MNIST, and of the noise on SVHN."""
    critical = load(repository / "config.yaml", repository / "config.critical.yaml")
    changed = {}
    for task, values, cost in (("super_resolution", 784, 0.0350), ("denoising", 3072, (20 / 255) ** 2)):
        weight = critical.tasks[task].modes["end_to_end"].distribution_weight
        assert weight == pytest.approx(1.2 * critical_weight(cost, values), rel=0.01)
        changed[task] = {"modes": {"end_to_end": {"distribution_weight": weight}}}
    assert critical.model_dump() == merge(config.model_dump(), {"run": critical.run, "tasks": changed})


def test_the_authors_code_is_an_overlay_of_end_to_end_alone(repository):
    code = load(repository / "config.yaml", repository / "config.authors_code.yaml")
    assert {task: list(settings.modes) for task, settings in code.tasks.items()} == {
        "super_resolution": ["end_to_end"],
        "denoising": ["end_to_end"],
    }
    schedules = {task: settings.modes["end_to_end"] for task, settings in code.tasks.items()}
    assert [mode.epochs for mode in schedules.values()] == [100, 100]
    assert schedules["super_resolution"].decays == {20: 5.0, 40: 10.0}  # so a fiftieth after epoch 40
    assert schedules["denoising"].decays == {40: 5.0}
    assert [mode.distribution_weight for mode in schedules.values()] == [1e-3, 3e-3]
    assert code.training.critic_batches == "paired"


def test_how_many_dither_vectors_each_mode_draws(config):
    drawn = {
        (cell.mode, cell.dither or cell.randomness): cell_settings(config, cell).dithers for cell in grid(config)
    }
    assert drawn == {
        ("end_to_end", "common"): 1,
        ("end_to_end", "independent"): 2,
        ("joint", "fresh"): 5,
        ("joint", "shared"): 2,
        ("separate", "independent"): 6,
        ("restoration", None): 0,
        ("baseline", "common"): 1,
        ("baseline", "independent"): 2,
    }


def test_a_sweep_differs_from_the_grid_in_its_weight_and_its_validation_images(config):
    """Even the streams of random numbers are the same."""
    cells = swept(config, "super_resolution")
    folders = {model_folder(config, cell) for cell in cells}
    assert len(folders) == len(cells) == 5 * 2 * 2
    assert not folders & {model_folder(config, cell) for cell in grid(config)}
    for cell in cells:
        own, theirs = cell_settings(config, cell), cell_settings(config, replace(cell, weight=None))
        assert own.schedule.distribution_weight == cell.weight
        grids = {"schedule": {"distribution_weight": 1e-2}, "n_validation": None}
        assert merge(own.model_dump(), grids) == theirs.model_dump()
        assert own.identity == theirs.identity


def test_a_sweep_needs_the_schedule_of_end_to_end(values):
    modes = dict.fromkeys(("end_to_end", "joint", "separate"))
    change = {"super_resolution": {"modes": modes}, "denoising": {"fit_weight": None}}
    config = validate(merge(values, {"tasks": change}))
    with pytest.raises(EcotError, match=r"super_resolution\.modes\.end_to_end: missing; fit_weight trains by its"):
        swept(config, "super_resolution")
    with pytest.raises(EcotError, match=r"tasks\.denoising\.fit_weight: missing; write the weights and rates"):
        swept(config, "denoising")
    with pytest.raises(EcotError, match="no task 'inpainting' in the configuration; it has super_resolution, den"):
        swept(config, "inpainting")


def test_latent_dimension(config):
    assert cell_settings(config, Cell("super_resolution", "end_to_end", "common", 32, 0)).latent_dim == 16
    assert cell_settings(config, Cell("denoising", "end_to_end", "common", 114, 0)).latent_dim == 38
    with pytest.raises(EcotError, match="rate 13 of denoising is not a positive multiple"):
        cell_settings(config, Cell("denoising", "end_to_end", "common", 13, 0))


def test_resolved_configuration_is_a_configuration(config):
    again = yaml.safe_load(yaml.safe_dump(config.model_dump()))
    assert configuration.validate(again) == config


def test_a_task_set_to_null_is_left_out(values):
    values["tasks"]["denoising"] = None
    assert list(validate(values).tasks) == ["super_resolution"]
    values["tasks"]["super_resolution"] = None
    with pytest.raises(EcotError, match="tasks: an empty"):
        validate(values)
