"""An extension as a user would write it: a data set, a degradation, a task and a mode."""

from ecot.data.arrays import Split
from ecot.data.sets import DATASETS, Dataset, mnist_sample
from ecot.degradations import KINDS, Degradation, DegradationSettings, Kind
from ecot.modes import MODES, Mode
from ecot.tasks import TASKS, Task


def read(root, download):
    """The embedded digits, white on black turned into black on white."""
    return {
        name: Split(255 - split.images, split.labels) for name, split in mnist_sample.read(root, download).items()
    }


class FadingSettings(DegradationSettings):
    """X is Y with its contrast reduced."""

    kind: str
    share: float


class Fading(Degradation):
    """X = share * Y."""

    def __init__(self, settings, side):
        self.share = settings.share

    def apply(self, y, prepared, noise):
        return self.share * y


DATASETS.register(Dataset("ink", "black digits", 1, (1, 28, 28), 4_000, 1_000, "CC BY-SA 3.0", "MNIST", read))
KINDS.register(Kind("fading", FadingSettings, Fading))
TASKS.register(Task("fading", "Restoration of contrast", (1, 28, 28), "ecot.networks.digits"))
MODES.register(Mode("clean", "trained on clean images", "added_system:Clean", {"common": 1, "independent": 2}, "P"))
