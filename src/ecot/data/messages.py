"""What loading a data set says to a person."""

from pathlib import Path

from ecot.errors import EcotError, MistakeError


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
    return MistakeError(f"{array_file} has {there:,} {name}, not {wanted:,}: ask for 1 to {there:,}")


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


def mistakes(faults: list[str]) -> MistakeError:
    """Faults of a configuration, a line for each."""
    return MistakeError("\n".join(faults))


def own_images(name: str, error: object) -> str:
    """The images of a data set of the configuration are not there or not as it says."""
    return f"datasets.{name}: {' '.join(str(error).split())}"


def no_images_at(path: Path) -> str:
    """There is neither a folder nor an .npz."""
    return f"path: {path} is no folder of PNG or JPEG files and no .npz file"


def other_content(path: str, found: str) -> str:
    """The images are others than the configuration states."""
    return (
        f"content: the images at {path} have SHA-256 {found} now: they have changed; write content: null to take them"
        " as they are, which is another data set"
    )


def number_of_images(path: str, n: int, n_test: int, most: int) -> str:
    """Too few images or too many."""
    return f"{path} has {n:,} images; allowed: more than n_test = {n_test:,}, at most {most:,}"


def kind_of_image(name: str, mode: str) -> str:
    """An image is neither grey nor RGB."""
    return f"{name} is an image of kind {mode}, or has transparent parts; save it as grey or RGB with 8 bits"


def other_sizes(images: list[str], n: int, size: int) -> str:
    """Some images are of another size."""
    return (
        f"{len(images):,} of {n:,} images are not {size} x {size}, for instance {images[0]}; resize: true cuts them"
        " to a square about their middle and resizes them"
    )


def shape_of_array(path: Path, name: str, shape: object, dtype: object) -> str:
    """An array of an .npz is not what it should be."""
    wanted = "(n,)" if name == "labels" else "(n, h, w), (n, h, w, 1) or (n, h, w, 3)"
    return f"{path}: {name} is {dtype} of shape {shape}; it must be uint8 {wanted}, not empty and not too large"


def no_labels(name: str) -> MistakeError:
    """A data set without labels is asked for a classifier."""
    return MistakeError(f"data set {name} has no labels, from which a classifier could learn")


def _command(array_file: Path) -> str:
    return f"`ecot data {array_file.stem}`"
