"""Files made to do harm: read without executing anything, and without taking more memory than they hold."""

import ast
import io
import json
import resource
import struct
import zipfile
from pathlib import Path

import pytest
import torch
import yaml

from ecot import config as configuration
from ecot.cells import Cell
from ecot.data.datasets import load
from ecot.errors import EcotError
from ecot.files import TEXT_LIMIT, sha256
from ecot.pipeline import Pipeline
from ecot.reporting import metrics
from ecot.training import checkpoint, classifier, systems
from ecot.training.state import State

PLENTY = 1 << 30  # bytes above what the process has: what these files claim is more, what they hold is far less


@pytest.fixture
def bounded():
    """No more memory than the process has now, and some: a claim that is believed is a MemoryError."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + PLENTY, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


def safetensors(tensors, header=None, body=b""):
    """A file of the format: the length of the header, the header, the bytes of the tensors."""
    text = json.dumps({**({"__metadata__": header} if header else {}), **tensors}).encode()
    return struct.pack("<Q", len(text)) + text + body


def claims(settings, **changes):
    """The header of a model of changed settings."""
    return {"settings": json.dumps({**settings.model_dump(), **changes})}


TERABYTE = {"dtype": "U8", "shape": [2**40], "data_offsets": [0, 2**40]}


def terabyte(settings):
    return safetensors({"a": TERABYTE}, claims(settings))


def endless_header(settings):
    return struct.pack("<Q", 2**62) + b"{}"


def overlapping(settings):
    tensor = {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]}
    return safetensors({"a": tensor, "b": tensor}, claims(settings), bytes(8))


def empty_but_large(settings):
    tensor = {"dtype": "F32", "shape": [2**62, 0], "data_offsets": [0, 0]}
    return safetensors({"a": tensor}, claims(settings))


def large_networks(settings):
    """Settings whose networks would take terabytes, and no tensors."""
    return safetensors({}, claims(settings, rate_bits=2**40))


def deep_settings(settings):
    return safetensors({}, {"settings": '{"frozen":' * 10**5})


def another_task(settings):
    return safetensors({}, claims(settings, task="../../os"))


def no_task(settings):
    return safetensors({}, claims(settings, task="architecture"))


def no_levels(settings):
    return safetensors({}, claims(settings, levels=1))


def pickled(settings):
    file = io.BytesIO()
    torch.save({"settings": 1}, file)
    return file.getvalue()


FORGERIES = [
    terabyte, endless_header, overlapping, empty_but_large, large_networks, deep_settings, another_task, no_task,
    no_levels, pickled,
]  # fmt: skip


@pytest.mark.parametrize("forge", FORGERIES)
def test_a_forged_model_is_refused_by_name(settings, datasets, tmp_path, bounded, forge):
    (tmp_path / "model.safetensors").write_bytes(forge(settings()))
    with pytest.raises(EcotError, match=r"model\.safetensors is damaged or not of this project .* which trains"):
        checkpoint.load(tmp_path / "model.safetensors")


@pytest.mark.parametrize("shape", ["[1, 1048576, 1048576]", "[1, 0, 0]", "[" * 10**5, "[1, 28, 28]", "{}", '"a"'])
def test_a_forged_classifier_is_refused_by_name(tmp_path, bounded, shape):
    (tmp_path / "c.safetensors").write_bytes(safetensors({}, {"image_shape": shape}))
    with pytest.raises(EcotError, match=r"c\.safetensors is damaged or something else .*; delete it and train again"):
        classifier.load(tmp_path / "c.safetensors", torch.device("cpu"))


@pytest.mark.parametrize("change", [{"width": 0.2}, {"rate_bits": 4}, {"mode": "restoration", "rate_bits": None}])
def test_tensors_that_are_not_those_of_the_settings_are_refused(settings, tmp_path, change):
    made = settings()
    tensors = systems.build(made).state_dict()
    checkpoint.save(tmp_path / "a.safetensors", checkpoint.Model(made, tensors), {})
    assert checkpoint.load(tmp_path / "a.safetensors").tensors.keys() == tensors.keys()
    checkpoint.save(tmp_path / "b.safetensors", checkpoint.Model(made.model_copy(update=change), tensors), {})
    with pytest.raises(EcotError, match=r"b\.safetensors .*its tensors are not those of its settings"):
        checkpoint.load(tmp_path / "b.safetensors")


@pytest.mark.parametrize(
    ("recorded", "reason"),
    [("[" * 10**5, "no checksum"), (" " * (TEXT_LIMIT + 1), "no checksum"), ('{"model_sha256": "0"}', "has changed")],
    ids=["deep", "long", "other"],
)
def test_a_model_without_its_own_checksum_is_not_measured(settings, tmp_path, recorded, reason):
    made = settings()
    path = tmp_path / "model.safetensors"
    checkpoint.save(path, checkpoint.Model(made, systems.build(made).state_dict()), {})
    (tmp_path / "run.json").write_text(recorded)
    with pytest.raises(EcotError, match=rf"model\.safetensors .*{reason}.*; delete it and run"):
        checkpoint.trained(tmp_path)
    (tmp_path / "run.json").write_text(json.dumps({"model_sha256": sha256(path)}))
    assert checkpoint.trained(tmp_path).settings == made


@pytest.mark.parametrize("forge", [terabyte, endless_header, overlapping, pickled])
def test_a_forged_state_is_set_aside(settings, tmp_path, bounded, forge):
    (tmp_path / "state.safetensors").write_bytes(forge(settings()))
    assert State(tmp_path, {}).restore({}).step == 0
    assert (tmp_path / "state.set-aside").is_file()


def test_a_deep_state_is_set_aside(tmp_path):
    header = {"sha256": "", "fingerprint": "[" * 10**5, "progress": "{}"}
    (tmp_path / "state.safetensors").write_bytes(safetensors({}, header))
    assert State(tmp_path, {}).restore({}).step == 0
    assert (tmp_path / "state.set-aside").is_file()


LAUGHS = "a: &a [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(12)
)
CONFIGURATIONS = {
    "a billion laughs": (LAUGHS + "run: *m\n", "holds more than"),
    "one that holds itself": ("run: &a [*a]\n", "holds more than"),
    "long strings": (f"a: &a {'x' * 2**19}\nrun: [*a, *a, *a]\n", "holds more than"),
    "a deep one": ("run: " + "[" * 10**5, "cannot be read"),
    "a large one": ("run: " + "x" * TEXT_LIMIT, "larger than"),
    "a date that is none": ("run: 2022-99-99\n", "cannot be read"),
    "code": ("run: !!python/object/apply:os.system [touch trapped]\n", "cannot be read"),
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_hostile_configuration_is_refused_at_once(tmp_path, monkeypatch, bounded, name):
    monkeypatch.chdir(tmp_path)
    text, message = CONFIGURATIONS[name]
    Path("c.yaml").write_text(text)
    with pytest.raises(EcotError, match=message) as refused:
        configuration.load(Path("c.yaml"))
    assert len(str(refused.value)) < 1000
    assert [path.name for path in tmp_path.iterdir()] == ["c.yaml"]


@pytest.mark.parametrize("name", ["a billion laughs", "one that holds itself", "long strings"])
def test_the_workflow_refuses_them_too(values, bounded, name):
    hostile = yaml.safe_load(CONFIGURATIONS[name][0])
    with pytest.raises(EcotError, match="holds more than"):
        Pipeline({**values, **hostile})


def test_an_endless_file_is_no_configuration(bounded):
    with pytest.raises(EcotError, match="larger than"):
        configuration.load(Path("/dev/zero"))


@pytest.mark.parametrize("text", ["{", "[" * 10**4])
def test_text_that_yaml_refuses_stays_text(values, text):
    with pytest.raises(EcotError, match="is no name for a run"):
        Pipeline({**values, "run": text})
    for name in ("2022-99-99", "1" * 5000):
        assert Pipeline({**values, "run": name}).config.run == name


@pytest.mark.parametrize(
    "change",
    [
        {"run": "../elsewhere"}, {"run": "/tmp/elsewhere"}, {"run": ".."}, {"run": "a/b"}, {"run": "a\n"},
        {"run": "datasets"}, {"run": "$(id)"}, {"run": "a;b"}, {"tasks": {"../x": "denoising"}},
        {"tasks": {"__init__/..": "denoising"}}, {"tasks": {"denoising": {"dataset": "../mnist"}}},
    ],
)  # fmt: skip
def test_no_name_leads_out_of_the_results_or_into_a_shell(values, change):
    for name, task in change.get("tasks", {}).items():
        if task == "denoising":
            change = {"tasks": {name: values["tasks"]["denoising"]}}
    with pytest.raises(EcotError):
        configuration.validate(configuration.merge(values, change))


@pytest.mark.parametrize(
    "change",
    [
        {"training": {"batch_size": 10**9}},
        {"evaluation": {"n_samples": 10**9}},
        {"tasks": {"denoising": {"levels": 2**40}}},
        {"tasks": {"denoising": {"width": 1e9}}},
        {"tasks": {"denoising": {"modes": {"end_to_end": {"rates": [3 * 10**9]}}}}},
    ],
)
def test_sizes_that_decide_memory_are_bounded(values, change):
    with pytest.raises(EcotError, match=r"allowed|must be"):
        configuration.validate(configuration.merge(values, change))


def stamped(path, content):
    """A data set's file with its stamp: a checksum of whatever it holds."""
    path.write_bytes(content)
    path.with_suffix(".json").write_text(json.dumps({"sha256": sha256(path)}))


def archive(member, method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as written:
        for name in ("test_images.npy", "test_labels.npy"):
            written.writestr(name, member)
    return file.getvalue()


def npy(header, body=b""):
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


ARRAYS = {
    "a bomb": archive(bytes(64 << 20), zipfile.ZIP_DEFLATED),
    "a terabyte": archive(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1099511627776,), }")),
    "a negative one": archive(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (-2, -2), }", bytes(4))),
    "no axis": archive(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", b"1")),
    "objects": archive(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", bytes(8))),
    "code": archive(npy("__import__('os').system('touch trapped')")),
    "a deep header": archive(npy("(" * 9000)),
    "a long header": archive(npy(" " * 60_000 + "{}")),
    "another compression": archive(b"x").replace(b"\x00\x00\x00\x00", b"\x00\x00\x63\x00", 2),
    "cut off": archive(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (9,), }", bytes(9)))[:-30],
    "a name that climbs": (lambda content: content.replace(b"test_images.npy", b"../../evil.npy1"))(
        archive(npy("{'descr': '|u1', 'fortran_order': False, 'shape': (9,), }", bytes(9)))
    ),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_a_hostile_array_file_is_refused(tmp_path, monkeypatch, bounded, name):
    monkeypatch.chdir(tmp_path)
    stamped(Path("x.npz"), ARRAYS[name])
    with pytest.raises(EcotError, match=r"x\.npz is not a prepared data set .* write it anew with `ecot data x"):
        load(Path("x.npz"), "test")
    assert {path.name for path in tmp_path.iterdir()} == {"x.npz", "x.json"}


@pytest.mark.parametrize("stamp", ["[" * 10**5, " " * (TEXT_LIMIT + 1)], ids=["deep", "long"])
def test_a_hostile_stamp_is_refused(tmp_path, bounded, stamp):
    stamped(tmp_path / "x.npz", b"")
    (tmp_path / "x.json").write_text(stamp)
    with pytest.raises(EcotError, match=r"x\.json is damaged .*write it anew"):
        load(tmp_path / "x.npz", "test")


ROW = "task,mode,randomness,rate_bits,seed,mse_input\nsuper_resolution,end_to_end,common,8,0,0.5\n"


@pytest.mark.parametrize(
    "text",
    ["", ROW.splitlines()[0], ROW + ROW.splitlines()[1], ROW.replace(",8,0,", ",8,1,"), ROW.replace("task", "tusk"),
     ROW.replace("8", "eight"), "\0" * 100, ROW + " " * TEXT_LIMIT, '"'],
    ids=["empty", "no row", "two rows", "another seed", "another column", "no number", "zeros", "long", "quote"],
)  # fmt: skip
def test_damaged_metrics_are_named(tiny, tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    cell, config = Cell("super_resolution", "end_to_end", "common", 8, 0), configuration.validate(tiny)
    path = Path("results/tiny", cell.folder, "metrics.csv")
    path.parent.mkdir(parents=True)
    path.write_text(ROW)
    assert metrics.read([cell], config).table.mse_input.tolist() == [0.5]
    path.write_text(text)
    with pytest.raises(EcotError, match=r"seed-0/metrics\.csv is damaged .*: delete it and run again"):
        metrics.read([cell], config)


FORBIDDEN = {"pickle", "marshal", "shelve", "joblib", "dill"}
EXECUTING = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "yaml.load", "torch.load"}


def test_nothing_that_executes_what_it_reads_is_used(repository):
    """No pickle in any dress: neither its modules nor torch.load, nor numpy with it, nor YAML's full loader."""
    wrong = []
    for path in (repository / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = {alias.name for alias in node.names} | {getattr(node, "module", None) or ""}
                wrong += [f"{path.name}: {name}" for name in names if name.split(".")[0] in FORBIDDEN]
            elif isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                keywords = {k.arg: ast.unparse(k.value) for k in node.keywords}
                if (
                    name in EXECUTING
                    or keywords.get("allow_pickle", "False") != "False"
                    or "shell" in keywords
                    or (name == "np.load" and "allow_pickle" not in keywords)
                ):
                    wrong.append(f"{path.name}:{node.lineno}: {name}")
    assert not wrong
