"""What a user adds to the report: a measure of the outputs, and a product that shows it."""

from dataclasses import dataclass

from ecot.files import atomic
from ecot.grid.paths import results_folder
from ecot.grid.plan import rated
from ecot.products import metrics
from ecot.products.base import Product, declare
from ecot.quantities import Measure, Quantity, register


def brightness(outputs, clean, context):
    """The difference of the mean pixel, outputs less clean images."""
    return float(outputs.mean() - clean.mean())


def figure(table):
    """Brightness against rate."""
    from matplotlib.figure import Figure

    drawn = Figure()
    drawn.subplots().plot(table.rate_bits.astype(float), table.brightness, "o")
    return drawn


@dataclass(frozen=True)
class Brightness(Product):
    """One row per cell: how much brighter its outputs are than clean images."""

    def files(self, config):
        folder = results_folder(config)
        return [folder / "figures/brightness.png", folder / "tables/brightness.csv"]

    def cells(self, config):
        return rated(config)

    def write(self, config, folder):
        table = metrics.read(self.cells(config), config).table[["task", "mode", "rate_bits", "brightness"]]
        with atomic(folder / "tables/brightness.csv") as temporary:
            table.to_csv(temporary, index=False)
        with atomic(folder / "figures/brightness.png") as temporary:
            figure(table).savefig(temporary)


register(Measure(Quantity("brightness", "brightness", "brightness", 3, "of 1", None), brightness, "sets"))
declare(lambda config: [Brightness("brightness", "Brightness", "How bright the outputs are.", "Tables")])
