"""What is said of a file of compressed images that cannot be decoded."""

from ecot.errors import EcotError


def foreign() -> EcotError:
    """It does not begin as such a file does."""
    return EcotError("this is no file of `ecot encode`: it does not begin like one")


def newer(version: int, known: int) -> EcotError:
    """Its version is not known here."""
    return EcotError(
        f"the file has version {version} of its format and this ecot reads version {known}: use a newer ecot"
    )


def truncated(there: int, stated: int) -> EcotError:
    """Its length is not the one that it states."""
    return EcotError(f"the file is cut short or has something after its end: {there} bytes instead of {stated}")


def altered() -> EcotError:
    """Its checksum is another one."""
    return EcotError("the file has changed since it was written: its checksum does not fit; copy or encode it again")


def impossible(reason: object) -> EcotError:
    """What it states cannot be."""
    return EcotError(f"the file states what no file of `ecot encode` does: {reason}")


def too_many(images: int, d: int, most_images: int, most_indices: int) -> EcotError:
    """More images than a file may hold."""
    return EcotError(
        f"{images:,} images of {d} indices each are too many for one file, which holds at most {most_images:,} images"
        f" and {most_indices:,} indices; write several files"
    )
