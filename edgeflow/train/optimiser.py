"""AdamW, its learning rate over time, and the moving average of the weights."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from edgeflow.nn.interface import ClickNetwork
from edgeflow.train.config import Optimiser


def make_optimiser(network: ClickNetwork, options: Optimiser) -> torch.optim.AdamW:
    """AdamW with four groups: encoder or not, decayed or not. Biases and norms are not decayed."""
    groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        key = name.startswith(network.encoder_prefix), parameter.ndim > 1
        groups.setdefault(key, []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "weight_decay": options.weight_decay if decayed else 0.0,
                "factor": options.encoder if encoder else 1.0,
            }
            for (encoder, decayed), parameters in sorted(groups.items())
        ],
        lr=options.rate,
        betas=options.betas,
    )


def rate_at(options: Optimiser, step: int, progress: float) -> float:
    """The learning rate: a linear rise, then a cosine.

    Args:
        options: Highest rate, steps of the rise and end of the cosine.
        step: Number of the step, from 0.
        progress: Share of the run that is over, 0 to 1.
    """
    rise = min(1.0, (step + 1) / options.warm_up) if options.warm_up else 1.0
    cosine = (1 + math.cos(math.pi * min(progress, 1.0))) / 2
    return options.rate * rise * (options.floor + (1 - options.floor) * cosine)


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Set every group's learning rate."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group["factor"]


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Move an averaged network towards the trained one; faster in the first steps.

    Args:
        average: Averaged network, changed in place, statistics of batch norms included.
        network: Trained network after ``step``.
        decay: Decay of the average.
        step: Number of the step, from 0.
    """
    weight = 1 - min(decay, (1 + step) / (10 + step))
    mine, other = list(_floats(average)), list(_floats(network))
    torch._foreach_lerp_(mine, other, weight)


def _floats(network: nn.Module) -> Iterable[Tensor]:
    return (tensor for tensor in network.state_dict().values() if tensor.is_floating_point())
