"""The files of a figure. Nothing is drawn here, so that a workflow is planned without matplotlib."""

from pathlib import Path


def figure_files(folder: Path, name: str) -> list[Path]:
    """The files of a figure of that name in a run's folder, as `ecot.products.drawing.write` writes them."""
    return [folder / "figures" / f"{name}{suffix}" for suffix in (".svg", ".png")]
