"""Commands that prepare what trainings and measurements start from."""

import json
from pathlib import Path

import click

from ecot.cli.options import config_option
from ecot.config import Config, json_schema
from ecot.files import expanded, sha256, write_text
from ecot.grid.paths import classifier_path, clean_scores_path, dataset_path
from ecot.grid.plan import measurement_settings, task_settings
from ecot.machine.leases import lease


@click.command()
@click.argument("name")
@config_option
def data(name: str, config: Config) -> None:
    """Prepare data set NAME: fetch it into data.root if need be, check it, and write results/datasets/NAME.npz.

    Prints the SHA-256 of the file.
    """
    from ecot.data.prepare import prepare

    out = dataset_path(name)
    prepare(name, expanded(config.data.root), out)
    click.echo(f"{sha256(out)}  {out}")


@click.command()
@click.option("--out", type=click.Path(path_type=Path), required=True, help="File to write.")
def schema(out: Path) -> None:
    """Write the JSON schema of the configuration."""
    write_text(out, json.dumps(json_schema(), indent=2) + "\n")


@click.command()
@click.argument("dataset")
@config_option
def classifier(dataset: str, config: Config) -> None:
    """Train the classifier of data set DATASET. Its features tell outputs from clean images."""
    with lease(config.device, config.compute.jobs_per_device):
        from ecot.evaluation.job import train_classifier

        train_classifier(dataset, dataset_path(dataset), config.device, classifier_path(dataset))


@click.command("clean-scores")
@click.argument("task")
@config_option
def clean_scores(task: str, config: Config) -> None:
    """Write what the measures of the output law give for clean images in place of the outputs of TASK."""
    settings = task_settings(config, task)
    with lease(config.device, config.compute.jobs_per_device):
        from ecot.evaluation.job import write_clean_scores

        write_clean_scores(
            task,
            settings.dataset,
            settings.n_train,
            dataset_path(settings.dataset),
            classifier_path(settings.dataset),
            measurement_settings(config, task),
            config.device,
            clean_scores_path(config, task),
        )
