"""Tables 3, 4 and 12-15: settings and architectures, from what the program itself goes by."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Protocol

import pandas as pd

from ecot.cells import results_folder
from ecot.config import Config, Mode, ModeSchedule
from ecot.reporting.captions import task_title
from ecot.reporting.catalogue import ARCHITECTURES
from ecot.reporting.tables import Grid, write_files

SETTINGS: dict[int, Mode] = {3: "end_to_end", 4: "joint"}  # the mode whose settings a table shows
NAMES: dict[str, str] = {"end_to_end": "end-to-end model", "joint": "two-branch model"}


class Layer(Protocol):
    """A row of an architecture: a dataclass with these fields."""

    network: str
    layer: str
    output: str
    parameters: int


def write_settings(config: Config) -> None:
    """Write Tables 3 and 4: optimiser and schedule of each network, a block a task."""
    for number, mode in SETTINGS.items():
        blocks, rows = [], []
        for task, settings in config.tasks.items():
            schedule = settings.schedules().get(mode)
            if schedule is not None:
                own = _settings(mode, schedule, config)
                blocks.append(
                    (task_title(task), [list(own[0]), *([str(value) for value in row.values()] for row in own)])
                )
                rows += [{"task": task, **row} for row in own]
        caption = f"Table {number}: Settings of the {NAMES[mode]}"
        path = results_folder(config) / "tables" / f"table_{number:02d}"
        write_files(path, caption, ["From the configuration of this run."], blocks, pd.DataFrame(rows))


def write_architecture(number: int, config: Config, layers: Sequence[Layer], latent_dim: int) -> None:
    """Write one of Tables 12-15 from the layers of its networks."""
    task, mode = ARCHITECTURES[number]
    frame = pd.DataFrame([asdict(layer) for layer in layers])  # type: ignore[call-overload]
    blocks: list[tuple[str, Grid]] = []
    for network, own in frame.groupby("network", sort=False):
        rows = [[row.layer, row.output, f"{row.parameters:,}"] for row in own.itertuples()]
        total = ["total", "", f"{own.parameters.sum():,}"]
        blocks.append((str(network), [["layer", "output", "parameters"], *rows, total]))
    width = config.tasks[task].width
    caption = f"Table {number}: Architecture of the {NAMES[mode]}, {task_title(task).lower()}"
    notes = [
        f"From the modules, at width {width:g} and {latent_dim} latent dimensions; batch normalisation is counted."
    ]
    path = results_folder(config) / "tables" / f"table_{number:02d}"
    write_files(path, caption, notes, blocks, frame.assign(task=task))


def _settings(mode: Mode, schedule: ModeSchedule, config: Config) -> list[dict[str, object]]:
    beta_1, beta_2 = config.training.betas
    learned: dict[str, object] = {
        "learning rate": f"{schedule.learning_rate:g}",
        "beta 1": f"{beta_1:g}",
        "beta 2": f"{beta_2:g}",
        "gradient penalty": "-",
        "lambda": f"{schedule.weight:g}",
        "lambda is": schedule.weight_origin,
        "epochs": schedule.epochs,
        "rate divided": f"by {schedule.decay_factor:g} after {schedule.decay_epoch}",
    }
    fixed = learned | dict.fromkeys(learned, "-") | {"learning rate": "0 (frozen)"}
    critic = learned | {"gradient penalty": f"{config.training.gradient_penalty:g}"}
    networks = {"Encoder": learned, "Decoder": learned, "Critic": critic}
    if mode == "joint":
        networks = {"Encoder": fixed, "Decoder 1": learned, "Decoder 2": learned, "Critic": critic}
    if not schedule.weight:
        del networks["Critic"]
    return [{"network": name, **row} for name, row in networks.items()]
