"""The classifier of digits whose features the laws of images are compared in."""

from torch import Tensor, nn

CLASSES = 10
FEATURES = 64


class Classifier(nn.Module):
    """Two 5x5 convolutions of stride 2 and two linear layers.

    Maps images (n, c, h, w) in [0, 1] to the logits of the ten digits, (n, 10); `features` gives what the last
    layer sees, (n, FEATURES). These are normalised before their ReLU: each has variance 1 there on clean images, so
    that none is dead or dominates a distance, and distances have a unit.
    """

    def __init__(self, image_shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.image_shape = image_shape
        channels, height, width = image_shape
        quarter = -(-height // 4) * -(-width // 4)
        self.features = nn.Sequential(
            *(nn.Conv2d(channels, 16, 5, stride=2, padding=2), nn.ReLU()),
            *(nn.Conv2d(16, 32, 5, stride=2, padding=2), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(32 * quarter, FEATURES), nn.BatchNorm1d(FEATURES, affine=False), nn.ReLU()),
        )
        self.head = nn.Linear(FEATURES, CLASSES)

    def forward(self, y: Tensor) -> Tensor:
        logits: Tensor = self.head(self.features(y))
        return logits
