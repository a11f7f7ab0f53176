"""Every setting of the project: its type, its meaning, what is allowed, and how a configuration is read.

Nothing here knows how a setting is used, and nothing imports torch, so that a workflow is planned fast.
"""

from ecot.config.parsing import dump
from ecot.config.reading import check_size, json_schema, load, merge, read, validate
from ecot.config.resources import JobResources
from ecot.config.root import Config, Device
from ecot.config.tasks import ModeSettings, TaskSettings
from ecot.config.training import Compute, Precision, Schedule, Training

__all__ = [
    "Compute",
    "Config",
    "Device",
    "JobResources",
    "ModeSettings",
    "Precision",
    "Schedule",
    "TaskSettings",
    "Training",
    "check_size",
    "dump",
    "json_schema",
    "load",
    "merge",
    "read",
    "validate",
]
