"""Measuring one model on the test set: the code from which everything that decides a measurement is reached."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ecot import systems
from ecot.coding import container, entropy, randomness
from ecot.evaluation import messages
from ecot.evaluation.degraded import batches
from ecot.evaluation.law import TargetLaw
from ecot.grid.cell_settings import CellSettings, MeasurementSettings
from ecot.systems.objectives import squared_error

BATCH = 500  # images at a time: bounds memory; results depend on it only through the order of summation


@dataclass(frozen=True)
class Measurement:
    """What is measured of a model: the value of each quantity, and the first images for a picture.

    The images are float32 (n_samples, c, h, w) in [0, 1], except that X may lie outside: `x` degraded, `y` clean,
    `output` reconstructed.
    """

    quantities: dict[str, float]
    n_test: int
    samples: dict[str, NDArray[np.float32]]


def measure(
    settings: CellSettings,
    tensors: dict[str, Tensor],
    law: TargetLaw,
    measurement: MeasurementSettings,
    device: torch.device,
    frequencies: entropy.Frequencies | None = None,
) -> Measurement:
    """Measure the model with these tensors on the test set of `law`.

    Of a code with these `frequencies` the measured rates are among the quantities.

    The system is in evaluation mode. Noise and dither are fixed by `measurement.seed` and are the same in every cell,
    so that cells are compared on equal draws. Raises ValueError if an output is not finite.
    """
    system = systems.build(settings).to(device)
    system.load_state_dict(tensors)
    system.eval()
    images = law.split.images
    sums: dict[str, float] = {}
    outputs: list[Tensor] = []
    codes: list[NDArray[np.int32]] = []
    samples: dict[str, NDArray[np.float32]] = {}
    for batch in batches(
        images,
        settings.degradation,
        measurement.seed,
        BATCH,
        dithers=settings.dithers,
        latent_dim=settings.latent_dim,
        levels=settings.levels,
        shared_bits=settings.shared_bits,
        convert=lambda array: torch.from_numpy(array).to(device),
    ):
        with torch.no_grad():
            outcome = system(batch.x, batch.u)
        output = outcome.output
        if not bool(torch.isfinite(output).all()):
            raise messages.not_finite()
        outputs.append(output)
        if outcome.code is not None:
            codes.append(outcome.code.indices.cpu().numpy().astype(np.int32))
        errors = {"mse_input": squared_error(batch.x, output), "mse_target": squared_error(batch.y, output)}
        if outcome.reported:  # the decomposition (18); the single term of the other modes stands in no table
            errors |= outcome.terms | outcome.reported
        for name, error in errors.items():
            sums[name] = sums.get(name, 0.0) + float(error) * len(output)
        if not samples:
            shown = {"x": batch.x, "y": batch.y, "output": output}
            samples = {name: part[: measurement.n_samples].cpu().numpy() for name, part in shown.items()}
    means = {name: total / len(images) for name, total in sums.items()}
    if frequencies is not None:
        means |= rates(settings, np.concatenate(codes), frequencies, measurement.seed)
    return Measurement(means | law.scores(torch.cat(outputs)), len(images), samples)


def rates(
    settings: CellSettings, indices: NDArray[np.int32], frequencies: entropy.Frequencies, seed: int
) -> dict[str, float]:
    """The measured rates of the indices (n, d) of the test set, in bits per image.

    `cross_entropy_bits`: their ideal length by the coder's frequencies, given the bits of the shared dither on which
    these depend. `file_bits`: the size of one file with all of them, its header included.
    """
    n, d = indices.shape
    (stream,) = randomness.measurement_streams(seed, 1)
    contexts = randomness.leading_bits(stream, n, d, entropy.context_bits(settings.shared_bits, settings.levels))
    size = len(entropy.encode(indices, contexts, frequencies)) + container.overhead(settings.task)
    return {
        "cross_entropy_bits": entropy.code_length(indices, contexts, frequencies) / n,
        "file_bits": 8 * size / n,
    }
