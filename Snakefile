import sys
from pathlib import Path

from snakemake.utils import min_version

min_version("9.0")

# The package is used from this checkout, here and in the environments of the rules.
CHECKOUT = Path(str(workflow.current_basedir))
sys.path.insert(0, str(CHECKOUT / "src"))

from ecot import terminal
from ecot.errors import EcotError
from ecot.source import code_hash
from ecot.workflow import FINGERPRINT, Pipeline


configfile: CHECKOUT / "config.yaml"


try:
    # Whether jobs run on this machine: cores are for that, and the executor is known when jobs are planned.
    pipeline = Pipeline(
        config,
        lambda: workflow.local_exec and workflow.resource_settings.cores is not None,
    )
except EcotError as error:
    sys.exit(f"config: {error}")

# Snakemake's own words go to its log. Another workflow that imports this one keeps its screen.
screen = (
    terminal.attach(pipeline, workflow)
    if workflow.modifier.is_main_snakefile()
    else None
)

# For all commands of the rules: the package and the resolved configuration.
shell.prefix(
    "set -euo pipefail; "
    f"export PYTHONPATH='{CHECKOUT / 'src'}' ECOT_CONFIG='{pipeline.config_file}'; "
)


# Limits to it hold within a group of jobs, not among all jobs.
resource_scopes:
    turn="local",


onstart:
    try:
        words = pipeline.start()
    except EcotError as error:
        sys.exit(str(error))
    if words:
        print(words, file=sys.stderr)
    if screen:
        screen.start()


onsuccess:
    if screen:
        screen.stop(log)


# A cell that failed takes no product with it: what there is goes to results/<run>/incomplete, with what is missing.
onerror:
    if screen:
        screen.stop(log)
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
