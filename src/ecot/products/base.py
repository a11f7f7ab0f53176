"""What a product is: a table, a figure or a list that a run writes, declared once.

Everything else derives from the declarations: the rules of the workflow, the target `all`, `ecot make`, what is shown
at the end of a run, what is written when cells have failed, and what reference results keep.
"""

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from ecot.artefacts import DamagedError
from ecot.config import Config
from ecot.errors import MistakeError
from ecot.files import read_text, sha256, write_text
from ecot.grid.cell import Cell
from ecot.grid.paths import metrics_path, results_folder, samples_path

Category = Literal["Tables", "Figures", "Paper", "Bounds", "Report"]


@dataclass(frozen=True)
class Product(ABC):
    """One product of a run.

    A subclass says which cells and other files it needs, which files it writes, and writes them. Its fields decide
    what it writes, together with the code of its class: when one of them changes, this product alone is made again.
    """

    name: str  # of the command `ecot make NAME` and of the rule
    title: str
    caption: str  # what a reader needs to know, for the report
    category: Category
    environment = "analysis"  # of conda: "torch" if the writer needs torch
    in_all = True  # whether the target `all` makes it
    job: ClassVar[str | None] = None  # the entry of the configuration's `resources`; None: no job of the cluster

    @property
    def modules(self) -> tuple[str, ...]:
        """The modules from which all code that decides its content is reached."""
        return (type(self).__module__,)

    @abstractmethod
    def files(self, config: Config) -> list[Path]:
        """The files that `write` writes, all below the run's folder; the one to look at first."""

    @abstractmethod
    def write(self, config: Config, folder: Path) -> None:
        """Write the files below `folder`, which stands for the run's folder.

        Raises EcotError if nothing that it is made of is there.
        """

    def check(self, config: Config) -> None:  # noqa: B027 (most products have nothing to check)
        """Raise EcotError, before anything is trained for it, if it cannot be made from these settings."""

    def cells(self, config: Config) -> list[Cell]:
        """The cells whose metrics it is made of."""
        return []

    def samples(self, config: Config) -> list[Cell]:
        """The cells whose sample images it shows."""
        return []

    def reads(self, config: Config) -> list[Path]:
        """Other files that it reads, each the output of a rule."""
        return []

    def __str__(self) -> str:
        return self.name


class StaleError(DamagedError):
    """A product is there, and of other settings or of other code than those of now."""


Family = Callable[[Config], Iterable[Product]]
_families: list[Family] = []


def declare(family: Family) -> Family:
    """Add the products that `family` gives for a configuration."""
    _families.append(family)
    return family


def products(config: Config) -> dict[str, Product]:
    """The products that a configuration has, by name, in the order in which they were declared."""
    import ecot.products.catalogue  # noqa: F401  (declares the built-in ones)

    found: dict[str, Product] = {}
    for family in _families:
        for product in family(config):
            if product.name in found:
                raise MistakeError(f"two products have the name {product.name!r}; give one of them another name")
            found[product.name] = product
    return found


def named(config: Config, name: str) -> Product:
    """The product of that name. MistakeError, which names what there is, if the configuration has none."""
    there = products(config)
    if name not in there:
        raise MistakeError(f"there is no product {name!r} in this configuration; it has {', '.join(there)}")
    return there[name]


def inputs(config: Config, product: Product) -> dict[str, list[Path]]:
    """The files that a product is made of: `metrics` and `samples` of its cells, and what else it `reads`.

    The paths of a cell say by which settings and code it was trained and measured.
    """
    return {
        "metrics": [metrics_path(config, cell) for cell in product.cells(config)],
        "samples": [samples_path(config, cell) for cell in product.samples(config)],
        "reads": product.reads(config),
    }


def make(config: Config, product: Product) -> None:
    """Write a product below the run's folder, and remove what stood in for it while cells were missing.

    What it was made of and the checksums of its files are kept, so that a file that was edited, is another product's
    or was made under other settings is noticed.
    """
    folder = results_folder(config)
    product.write(config, folder)
    for path in product.files(config):
        (folder / "incomplete" / path.relative_to(folder)).unlink(missing_ok=True)
    record(config, product)


def record(config: Config, product: Product) -> None:
    """Write down the checksums of a product's files, as they are."""
    files = {path.name: sha256(path) for path in product.files(config)}
    made = {"run": config.run, "product": product.name, "made_of": _made_of(config, product), "files": files}
    write_text(_made_path(config, product), json.dumps(made, indent=2) + "\n")


def require(config: Config, product: Product) -> None:
    """Raise DamagedError if there is a file of the product that `make` has not written like this."""
    way_out = f"`ecot make {product.name}` makes it anew"
    try:
        made = json.loads(read_text(_made_path(config, product)))
    except (OSError, ValueError, RecursionError):
        made = None
    for path in product.files(config):
        if path.is_file():
            expected = {"run": config.run, "product": product.name}
            if not isinstance(made, dict) or any(made.get(name) != value for name, value in expected.items()):
                raise DamagedError(path, f"nothing says that it is {product.name} of run {config.run}", way_out)
            if made.get("made_of") != _made_of(config, product):
                raise StaleError(path, "it was made under other settings, or of other code", way_out)
            files = made.get("files")
            if not isinstance(files, dict) or files.get(path.name) != sha256(path):
                raise DamagedError(path, "it has changed since it was made", way_out)


def _made_of(config: Config, product: Product) -> str:
    """A digest of the paths of all that a product is made of, and of its declaration."""
    paths = {kind: [str(path) for path in files] for kind, files in inputs(config, product).items()}
    return hashlib.sha256(json.dumps([repr(product), paths], sort_keys=True).encode()).hexdigest()


def _made_path(config: Config, product: Product) -> Path:
    """Where the checksums of a product's files are kept; no rule of a workflow declares it."""
    return results_folder(config) / ".made" / f"{product.name}.json"
