"""Write what the documents take from the code and from the kept results:

    python docs/make.py

docs/configuration.md from the typed settings, the columns in docs/results.md from the types of the rows, and the
tables and numbers of README.md from the kept record. tests/test_docs.py fails when one of them is out of step.
"""

import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
from click.testing import CliRunner
from tabulate import tabulate

from ecot.artefacts import metrics
from ecot.cli import main as cli
from ecot.config import json_schema
from ecot.data.sets import DATASETS
from ecot.degradations import KINDS
from ecot.files import write_text
from ecot.quantities import QUANTITIES, measures

REPOSITORY = Path(__file__).resolve().parents[1]
RECORD = REPOSITORY / "results" / "reference" / "mnist_5_epochs"  # what README.md shows
HEAD = """\
# Configuration

<!-- Written by `python docs/make.py` from the typed settings in src/ecot/config; edit those. -->

`config.yaml` holds the paper's grid with a comment on each key. A file of your own is laid over it: mappings are
merged key by key, anything else is replaced, and `null` takes out a task, a mode or a decay.

    snakemake --configfile mine.yaml
    snakemake --config seeds='[0, 1, 2]'       # single values, as YAML
    ecot plan --config config.yaml --config mine.yaml

An unknown key, a value of another type and a value out of range are refused in one line before anything runs. Editors
that know JSON schemas check while you type: `workflow/schemas/config.schema.json`.
"""
SECTIONS = (
    ("Config", "The whole", "the configuration itself"),
    ("Data", "Data", "`data`"),
    ("Select", "Part of the grid", "`select`"),
    ("TaskSettings", "Tasks", "`tasks.<task>`"),
    ("ModeSettings", "Modes", "`tasks.<task>.modes.<mode>`"),
    ("FitWeight", "The sweep of lambda", "`tasks.<task>.fit_weight`"),
    ("Training", "Training", "`training`: what all trainings share (Table 3)"),
    ("Compute", "Computation", "`compute`: a change here trains nothing again"),
    ("Evaluation", "Measurement", "`evaluation`"),
    ("Resources", "Resources", "`resources`, by kind of job"),
    ("JobResources", "Resources of a job", "`resources.train`, `.evaluate`, `.other`"),
    ("GpuRequest", "GPUs on Slurm", "`resources.gpu`"),
)


def main() -> None:
    """Write all of them."""
    for path, text in documents():
        write_text(path, text)


def documents() -> Iterator[tuple[Path, str]]:
    """Each document that has generated parts, as it should be."""
    yield REPOSITORY / "docs" / "configuration.md", configuration()
    for name, blocks in (("docs/results.md", {"columns": columns()}), ("README.md", readme())):
        path = REPOSITORY / name
        text = path.read_text(encoding="utf-8")
        for block, content in blocks.items():
            marks = f"<!-- begin {block}: python docs/make.py -->", f"<!-- end {block} -->"
            pattern = re.compile(f"{re.escape(marks[0])}.*?{re.escape(marks[1])}", re.S)
            if not pattern.search(text):
                raise SystemExit(f"{name} has no block {block}")
            text = pattern.sub(lambda _, content=content, marks=marks: f"{marks[0]}\n{content}\n{marks[1]}", text)
        yield path, text


def configuration() -> str:
    """docs/configuration.md."""
    schema = json_schema()
    parts = [HEAD]
    for name, title, place in SECTIONS:
        settings = schema if name == "Config" else schema["$defs"][name]
        parts.append(f"## {title}\n\nIn {place}.\n\n{_table(settings)}\n")
    parts.append("## Degradations\n\n`tasks.<task>.degradation` has one of these kinds.\n")
    for kind in KINDS.values():
        parts.append(f"### {kind.name}\n\n{_table(kind.settings.model_json_schema())}\n")
    return "\n".join(parts)


def _table(settings: dict[str, Any]) -> str:
    needed = settings.get("required", [])
    rows = [
        (f"`{key}`", _kind(value), "needed" if key in needed else _default(value), value.get("description", ""))
        for key, value in settings["properties"].items()
    ]
    escaped = [[text.replace("|", r"\|").replace("<", "&lt;") for text in row] for row in rows]
    return tabulate(escaped, headers=["key", "value", "default", "meaning"], tablefmt="pipe", disable_numparse=True)


def _default(value: dict[str, Any]) -> str:
    default = value.get("default")
    return "" if default in ({}, None) and "default" not in value else f"`{json.dumps(default)}`"


def _kind(value: dict[str, Any]) -> str:
    """The allowed values of a JSON schema, in words."""
    if "$ref" in value:
        return "mapping, see below"
    if "anyOf" in value or "oneOf" in value:
        kinds = [_kind(part) for part in value.get("anyOf", value.get("oneOf", []))]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in value:
        return ", ".join(f"`{one}`" for one in value["enum"])
    if "const" in value:
        return f"`{value['const']}`"
    bounds = [
        f"{sign} {value[name]:g}"
        for name, sign in (("exclusiveMinimum", ">"), ("minimum", ">="), ("exclusiveMaximum", "<"), ("maximum", "<="))
        if name in value
    ]
    names = {"integer": "integer", "number": "number", "string": "text", "boolean": "true, false", "null": "null"}
    match value.get("type"):
        case "array":
            return f"list of {_kind(value.get('items', {}))}"
        case "object":
            inner = value.get("additionalProperties")
            return f"mapping to {_kind(inner)}" if isinstance(inner, dict) and "$ref" not in inner else "mapping"
        case kind:
            return " ".join([names.get(str(kind), "value"), *bounds])


def columns() -> str:
    """The columns of metrics.csv."""
    measures()  # completes QUANTITIES
    meaning = {
        "task": "the task", "mode": "the mode",
        "randomness": "common, independent or limited-k; empty without a bottleneck",
        "rate_bits": "bits for each image", "dither": "which dither the branches of `joint` see",
        "latent_dim": "outputs of the encoder", "levels": "L of the quantiser", "seed": "the seed",
        "dataset": "the data set", "distribution_weight": "lambda",
        "model": "fingerprint of the model", "measurement": "fingerprint of the measurement",
        "n_validation": "training images kept out of training and measured; empty: test images were measured",
        "dataset_sha256": "SHA-256 of the data set's file",
    }  # fmt: skip
    rows = [(f"`{name}`", meaning[name], "") for name in metrics.Key.model_fields]
    rows.append(("`n_test`", "test images", "images"))
    better = {"lower": ", lower is better", "higher": ", higher is better", None: ""}
    rows += [
        (f"`{name}`", quantity.text, quantity.unit + better[quantity.better]) for name, quantity in QUANTITIES.items()
    ]
    return tabulate(rows, headers=["column", "meaning", "unit"], tablefmt="pipe", disable_numparse=True)


def readme() -> dict[str, str]:
    """The blocks of README.md."""
    return {"record": _record(), "bounds": _bounds()}


def _bounds() -> str:
    """What the command of README.md prints."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^    \$ ecot (bounds .*)$", text, re.M)
    printed = CliRunner().invoke(cli, command.split()).output
    return "\n" + "\n".join(f"    {line}" for line in printed.rstrip().splitlines()) + "\n"


def _record() -> str:
    """Four rates of the kept run beside the paper's numbers, and what made them."""
    about = json.loads((RECORD / "reference.json").read_text(encoding="utf-8"))
    rows = pd.read_csv(RECORD / "paper_comparison.csv")
    rows = rows[(rows.table == 5) & rows.value.notna()]
    lines = []
    for rate, group in rows.groupby("rate_bits"):
        by = group.set_index("randomness")
        texts = [f"{by.value[kind]:.4f} ({by.paper[kind]:.4f})" for kind in ("common", "independent")]
        lines.append([f"{rate} bits", *texts, f"{by.value['independent'] / by.value['common'] - 1:+.0%}"])
    header = ["rate per image", "shared randomness: ours (paper)", "none: ours (paper)", "without it, relative"]
    table = tabulate(lines, headers=header, tablefmt="pipe", disable_numparse=True)
    epochs = int(rows.epochs.iloc[0])
    about_it = (
        f"Mean squared error per pixel between input and output on MNIST's {DATASETS['mnist'].n_test:,} test images."
        f" Trained for {epochs} epochs where the paper trains {int(rows.paper_epochs.iloc[0])}, lambda"
        f" {rows.distribution_weight.iloc[0]:g}, one seed. The largest difference from the paper's Table 5 is"
        f" {rows.ratio.sub(1).abs().max():.1%}; lambda was chosen on that table, so this is no evidence. On tables on"
        f" which it was not chosen, the median difference is {_others()}. Made on {about['date']}:"
        f" {about['cells']} models in {about['training_hours']:.1f} h of {', '.join(about['device'])},"
        f" torch {', '.join(about['torch'])}"
        f" ([the record](results/reference/{RECORD.name}))."
    )
    return f"{table}\n\n{textwrap.fill(about_it, 118, break_long_words=False, break_on_hyphens=False)}"


def _others() -> str:
    """The median difference of the kept run from each of the paper's tables on which lambda was not chosen."""
    rows = pd.read_csv(RECORD / "paper_comparison.csv")
    rows = rows[rows.value.notna() & (rows.flag != "doubtful in the paper")]
    medians = {table: rows[rows.table == table].ratio.sub(1).abs().median() for table in (9, 1, 2, 11)}
    return ", ".join(f"{median:.0%} (Table {table})" for table, median in medians.items())


if __name__ == "__main__":
    main()
