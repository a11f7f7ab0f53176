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
from ecot import sealed
from ecot.artefacts import classifier, metrics, samples
from ecot.artefacts import model as models
from ecot.artefacts import tensors as tensor_file
from ecot.artefacts.names import MODEL_FILES
from ecot.data.arrays import checksum, load
from ecot.engine.state import State
from ecot.errors import EcotError
from ecot.files import TEXT_LIMIT, sha256
from ecot.grid import fingerprint, index, store
from ecot.quantities import measures
from ecot.workflow import Pipeline

PLENTY = 1 << 29  # bytes above what the process has: what these files claim is more, what they hold is far less


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


TERABYTE = {"dtype": "U8", "shape": [2**40], "data_offsets": [0, 2**40]}
EIGHT = {"dtype": "U8", "shape": [8], "data_offsets": [0, 8]}
EMPTY = {"dtype": "F32", "shape": [2**62, 0], "data_offsets": [0, 0]}
BFLOAT = {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}  # a type that NumPy lacks


def pickled():
    file = io.BytesIO()
    torch.save({"settings": 1}, file)
    return file.getvalue()


SIGNED = {"sha256": "0" * 64}
FORGERIES = {
    "a terabyte": safetensors({"a": TERABYTE}, SIGNED),
    "an endless header": struct.pack("<Q", 2**62) + b"{}",
    "tensors that overlap": safetensors({"a": EIGHT, "b": EIGHT}, SIGNED, bytes(8)),
    "an empty tensor of many rows": safetensors({"a": EMPTY}, SIGNED),
    "another type": safetensors({"a": BFLOAT}, SIGNED, bytes(8)),
    "no header": safetensors({"a": EIGHT}, None, bytes(8)),
    "a deep header": struct.pack("<Q", 10**5) + b"[" * 10**5,
    "a pickle": pickled(),
    "zeros": bytes(10**4),
}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_model_is_refused_by_name(settings, tmp_path, bounded, name):
    (tmp_path / "model.safetensors").write_bytes(FORGERIES[name])
    record(tmp_path)
    for read in (lambda: models.read(tmp_path), lambda: models.load(tmp_path, settings())):
        with pytest.raises(EcotError, match=r"model\.safetensors is damaged .*; `ecot train .* --force` trains"):
            read()
    assert not models.restore(tmp_path.parent, settings())


def record(folder):
    """Write the rest of a model's files, and a run record of whatever the folder holds."""
    for name in MODEL_FILES[1:-1]:
        (folder / name).write_text("")
    checksums = {f"{name}_sha256": sha256(folder / name) for name in MODEL_FILES[:-1]}
    (folder / "run.json").write_text(json.dumps({**checksums, "checksum": sealed.digest(checksums)}))


@pytest.mark.parametrize(
    "claim",
    [
        {"rate_bits": 2**40}, {"width": 1e9}, {"task": "../../os"}, {"task": "architecture"}, {"levels": 1},
        {"degradation": {"kind": "resampling", "factor": 10**12}}, {"mode": "os:system"},
    ],
    ids=str,
)  # fmt: skip
def test_a_model_that_claims_other_settings_is_refused_before_anything_is_built(settings, tmp_path, bounded, claim):
    made = settings()
    claimed = json.dumps({**made.model_dump(), **claim})
    header = {"settings": claimed, "fingerprint": fingerprint.trained(made)}
    tensor_file.write(tmp_path / "model.safetensors", {}, header)
    record(tmp_path)
    (name,) = claim
    with pytest.raises(EcotError, match=rf"model\.safetensors is damaged .*it is another model's: {name} is"):
        models.load(tmp_path, made)


@pytest.mark.parametrize("text", ['{"frozen":' * 10**5, "[]", "null", '{"seed": 1e400}'], ids=str.__len__)
def test_a_model_whose_settings_are_none_is_refused(tmp_path, bounded, text):
    tensor_file.write(tmp_path / "model.safetensors", {}, {"settings": text, "fingerprint": ""})
    with pytest.raises(EcotError, match=r"model\.safetensors is damaged .*its header states no settings"):
        models.read(tmp_path)


@pytest.mark.parametrize("text", ["[" * 10**5, " " * (TEXT_LIMIT + 1), "\0" * 100], ids=["deep", "long", "zeros"])
def test_a_forged_run_record_is_refused(settings, tmp_path, bounded, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(EcotError, match=r"run\.json is damaged .*`ecot train \S+ --force`"):
        models.load(tmp_path, settings())


HUGE = f"[1, {2**63 - 1}, {2**63 - 1}]"
SHAPES = ["[1, 1048576, 1048576]", HUGE, "[1, -4, -4]", "[" * 10**5, "[1, 28, 28]", "{}", '"abc"', '["a", "b", "c"]']


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape[:30])
def test_a_forged_classifier_is_refused_by_name(tmp_path, bounded, shape):
    path = tmp_path / "digits" / "0" / "c.safetensors"
    header = {"image_shape": shape, "dataset_sha256": "abc", "dataset": "digits", "fingerprint": "0"}
    tensor_file.write(path, {}, header)
    with pytest.raises(EcotError, match=r"c\.safetensors is damaged .*; `ecot classifier digits` trains it anew"):
        classifier.load(path, "abc", torch.device("cpu"))


@pytest.mark.parametrize("name", FORGERIES)
def test_a_file_that_is_no_classifier_is_refused(tmp_path, bounded, name):
    (tmp_path / "c.safetensors").write_bytes(FORGERIES[name])
    with pytest.raises(EcotError, match=r"c\.safetensors is damaged"):
        classifier.load(tmp_path / "c.safetensors", "abc", torch.device("cpu"))


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_state_is_set_aside(tmp_path, bounded, name):
    (tmp_path / "state.safetensors").write_bytes(FORGERIES[name])
    assert State(tmp_path, {}, "").restore({}).step == 0
    assert (tmp_path / "state.set-aside").is_file()


@pytest.mark.parametrize("name", ["decided_by", "progress", "machine"])
@pytest.mark.parametrize("text", ["[" * 10**5, "7", "", "[[]]"], ids=["deep", "a number", "empty", "a list"])
def test_a_state_with_a_forged_header_is_set_aside(tmp_path, name, text):
    header = {"decided_by": '{"of": "this"}', "progress": '{"step": 3}', "machine": '""'}
    whole = State(tmp_path, {"of": "this"}, "")
    tensor_file.write(whole.path, {}, header)
    assert whole.restore({}).step == 3
    tensor_file.write(whole.path, {}, {**header, name: text})
    harmless = name == "machine" and text in ("7", "[[]]")  # it is only shown
    assert whole.restore({}).step == (3 if harmless else 0)
    assert (tmp_path / "state.set-aside").is_file() != harmless


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


@pytest.mark.parametrize("text", ["{", "[" * 10**4, "2022-99-99", "1" * 5000])
def test_text_that_is_no_yaml_is_refused_on_the_command_line(repository, text):
    with pytest.raises(EcotError, match=r"^--config run: "):
        configuration.read([repository / "config.yaml"], [f"run={text}"])


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
    stamp = {"sha256": sha256(path), "name": path.stem, "version": 1}
    path.with_suffix(".json").write_text(json.dumps(stamp))


def archive(member, method=zipfile.ZIP_STORED, names=("test_images", "test_labels")):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as written:
        for name in names:
            written.writestr(f"{name}.npy", member)
    return file.getvalue()


def stating(content, size):
    """An archive whose directory states another size for each of its members."""
    found, parts = content.split(b"PK\x01\x02", 1)
    entries = [entry[:16] + struct.pack("<II", size, size) + entry[24:] for entry in parts.split(b"PK\x01\x02")]
    return found + b"".join(b"PK\x01\x02" + entry for entry in entries)


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


GIGABYTES = 2**31 + 96  # bytes, with the header: more than the tests allow, and no more than a directory can state


def two_gigabytes(kind):
    """A header of an array, without the array."""
    header = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({2**31 // int(kind[-1])}, 1, 1, 1), }}"
    return npy(header.ljust(85))


ARRAYS["two gigabytes that the directory states too"] = stating(archive(two_gigabytes("|u1")), GIGABYTES)


@pytest.mark.parametrize("name", ARRAYS)
def test_a_hostile_array_file_is_refused(tmp_path, monkeypatch, bounded, name):
    monkeypatch.chdir(tmp_path)
    stamped(Path("x.npz"), ARRAYS[name])
    assert checksum(Path("x.npz"), "x", 1) == sha256(Path("x.npz"))
    with pytest.raises(EcotError, match=r"x\.npz is damaged .*: write it anew with `ecot data x`"):
        load(Path("x.npz"), "test")
    assert {path.name for path in tmp_path.iterdir()} == {"x.npz", "x.json"}


@pytest.mark.parametrize(
    "stamp", ["[" * 10**5, " " * (TEXT_LIMIT + 1), "[]", '"name"', "\0"], ids=["deep", "long", "list", "text", "zero"]
)
def test_a_hostile_stamp_is_refused(tmp_path, bounded, stamp):
    stamped(tmp_path / "x.npz", b"")
    (tmp_path / "x.json").write_text(stamp)
    with pytest.raises(EcotError, match=r"x\.json is damaged .*write it anew"):
        checksum(tmp_path / "x.npz", "x", 1)


def test_a_data_set_that_was_swapped_for_another_is_refused(datasets, tmp_path):
    """Whole files under a wrong name."""
    for suffix in (".npz", ".json"):
        content = (datasets / f"street_digits_sample{suffix}").read_bytes()
        (tmp_path / f"mnist_sample{suffix}").write_bytes(content)
    with pytest.raises(EcotError, match="holds street_digits_sample version 2, not mnist_sample version 1"):
        checksum(tmp_path / "mnist_sample.npz", "mnist_sample", 1)
    (tmp_path / "mnist_sample.json").write_bytes((datasets / "mnist_sample.json").read_bytes())
    with pytest.raises(EcotError, match=r"mnist_sample\.npz is damaged \(SHA-256 .* instead of"):
        checksum(tmp_path / "mnist_sample.npz", "mnist_sample", 1)


LONG = "{'descr': '<f4', 'fortran_order': False, 'shape': (274877906944, 1, 1, 1), }"
SAMPLES = {
    "a terabyte": archive(npy(LONG), names=samples.NAMES),
    "a bomb": archive(bytes(64 << 20), zipfile.ZIP_DEFLATED, samples.NAMES),
    "objects": archive(npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"), names=samples.NAMES),
    "code": archive(npy("__import__('os').system('touch trapped')"), names=samples.NAMES),
    "a pickle": pickled(),
    "two gigabytes that the directory states too": stating(
        archive(two_gigabytes("<f4"), names=samples.NAMES), GIGABYTES
    ),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_hostile_samples_are_refused(settings, tmp_path, monkeypatch, bounded, name):
    monkeypatch.chdir(tmp_path)
    Path("samples.npz").write_bytes(SAMPLES[name])
    with pytest.raises(EcotError, match=r"samples\.npz is damaged .*; `ecot evaluate .*` measures the cell again"):
        samples.read(Path("samples.npz"), metrics.key(settings(), "m", "n"))
    assert [path.name for path in tmp_path.iterdir()] == ["samples.npz"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "", lambda text: "\0" * 100, lambda text: text + " " * TEXT_LIMIT, lambda text: '"',
        lambda text: text.replace("task,", "tusk,"), lambda text: text.replace(",8,", ",eight,"),
        lambda text: text.replace(",8,", f",{'8' * 5000},"), lambda text: text[:-20], lambda text: text * 2,
        lambda text: text.replace("0.5", "x" * 200_000), lambda text: text.replace("0.5", "\U0001d7d8.5" * 2),
    ],
    ids=["empty", "zeros", "long", "quote", "column", "no number", "digits", "cut off", "twice", "field", "digit"],
)  # fmt: skip
def test_damaged_metrics_are_named(settings, tmp_path, bounded, damage):
    path, key = tmp_path / "metrics.csv", metrics.key(settings(), "m", "n")
    names = ("mse_input", "mse_target", *measures())
    metrics.write(path, key, 64, dict.fromkeys(names, 0.5))
    assert metrics.read(path, key)["mse_input"] == 0.5
    path.write_text(damage(path.read_text()))
    with pytest.raises(EcotError, match=r"metrics\.csv is damaged .*measures the cell again") as refused:
        metrics.read(path, key)
    assert len(str(refused.value)) < 10**6


@pytest.fixture
def indexed(tiny, tmp_path, monkeypatch):
    """The index of a run with a model of the store, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    path = index.write(configuration.validate(tiny))
    for entry in index.read("tiny")[:1]:
        entry.path.mkdir(parents=True)
    return path


INDEXES = {
    "zeros": lambda text: "\0" * 100,
    "long": lambda text: text + " " * TEXT_LIMIT,
    "quote": lambda text: text + '"',
    "no text": lambda text: "\udcff",
    "a column less": lambda text: text.replace(",path,", ",way,"),
    "cut off": lambda text: text[:-8],
    "cut off at the end of a line": lambda text: "".join(text.splitlines(keepends=True)[:-1]),
    "another run's": lambda text: text.replace("tiny,", "other,"),
    "no cell": lambda text: text.replace("super_resolution/end_to_end", "super_resolution/end_to_start"),
    "out of the store": lambda text: text.replace("results/cells/", "results/cells/../../../", 1),
    "elsewhere": lambda text: text.replace(",results/cells/", ",/etc/", 1),
    "another cell's folder": lambda text: text.replace(",results/cells/super_resolution", ",results/cells/denoising"),
}


@pytest.mark.parametrize("name", INDEXES)
def test_a_damaged_index_is_named_and_nothing_is_pruned_by_it(indexed, bounded, name):
    """What no index refers to may be deleted, so an index that cannot be read stops that."""
    assert store.unused() == []
    indexed.write_text(INDEXES[name](indexed.read_text()), errors="surrogateescape")
    for read in (lambda: index.read("tiny"), store.unused):
        with pytest.raises(EcotError, match=r"the index results/tiny/cells\.csv is damaged .*`ecot index` writes it"):
            read()


@pytest.mark.parametrize(
    "text", ["laughs", "run: " + "[" * 10**5, "x" * (TEXT_LIMIT + 1), "- a", "\0", "a: 2022-99-99"], ids=len
)
def test_a_model_with_hostile_settings_is_listed_as_unfinished(indexed, bounded, text):
    folder = Path("results/cells/denoising/restoration/seed-0/0123456789abcdef")
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(LAUGHS if text == "laughs" else text)
    (unused,) = store.unused()
    assert (unused.folder, unused.reason) == (folder, "unfinished")


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
