"""Adam (Kingma and Ba, 2015), its state open to be saved."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.optim.adam import adam


class Adam:
    """Steps of Adam on some parameters, by torch's own function.

    torch's optimiser objects import a compiler, which takes a second at the start of every job, and make their
    moments at the first step; here they are there from the start, to be saved and restored at any time.
    """

    def __init__(self, parameters: Sequence[Tensor], learning_rate: float, betas: tuple[float, float]) -> None:
        self.parameters = list(parameters)
        self.betas = betas
        self.means = [torch.zeros_like(p) for p in self.parameters]
        self.squares = [torch.zeros_like(p) for p in self.parameters]
        # On a GPU a captured step keeps the numbers that it was captured with, so rate and counts are tensors there.
        self.gpu = self.parameters[0].is_cuda
        device = self.parameters[0].device if self.gpu else torch.device("cpu")
        self.counts = [torch.zeros((), device=device) for _ in self.parameters]
        self.rate: float | Tensor = torch.tensor(learning_rate, device=device) if self.gpu else learning_rate

    def set_rate(self, rate: float) -> None:
        """The step size from now on."""
        if isinstance(self.rate, Tensor):
            self.rate.fill_(rate)
        else:
            self.rate = rate

    def descend(self, loss: Tensor) -> None:
        """One step down the gradient of a scalar, in these parameters alone."""
        gradients = list(torch.autograd.grad(loss, self.parameters))
        with torch.no_grad():
            adam(
                *(self.parameters, gradients, self.means, self.squares, [], self.counts),
                fused=True if self.gpu else None, capturable=self.gpu,
                lr=self.rate, beta1=self.betas[0], beta2=self.betas[1],
                eps=1e-8, weight_decay=0.0, amsgrad=False, maximize=False,
            )  # fmt: skip

    def tensors(self) -> dict[str, Tensor]:
        """All that a step changes beside the parameters, by name; the tensors themselves."""
        state = {"mean": self.means, "square": self.squares, "count": self.counts}
        return {
            f"{name}.{number}": tensor for name, tensors in state.items() for number, tensor in enumerate(tensors)
        }
