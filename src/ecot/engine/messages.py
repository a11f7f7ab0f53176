"""What a training says to a person."""

from collections.abc import Mapping
from pathlib import Path

from ecot.errors import EcotError, MistakeError


class NotFiniteError(EcotError):
    """A loss is not finite, nor would it be if the training went on."""

    def __init__(self, epoch: int, step: int, losses: Mapping[str, float]) -> None:
        wrong = ", ".join(f"{name} {value}" for name, value in losses.items())
        super().__init__(
            f"epoch {epoch}: the loss is not finite (by step {step}: {wrong}), no model is kept; a lower"
            " learning_rate or distribution_weight may help"
        )


def no_room(folder: Path, needed: int, free: int) -> EcotError:
    """The disk has too little room for the model and the state of the training."""
    return EcotError(
        f"{folder}: the model and the state of its training take {needed / 1e6:.1f} MB, and the disk has"
        f" {free / 1e6:.1f} MB left; make room, then run the same command again"
    )


def batch_too_large(size: int, images: int, needed: int) -> MistakeError:
    """The training set does not fill the steps of the critic and one of the system."""
    return MistakeError(
        f"training.batch_size: {size} is too large for {images} training images; a step of the system and"
        f" those of the critic before it take {needed}"
    )


def other_shape(task: str, dataset: str, found: object, expected: object) -> MistakeError:
    """The images do not fit the networks of the task."""
    return MistakeError(
        f"tasks.{task}.dataset: {dataset} has images of shape {found}, the task's networks take {expected}"
    )


def needs_frozen(mode: str) -> MistakeError:
    """The mode builds on a trained model, and nobody says which."""
    return MistakeError(f"mode {mode} builds on a trained model; say in which folder it is")
