"""What loading a data set says to a person."""

from pathlib import Path

from ecot.errors import EcotError


def missing(file: Path, array_file: Path) -> EcotError:
    """The array file or its stamp is not there."""
    return EcotError(f"{file} is missing: run the pipeline, or {_command(array_file)}")


def damaged(file: Path, array_file: Path, reason: object) -> EcotError:
    """The array file or its stamp is not as `ecot data` wrote it."""
    return EcotError(
        f"{file} is damaged ({' '.join(str(reason).split())}): write it anew with {_command(array_file)}, after which"
        " no finished cell is out of date"
    )


def other_data(array_file: Path, name: object, version: object, expected: str, expected_version: int) -> EcotError:
    """The array file holds another data set than the one asked for."""
    return EcotError(
        f"{array_file} holds {name} version {version}, not {expected} version {expected_version}: write it anew with"
        f" {_command(array_file)}"
    )


def too_few(array_file: Path, name: str, there: int, wanted: int) -> EcotError:
    """The data set has fewer images than a setting asks for."""
    return EcotError(f"{array_file} has {there:,} {name}, not {wanted:,}: ask for 1 to {there:,}")


def none_left(array_file: Path, there: int, kept_out: int) -> EcotError:
    """The validation images are all training images, or more."""
    return EcotError(
        f"n_validation: {kept_out:,} of the {there:,} training images of {array_file} cannot be kept out of training;"
        f" write fewer than {there:,}"
    )


def not_plain(name: str) -> ValueError:
    """An array is compressed or not of type uint8."""
    return ValueError(f"{name} is not stored as plain uint8")


def other_images(shape: object, stated: object) -> ValueError:
    """The images do not have the shape that their stamp states."""
    return ValueError(
        f"its images have the shape {shape}; its stamp states {stated or '(n, channels, height, width)'}"
    )


def no_digits(shape: object, largest: int) -> ValueError:
    """The labels are not one digit for each image."""
    return ValueError(f"its labels, of shape {shape} and up to {largest}, are not one digit for each image")


def wrong_size(name: str, shape: object) -> ValueError:
    """An array states a shape that its size denies."""
    return ValueError(f"{name} states a shape {shape} that its size denies")


def _command(array_file: Path) -> str:
    return f"`ecot data {array_file.stem}`"
