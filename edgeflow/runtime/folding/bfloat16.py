"""A network whose convolutions compute in bfloat16.

Like autocast, but weights are cast once. What lies between two convolutions takes their precision;
what needs more has it: the grey levels that enter, positions on feature maps
(:func:`edgeflow.runtime.folding.modules.warp`) and the probabilities that leave.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


def convolve_in_bfloat16(network: nn.Module) -> None:
    """Change the convolutions of a folded network, and its learned activations, in place."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.PReLU)):
            module.to(torch.bfloat16)
            module.register_forward_pre_hook(_cast)


def _cast(_: nn.Module, operands: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return tuple(operand.to(torch.bfloat16) for operand in operands)
