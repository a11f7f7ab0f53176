import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

# The package is used from this checkout, here and in the environments of the rules.
sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from ecot.errors import EcotError
from ecot.pipeline import Pipeline
from ecot.provenance import code_hash


configfile: Path(workflow.basedir) / "config.yaml"


try:
    pipeline = Pipeline(config)
except EcotError as error:
    sys.exit(f"config: {error}")

# For all commands of the rules: the package and the resolved configuration.
shell.prefix(
    "set -euo pipefail; "
    f"export PYTHONPATH='{Path(workflow.basedir) / 'src'}' ECOT_CONFIG='{pipeline.config_file}'; "
)


# Limits to it hold within a group of jobs, not among all jobs.
resource_scopes:
    turn="local",


onstart:
    pipeline.redate()


include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/bounds.smk"
include: "workflow/rules/constraint.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/weight.smk"


rule all:
    default_target: True
    input:
        rules.config.output,
        rules.metrics.output,
        rules.tables.input,
        rules.paired.output,
        rules.claims.output,
        rules.comparison.output,
        rules.figures.input,
        rules.theory_figures.output,
        rules.constraint.output,
