"""What the codec says to a person."""

from pathlib import Path

from ecot.errors import EcotError

Shape = tuple[int, ...]


def unknown_task(folder: Path, task: str) -> EcotError:
    """The model is of a task that is not registered here."""
    return EcotError(f"the model in {folder} is of the task {task!r}, which this program does not have")


def no_code(folder: Path, mode: str) -> EcotError:
    """The model is of a mode that compresses nothing by itself."""
    return EcotError(
        f"the model in {folder} is of the mode {mode}, which is no code of its own; use one of end_to_end or baseline"
    )


def wrong_settings(folder: Path, reason: object) -> EcotError:
    """The settings in the model's header are those of no system."""
    return EcotError(f"the model in {folder} states settings of no system: {' '.join(str(reason).split())}")


def no_frequencies(folder: Path) -> EcotError:
    """The model has no frequencies of its indices, or wrong ones."""
    return EcotError(
        f"the model in {folder} has no frequencies of its indices, without which nothing is entropy-coded; train it"
        " anew with `ecot train CELL --force`"
    )


def another_model(differing: str) -> EcotError:
    """The file was written with another model."""
    return EcotError(f"the file was written with another model: {differing}; decode it with the model that wrote it")


def wrong_shape(found: Shape, expected: Shape) -> EcotError:
    """Images of another shape than the model's."""
    return EcotError(
        f"images of shape {found} where this model takes (n, {', '.join(map(str, expected))}): number, channels,"
        " height, width"
    )


def wrong_indices(found: str, d: int, levels: int) -> EcotError:
    """Indices that no encoder of this model gives."""
    return EcotError(f"indices {found}; this model has int32 (n, {d}) from 0 to {levels - 1}")


def no_images(source: object) -> EcotError:
    """An empty input."""
    return EcotError(f"{source} has no images: give at least one")


def wrong_type(found: object) -> EcotError:
    """Images of another type than the codec takes."""
    return EcotError(f"images of type {found}; allowed: uint8 (0 to 255) and floating point (white is 1)")


def wrong_range(least: float, most: float, allowed: tuple[float, float], what: str) -> EcotError:
    """Values outside of the range of images."""
    return EcotError(f"{what} have values from {least:g} to {most:g}; allowed: {allowed[0]:g} to {allowed[1]:g}")


def wrong_seed(seed: int) -> EcotError:
    """A seed that a file cannot hold."""
    return EcotError(f"--seed {seed} is not from 0 to 2^64 - 1")


def unreadable(path: Path, reason: object) -> EcotError:
    """An input that cannot be read."""
    return EcotError(f"{path} cannot be read: {' '.join(str(reason).split())}")


def no_input(path: Path) -> EcotError:
    """A path that is none of the inputs that the codec takes."""
    return EcotError(f"{path} is no input: give a .npy file, a .npz file or a folder of PNG files")


def no_output(path: Path) -> EcotError:
    """A path that is none of the outputs that the codec writes."""
    return EcotError(f"{path} is no output: name a .npy file, a .npz file or a folder, which has no suffix")


def not_empty(path: Path) -> EcotError:
    """The folder of images to write is there and has something in it."""
    return EcotError(f"the folder {path} is not empty: name a new one")


def which_array(path: Path, there: list[str]) -> EcotError:
    """Several arrays, none of which is called `images`."""
    return EcotError(f"{path} has the arrays {', '.join(there)}: name one of them `images`, or give one alone")
