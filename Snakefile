import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

# The package is used from this checkout, here and in the environments of the rules.
sys.path.insert(0, str(Path(workflow.basedir) / "src"))

from ecot.errors import EcotError
from ecot.source import code_hash
from ecot.workflow import FINGERPRINT, Pipeline


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
    try:
        word = pipeline.start()
    except EcotError as error:
        sys.exit(str(error))
    if word:
        print(word, file=sys.stderr)


# A cell that failed takes no product with it: what there is goes to results/<run>/incomplete, with what is missing.
onerror:
    shell("python -m ecot make --incomplete --config $ECOT_CONFIG || true")


include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/products.smk"


rule all:
    default_target: True
    input:
        pipeline.models(),
        pipeline.product_files(),


rule fit_weight:
    input:
        lambda wildcards: pipeline.fitted_weights(),
