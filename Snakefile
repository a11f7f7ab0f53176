import sys
from pathlib import Path

from snakemake.settings.types import DeploymentMethod
from snakemake.utils import min_version

min_version("9.0")

# The package is used from this checkout, here and in the environments of the rules.
CHECKOUT = Path(str(workflow.current_basedir))
sys.path.insert(0, str(CHECKOUT / "src"))

from ecot import config as configuration
from ecot import terminal
from ecot.errors import EcotError
from ecot.source import code_hash
from ecot.workflow import FINGERPRINT, Pipeline, shell_prefix

# ecot reads the files and `--config` itself, so that they mean the same here and to `ecot --config`. A module of
# another workflow is given its values.
try:
    pipeline = Pipeline(
        (
            config
            if workflow.modifier.skip_configfile
            else configuration.read(
                [CHECKOUT / "config.yaml", *workflow.overwrite_configfiles],
                workflow.config_settings.config_args,
            )
        ),
        # Whether jobs run on this machine: cores are for that, and the executor is known when jobs are planned.
        lambda: workflow.local_exec and workflow.resource_settings.cores is not None,
    )
    with_conda = (
        DeploymentMethod.CONDA in workflow.deployment_settings.deployment_method
    )
    shell.prefix(
        shell_prefix(
            CHECKOUT, pipeline.config_file, None if with_conda else sys.executable
        )
    )
except EcotError as error:
    print(
        "\n".join(f"config: {line}" for line in str(error).splitlines()),
        file=sys.stderr,
    )
    sys.exit(error.exit_code)

# Snakemake's own words go to its log. Another workflow that imports this one keeps its screen.
screen = (
    terminal.attach(pipeline, workflow)
    if workflow.modifier.is_main_snakefile()
    else None
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
    shell("ecot make --incomplete || true")


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
