"""What is still written when cells have failed: incomplete products, below results/<run>/incomplete.

The run's folder itself is not touched, so that a workflow finds there nothing but finished products.
"""

from pathlib import Path

from ecot.config import Config
from ecot.grid.paths import metrics_path, results_folder, samples_path
from ecot.products.base import Product, products


def folder(config: Config) -> Path:
    """Where incomplete products of a run stand until they are complete."""
    return results_folder(config) / "incomplete"


def incomplete(config: Config) -> list[Product]:
    """The products of the target `all` that miss some files and have at least one measured cell."""
    return [
        product
        for product in products(config).values()
        if product.in_all and lacks_something(product, config) and _measured(product, config)
    ]


def lacks_something(product: Product, config: Config) -> bool:
    """Whether a file that the product is made of is missing."""
    shown = [samples_path(config, cell) for cell in product.samples(config)]
    rows = [metrics_path(config, cell) for cell in product.cells(config)]
    return not all(path.is_file() for path in (*rows, *shown, *product.reads(config)))


def _measured(product: Product, config: Config) -> bool:
    return any(metrics_path(config, cell).is_file() for cell in product.cells(config))
