"""The networks as tables, read off the modules themselves (Tables 12-15)."""

import importlib
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ecot.networks.decoder import ResidualBlock
from ecot.tasks import TASKS

# These follow a layer and are named with it, as in the paper's tables.
WITH_THE_LAYER_BEFORE = (nn.LeakyReLU, nn.BatchNorm1d, nn.BatchNorm2d, nn.Tanh, nn.Sigmoid)


@dataclass
class Layer:
    """One row: what the layer is, with what follows it, the shape of its output and its number of parameters."""

    network: str
    layer: str
    output: str
    parameters: int


def layers(task: str, mode: str, latent_dim: int, width: float) -> list[Layer]:
    """The layers of a task's networks, in the order of their computation.

    For `end_to_end`, those of encoder, decoder and critic; for `joint`, those of the encoder and of one branch's
    decoder.
    """
    made = importlib.import_module(TASKS[task].networks)
    x, z = torch.zeros(2, *TASKS[task].image_shape), torch.zeros(2, latent_dim)
    encoder = ("Encoder", made.encoder(latent_dim, width), x)
    if mode == "joint":
        networks = [encoder, ("Decoder 1 and 2", made.branch_decoder(latent_dim, width), z)]
    else:
        networks = [encoder, ("Decoder", made.decoder(latent_dim, width), z), ("Critic", made.critic(width), x)]
    return [layer for name, network, inputs in networks for layer in _layers(name, network, inputs)]


def _layers(name: str, network: nn.Module, inputs: Tensor) -> list[Layer]:
    found: list[Layer] = []

    def record(module: nn.Module, _inputs: Any, output: Tensor) -> None:
        parameters = sum(p.numel() for p in module.parameters())
        if isinstance(module, WITH_THE_LAYER_BEFORE):
            found[-1].layer += f", {type(module).__name__}"
            found[-1].parameters += parameters
        else:
            found.append(Layer(name, _describe(module), "x".join(map(str, output.shape[1:])), parameters))

    inner = {part for block in network.modules() if isinstance(block, ResidualBlock) for part in block.modules()}
    for module in network.modules():
        if isinstance(module, ResidualBlock) or (module not in inner and not list(module.children())):
            module.register_forward_hook(record)
    with torch.no_grad():
        network(inputs)
    return found


def _describe(module: nn.Module) -> str:
    kind = type(module).__name__
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        return f"{kind} {module.kernel_size[0]}x{module.kernel_size[1]}, stride {module.stride[0]}"
    if isinstance(module, ResidualBlock):
        return "ResBlock (two Conv2d 3x3 and a skip)"
    return kind
