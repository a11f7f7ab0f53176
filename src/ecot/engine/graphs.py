"""CUDA graphs: a whole training step, captured once and replayed with one launch."""

import dataclasses
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from ecot.engine.feed import Batch

WARM_UPS = 3  # steps before the capture, in which the libraries choose and allocate


class Captured:
    """A step as a CUDA graph on buffers of its own, into which each batch is copied.

    `changed` are the tensors that the step changes. Warming up takes real steps; they are put back
    afterwards, so that the first replay is the first step.
    """

    def __init__(
        self, step: Callable[[Batch], dict[str, Tensor]], example: Batch, changed: Mapping[str, Tensor]
    ) -> None:
        self.buffers = Batch(**{name: tensor.clone() for name, tensor in _fields(example).items()})
        before = {name: tensor.clone() for name, tensor in changed.items()}
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(WARM_UPS):
                step(self.buffers)
        torch.cuda.current_stream().wait_stream(side)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.values = step(self.buffers)
        for name, tensor in changed.items():
            tensor.copy_(before[name])

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        """Take the step; the returned tensors hold its values until the next replay."""
        for buffer, tensor in zip(_fields(self.buffers).values(), _fields(batch).values(), strict=True):
            buffer.copy_(tensor)
        self.graph.replay()
        return self.values


def _fields(batch: Batch) -> dict[str, Tensor]:
    return {field.name: getattr(batch, field.name) for field in dataclasses.fields(batch)}
