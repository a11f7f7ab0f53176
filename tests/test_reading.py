"""One reading of configurations for both entrances: the Snakefile and `ecot --config`."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ecot import config as configuration
from ecot.config.parsing import dump, parse
from ecot.errors import EcotError, MistakeError
from ecot.grid import index
from ecot.workflow import Pipeline

# Plain texts that YAML 1.1 and 1.2 read differently, and what to write.
DIFFERENT = {
    "010": "010 is 8 in YAML 1.1 and 10 in YAML 1.2; write 8 or 10 or '010' for text",
    "0o10": "0o10 is text in YAML 1.1 and 8 in YAML 1.2; write 8 or '0o10' for text",
    "08": "08 is text in YAML 1.1 and 8 in YAML 1.2",
    "on": "on is true in YAML 1.1 and text in YAML 1.2; write true or 'on' for text",
    "No": "No is false in YAML 1.1 and text in YAML 1.2; write false or 'No' for text",
    "yes": "yes is true in YAML 1.1",
    "1:30": "1:30 is 90 in YAML 1.1 and text in YAML 1.2; write 90 or '1:30' for text",
    "1:30.5": "1:30.5 is 90.5 in YAML 1.1",
    "1_000": "1_000 is 1000 in YAML 1.1",
    "0b11": "0b11 is 3 in YAML 1.1",
    "1e-4": "1e-4 is text in YAML 1.1 and 0.0001 in YAML 1.2; write 0.0001 or '1e-4' for text",
    "1e-5": "1e-5 is text in YAML 1.1 and 1.0e-05 in YAML 1.2; write 1.0e-05 or",
    "2022-01-01": "2022-01-01 is a date in YAML 1.1 and text in YAML 1.2; write '2022-01-01' for text",
}
SAME = {
    "10": 10, "-3": -3, "0": 0, "0x10": 16, "1.5": 1.5, "1.0e-4": 1e-4, ".5": 0.5, "true": True, "False": False,
    "null": None, "~": None, "": None, "abc": "abc", "a:b": "a:b", "1.2.3": "1.2.3", "y": "y", "'010'": "010",
    '"on"': "on", "'1e5'": "1e5", "-.inf": float("-inf"),
}  # fmt: skip


@pytest.mark.parametrize("text", DIFFERENT)
def test_what_two_versions_of_yaml_read_differently_is_refused(text):
    with pytest.raises(MistakeError) as refused:
        parse(f"a: 1\nb: [{text}]", "mine.yaml")
    assert str(refused.value).startswith(f"mine.yaml, line 2: {DIFFERENT[text]}")
    with pytest.raises(MistakeError, match=r"^mine\.yaml, line 1: "):
        parse(f"{text}: a key", "mine.yaml")


@pytest.mark.parametrize("text", SAME)
def test_what_they_read_alike_is_taken(text):
    assert parse(f"a: {text}", "") == {"a": SAME[text]}


@pytest.mark.parametrize("value", [*DIFFERENT, *(value for value in SAME.values()), "a\nb", "'", "é", 1e-5, [], {}])
def test_what_is_written_is_read_again_by_every_reader(value):
    assert parse(dump({"a": value}), "") == {"a": value} == yaml.safe_load(dump({"a": value}))


def test_a_key_that_is_written_twice_is_named_wherever_it_is():
    text = "a: 1\nb:\n  c: 1\n  d: {e: 1, e: 2}\n  c: 2\na: 3\n"
    with pytest.raises(MistakeError) as refused:
        parse(text, "mine.yaml")
    assert str(refused.value).splitlines() == [
        "mine.yaml, line 4: e is written twice, first in line 4; keep one of them",
        "mine.yaml, line 5: c is written twice, first in line 3; keep one of them",
        "mine.yaml, line 6: a is written twice, first in line 1; keep one of them",
    ]
    assert parse("a: &x {b: 1}\nc:\n  <<: *x\n  b: 2\n", "")["c"] == {"b": 2}  # what an alias gives may be replaced


@pytest.mark.parametrize("name", ["tasks", "tasks.denoising.modes", "tasks.denoising.modes.joint.decays"])
def test_an_empty_mapping_over_a_full_one_is_refused(values, name):
    change = {}
    for part in reversed(name.split(".")):
        change = {part: change}
    with pytest.raises(
        MistakeError, match=rf"^{name}: \{{\}} laid over a mapping changes nothing of it; write NAME: n"
    ):
        configuration.merge(values, change)
    assert configuration.merge(values, {"select": {}}) == values


def test_all_wrong_settings_of_all_sources_are_reported_at_once(repository, tmp_path):
    (tmp_path / "a.yaml").write_text("seeds: [010]\nrun: a\nrun: b\n")
    (tmp_path / "b.yaml").write_text("tasks: {}\ndevice: on\n")
    with pytest.raises(MistakeError) as refused:
        configuration.read(
            [repository / "config.yaml", tmp_path / "a.yaml", tmp_path / "b.yaml", tmp_path / "c.yaml"],
            ["run=yes", "evaluation=[", "select={seeds: [0, 0], seeds: [1]}"],
        )
    parts = ["010 is", "run is written twice", "on is true", "c.yaml cannot be read", "--config run, line 1: yes"]
    for part in [*parts, "--config evaluation: ", "seeds is written twice"]:
        assert part in str(refused.value)


def test_all_wrong_settings_of_the_whole_are_reported_at_once(values):
    values["seeds"], values["device"] = [], "gpu"
    values["data"]["root"] = "$NO_SUCH_VARIABLE/data"
    denoising = values["tasks"]["denoising"]
    denoising["modes"]["end_to_end"] |= {"rates": [13, 14], "decays": {100: 5.0, 200: 5.0}, "learning_rate": -1}
    values["tasks"]["super_resolution"]["modes"]["joint"]["rates"] = [3, 5]
    with pytest.raises(MistakeError) as refused:
        configuration.validate(values)
    lines = str(refused.value).splitlines()
    for part in (
        "seeds: an empty list", "device: 'gpu'",
        "data.root: '$NO_SUCH_VARIABLE/data': $NO_SUCH_VARIABLE is not set",
        "end_to_end.decays: 100 is not before", "end_to_end.decays: 200 is not before",
        "end_to_end.learning_rate: -1",
        "joint.rates: 3 is not a multiple", "joint.rates: 5 is not a multiple",
    ):  # fmt: skip
        assert sum(part in line for line in lines) == 1, part
    assert len(lines) == 8


@pytest.mark.parametrize("text", ["run: demo\ndevice: cpu\n", "tasks: {denoising: {width: 0.5}}\n", "{}"])
def test_a_part_of_a_configuration_alone_is_one_sentence(tmp_path, text):
    path = tmp_path / "config.demo.yaml"
    path.write_text(text)
    with pytest.raises(MistakeError) as refused:
        configuration.load(path)
    assert str(refused.value).count("\n") == 0
    assert "this is a part of a configuration: " in str(refused.value)
    assert "Lay it over config.yaml: ecot ... --config config.yaml --config FILE" in str(refused.value)


def test_a_file_that_is_not_here_is_said_with_a_way_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MistakeError, match=rf"there is no such file in {tmp_path}; .* name it with --config FILE"):
        configuration.load(Path("config.yaml"))


def test_a_sweep_that_nobody_asks_for_is_not_held_against_the_levels(values):
    values["tasks"]["denoising"] = None
    task = values["tasks"]["super_resolution"]
    task["levels"] = 32
    for mode in task["modes"].values():
        if "rates" in mode:
            mode["rates"] = [5, 10]
    pipeline = Pipeline(values)
    assert not any("fit_weight" in name for name in pipeline.products)
    assert all(cell.weight is None for cell in pipeline.every_cell)
    with pytest.raises(MistakeError) as refused:
        pipeline.fitted_weights()
    assert str(refused.value).splitlines() == [
        "tasks.super_resolution.fit_weight.rates: 8 is not a multiple of log2(levels) = 5; write 5 or 10",
        "tasks.super_resolution.fit_weight.rates: 24 is not a multiple of log2(levels) = 5; write 20 or 25",
    ]


def test_the_cells_of_a_removed_rate_are_named(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    index.write(configuration.validate(tiny))
    change = {"tasks": {"super_resolution": {"modes": {"end_to_end": {"rates": [8]}}}}}
    words = Pipeline(configuration.merge(tiny, change)).start()
    for kind in ("common", "independent"):
        assert f"super_resolution/end_to_end/{kind}/rate-4/seed-0" in words
    assert words.startswith("run tiny no longer has 2 of its cells: ")
    assert "`ecot prune` lists" in words
    assert Pipeline(configuration.merge(tiny, change)).start() == ""


SETTINGS = [
    ("run", ['"2024"', "2024", '"on"', "on", "a-b", "x" * 100, "x" * 101, "'1e5'", "null", "~", "", "1.5"]),
    ("seeds", ["[0, 1]", "[010]", "['0']", "[0, 0]", "[]", "0", "[-1]", "[1.0]", "[true]", "{}"]),
    ("device", ["cpu", "'cpu'", "auto", "gpu", "no", "null", "[cpu]"]),
    ("select", ["{}", "{rates: [12]}", "{rates: ['12']}", "{seeds: []}", "{mode: [joint]}", "[]"]),
    ("resources", ['{gpu: {models: ["3090"]}}', "{gpu: {models: [3090]}}", "{train: {threads: '2'}}", "{}", "null"]),
    ("tasks", ["{}", "{denoising: null}", "{denoising: {}}", "{denoising: {n_train: '100'}}",
               "{denoising: {n_train: 100}}", "{denoising: {n_train: null}}", "{denoising: {width: 1}}",
               "{denoising: {width: .5}}", "{denoising: {width: 1e-1}}", "{denoising: {dataset: 'svhn'}}",
               "{denoising: {dataset: mnist}}", "{inpainting: {}}", "{super_resolution: {levels: 8}}"]),
    ("data", ["{root: ~/data}", "{root: $HOME/data}", "{root: 2024}", "{root: '2024'}", "{root: '${NO_SUCH}/x'}",
              "{root: 'a b'}", "{root: yes}", "{}"]),
    ("evaluation", ["{seed: 1}", "{seed: '1'}", "{seed: 1:30}", "{n_samples: 0x8}", "{critic_steps: 1_000}",
                    "{critic_steps: 1000}", "{seed: 0b1}", "{seed: 2022-01-01}"]),
    ("training", ["{betas: [0.5, 0.9]}", "{betas: [0.5]}", "{batch_size: 8.0}", "{gradient_penalty: 1}",
                  "{gradient_penalty: .inf}", "{gradient_penalty: .nan}", "{critic_batches: paired}",
                  "{critic_batches: 'paired'}", "{critic_batches: on}"]),
    ("compute", ["{tf32: true}", "{tf32: 'true'}", "{tf32: yes}", "{tf32: 1}", "{save_minutes: 1}",
                 "{save_minutes: 1e3}", "{save_minutes: 1.0e+3}"]),
    ("extensions", ["[]", "[no_such]", "json", "['json']", "[1]"]),
    ("datasets", ["{}", "{mnist: {}}", "{mine: {path: /nowhere, colours: rgb, size: 32, n_test: 4}}", "[]",
                  "{mine: {path: /nowhere, colours: red, size: '32', n_test: 4}}"]),
]  # fmt: skip
FILES = [(name, value) for name, values in SETTINGS for value in values]


def outcome(read):
    """The resolved configuration, or the message and the exit status."""
    try:
        return dump(read().model_dump())
    except EcotError as error:
        return str(error), error.exit_code


def test_a_hundred_files_mean_the_same_to_both_entrances(repository, tmp_path):
    """`ecot --config` loads files; the Snakefile gives a Pipeline what `read` makes of files or of `--config`."""
    base, mine = repository / "config.yaml", tmp_path / "mine.yaml"
    assert len(FILES) >= 95
    accepted = 0
    for name, value in FILES:
        mine.write_text(f"{name}: {value}\n")
        by_ecot = outcome(lambda: configuration.load(base, mine))
        assert outcome(lambda: Pipeline(configuration.read([base, mine])).config) == by_ecot
        accepted += isinstance(by_ecot, str)
        typed = outcome(lambda n=name, v=value: configuration.validate(configuration.read([base], [f"{n}={v}"])))
        if isinstance(by_ecot, str):
            assert typed == by_ecot
        else:
            assert typed[0].replace(f"--config {name}", str(mine)) == by_ecot[0]
    assert 30 < accepted < 70


@pytest.mark.workflow
@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('run: "2024"\nresources: {gpu: {models: ["3090"]}}\ndata: {root: $HOME/a b}\n', 0),
        ("run: '1e5'\nseeds: [3]\n", 0),
        ("seeds: [010]\nrun: on\n", 2),
    ],
)
def test_snakemake_itself_reads_a_file_as_ecot_does(repository, tmp_path, text, status):
    (tmp_path / "mine.yaml").write_text(text)
    command = [sys.executable, "-m", "snakemake", "--snakefile", repository / "Snakefile", "--list-rules"]
    options = ["--configfile", "mine.yaml", "--config", "evaluation={seed: 3}"]
    run = subprocess.run([*command, *options], cwd=tmp_path, capture_output=True, text=True)
    expected = outcome(
        lambda: configuration.validate(
            configuration.read([repository / "config.yaml", tmp_path / "mine.yaml"], ["evaluation={seed: 3}"])
        )
    )
    assert run.returncode == status, run.stderr
    if status:
        assert "".join(f"config: {line}\n" for line in expected[0].splitlines()) in run.stderr
        assert "Traceback" not in run.stderr
    else:
        (resolved,) = (tmp_path / ".snakemake/ecot").iterdir()
        assert resolved.read_text() == expected
