"""Convolutions in bfloat16.

Like autocast, but weights are cast once. Operations between two convolutions run in bfloat16, too,
except for those that need more precision: the input's grey levels, positions on feature maps
(:func:`edgeflow.runtime.folding.modules.warp`) and the output's probabilities.
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
