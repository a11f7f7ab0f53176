"""The codec of one trained model."""

import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from ecot import systems
from ecot.artefacts import model as models
from ecot.artefacts.names import MODEL
from ecot.codec import messages
from ecot.coding import container, entropy, randomness
from ecot.coding.messages import impossible
from ecot.coding.quantiser import Code
from ecot.evaluation.degraded import batches
from ecot.evaluation.measurement import BATCH
from ecot.files import sha256
from ecot.grid.cell_settings import CellSettings
from ecot.modes import MODES
from ecot.systems import Coder
from ecot.tasks import TASKS

DEGRADED = (-1.0, 2.0)  # the range of X: interpolation and noise leave [0, 1], though not as far as this
CLEAN = (0.0, 1.0)
WIDEST = 4.0  # the largest width that a configuration may have


@dataclass(frozen=True)
class Encoded:
    """What is sent of some images: the indices Z, int32 (n, d) from 0 to L - 1, and the common randomness's seed.

    The seed is 0 where nothing is shared.
    """

    indices: NDArray[np.int32]
    seed: int


class Codec:
    """A trained system that turns images into indices, indices into bytes, and back."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        """See `load`."""
        model = models.read(folder)
        self.settings: CellSettings = model.settings
        if self.settings.task not in TASKS:
            raise messages.unknown_task(folder, self.settings.task)
        system = _without_memory(folder, self.settings)
        if not isinstance(system, Coder):
            raise messages.no_code(folder, self.settings.mode)
        models.require(system.state_dict(), model, folder / MODEL)
        system.load_state_dict(model.tensors, assign=True)
        self.system = system.to(device).eval().requires_grad_(False)
        self.device = device
        self.shape = TASKS[self.settings.task].image_shape
        self.context_bits = entropy.context_bits(self.settings.shared_bits, self.settings.levels)
        d, levels = self.settings.latent_dim, self.settings.levels
        if model.frequencies is None or not entropy.valid(model.frequencies, d, self.context_bits, levels):
            raise messages.no_frequencies(folder)
        self.frequencies = model.frequencies
        self.checksum = bytes.fromhex(sha256(folder / MODEL))[: container.CHECKSUM]

    @property
    def limit_bits(self) -> int:
        """The paper's rate, bits per image: d log2(L)."""
        return self.settings.rate_bits or 0

    def degrade(self, clean: ArrayLike, seed: int = 0) -> NDArray[np.float32]:
        """X from clean images (n, c, h, w), uint8 or floating point in [0, 1], as the test set is degraded.

        Data sets hold 8 bits, and images in floating point are rounded to them. `seed` fixes the noise, if there is
        any. Raises EcotError for images of another shape or range.
        """
        images = self._checked(clean, CLEAN, "clean images")
        if images.dtype != np.uint8:
            images = (images * 255).round().astype(np.uint8)
        settings = self.settings.degradation
        found = batches(
            images, settings, seed, BATCH, convert=lambda array: torch.from_numpy(array).to(self.device)
        )  # as a measurement computes it, to the last bit
        return np.concatenate([batch.x.cpu().numpy() for batch in found])

    def encode(self, images: ArrayLike, seed: int | None = None) -> Encoded:
        """The indices of degraded images X (n, c, h, w), uint8 or floating point with white at 1.

        `seed` fixes the dither, the shared and the encoder's own, to that of a measurement with this seed; by default
        both are drawn. Raises EcotError for images of another shape or range, for none, and for too many.
        """
        x = self._checked(images, DEGRADED, "degraded images")
        container.check_size(len(x), self.settings.latent_dim)
        common, private = self._seeds(seed)
        indices = []
        for start in range(0, len(x), BATCH):
            part = x[start : start + BATCH].astype(np.float32)
            if x.dtype == np.uint8:
                part /= np.float32(255)
            u1 = self._dither(common, private, 0, len(part), start)
            with torch.no_grad():
                code = self.system.encode(torch.from_numpy(part).to(self.device), u1)
            indices.append(code.indices.cpu().numpy().astype(np.int32))
        return Encoded(np.concatenate(indices), common if self.settings.shared_bits else 0)

    def decode(self, encoded: Encoded, seed: int | None = None) -> NDArray[np.float32]:
        """The output images (n, c, h, w) in [0, 1].

        The common randomness follows from its seed and the number of an image. What the decoder draws on its own is
        fixed by `seed` to that of a measurement with this seed; by default it is drawn. Raises EcotError for indices
        that are none of this model's.
        """
        self._check(encoded)
        _, private = self._seeds(seed)
        outputs = []
        for start in range(0, len(encoded.indices), BATCH):
            part = encoded.indices[start : start + BATCH]
            u2 = self._dither(encoded.seed, private, 1, len(part), start)
            with torch.no_grad():
                code = Code(torch.from_numpy(part.astype(np.float32)).to(self.device))
                outputs.append(self.system.decode(code, u2).cpu().numpy())
        return np.concatenate(outputs)

    def to_bytes(self, encoded: Encoded, *, raw: bool = False) -> bytes:
        """A file: the indices entropy-coded, or with `raw` in exactly d log2(L) bits per image.

        Raises EcotError for indices that are none of this model's, and for more than a file holds.
        """
        self._check(encoded)
        indices = encoded.indices
        stream = (
            entropy.pack(indices, self.settings.levels)
            if raw
            else entropy.encode(indices, self.contexts(encoded.seed, len(indices)), self.frequencies)
        )
        header = replace(self._header(len(indices)), seed=encoded.seed, entropy_coded=not raw)
        return container.pack(header, stream)

    def from_bytes(self, content: bytes) -> Encoded:
        """What was sent in a file. EcotError if it is damaged, no such file, a newer one or another model's."""
        header, stream = container.unpack(content)
        own = self._header(header.count)
        for name in ("task", "shape", "levels", "latent_dim", "shared_bits"):
            if (found := getattr(header, name)) != (expected := getattr(own, name)):
                raise messages.another_model(f"{name.replace('_', ' ')} {found}, and this one has {expected}")
        if header.model != own.model:
            raise messages.another_model(f"checksum {header.model.hex()}, and this one has {own.model.hex()}")
        n, d, levels = header.count, header.latent_dim, header.levels
        try:
            if not header.entropy_coded:
                return Encoded(entropy.unpack(stream, n, d, levels), header.seed)
            least, most = entropy.bounds(n, self.frequencies)
            if not least - 8 <= 8 * len(stream) <= most + 64:
                raise ValueError(f"{len(stream)} bytes for {n} images")
            return Encoded(entropy.decode(stream, self.contexts(header.seed, n), self.frequencies), header.seed)
        except ValueError as error:
            raise impossible(error) from None

    def ideal_bits(self, encoded: Encoded) -> float:
        """The ideal length of the indices in bits per image: their cross-entropy under the coder's frequencies."""
        contexts = self.contexts(encoded.seed, len(encoded.indices))
        return entropy.code_length(encoded.indices, contexts, self.frequencies) / len(encoded.indices)

    def contexts(self, seed: int, n: int) -> NDArray[np.uint8]:
        """On which of its frequencies each index (n, d) of n images depends: bits of the dither of this seed."""
        (stream,) = randomness.measurement_streams(seed, 1)
        return randomness.leading_bits(stream, n, self.settings.latent_dim, self.context_bits)

    def _header(self, count: int) -> container.Header:
        settings = self.settings
        return container.Header(
            self.checksum, settings.task, self.shape, count, settings.levels, settings.latent_dim,
            settings.shared_bits, 0, True,
        )  # fmt: skip

    def _checked(self, images: ArrayLike, allowed: tuple[float, float], what: str) -> NDArray[Any]:
        array = np.asarray(images)
        if array.dtype != np.uint8 and array.dtype.kind != "f":
            raise messages.wrong_type(array.dtype)
        if array.ndim != 4 or array.shape[1:] != self.shape:
            raise messages.wrong_shape(array.shape, self.shape)
        if not len(array):
            raise messages.no_images("the input")
        if array.dtype != np.uint8:
            least, most = float(array.min()), float(array.max())
            if not allowed[0] <= least <= most <= allowed[1]:  # nor NaN
                raise messages.wrong_range(least, most, allowed, what)
        return array

    def _check(self, encoded: Encoded) -> None:
        indices, d, levels = encoded.indices, self.settings.latent_dim, self.settings.levels
        if indices.ndim != 2 or indices.shape[1] != d or not len(indices):
            raise messages.wrong_indices(f"of shape {indices.shape}", d, levels)
        if indices.dtype != np.int32 or indices.min() < 0 or indices.max() >= levels:
            raise messages.wrong_indices(f"{indices.dtype} from {indices.min()} to {indices.max()}", d, levels)
        container.check_size(len(indices), d)

    @staticmethod
    def _seeds(seed: int | None) -> tuple[int, int]:
        """The seeds of the common and of the own randomness."""
        if seed is None:
            return secrets.randbits(64), secrets.randbits(64)
        if not 0 <= seed < 1 << 64:
            raise messages.wrong_seed(seed)
        return seed, seed

    def _dither(self, common: int, private: int, vector: int, n: int, start: int) -> torch.Tensor:
        """The dither (n, d) of the encoder (vector 0) or the decoder (vector 1), of images start, start + 1, ..."""
        u = randomness.dither(
            randomness.measurement_streams(private, 2)[vector],
            n,
            self.settings.latent_dim,
            self.settings.levels,
            start,
            shared=randomness.measurement_streams(common, 1)[0],
            shared_bits=self.settings.shared_bits,
        )
        return torch.from_numpy(u).to(self.device)


def _without_memory(folder: Path, settings: CellSettings) -> systems.System | None:
    """The system of a model's settings, whose tensors take no memory yet: a file may state any size.

    None for a mode that is not registered. EcotError for settings of no system.
    """
    if settings.mode not in MODES:
        return None
    levels = settings.levels
    if levels < 2 or levels & (levels - 1) or not 0 < settings.width <= WIDEST:
        raise messages.wrong_settings(folder, f"{levels} levels, width {settings.width:g}")
    try:
        with torch.device("meta"):
            return systems.build(settings)
    except (RuntimeError, ValueError, ZeroDivisionError) as error:
        raise messages.wrong_settings(folder, error) from None


def load(folder: str | Path, device: str = "cpu") -> Codec:
    """The codec of the model in `folder`: a cell of the store, or a model that the repository carries.

    The model need not be one that today's code would train. Raises EcotError if it is missing, damaged, or no code.
    """
    return Codec(Path(folder), torch.device(device))
