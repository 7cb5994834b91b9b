"""Everything random in a training step, so that a step can be repeated."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import torch
from torch import Generator, Tensor


@dataclass(frozen=True)
class Chance:
    """The randomness of one step.

    Attributes:
        host: Source of choices that shape the work.
        device: Source of everything inside tensors.
    """

    host: Random
    device: Generator

    @classmethod
    def of_step(cls, seed: int, rank: int, step: int, device: torch.device) -> Chance:
        """The randomness of one step of one process; dropout's, PyTorch's own, is set with it."""
        host = Random(f"{seed}|{rank}|{step}")  # noqa: S311 - nothing to keep secret
        torch.manual_seed(host.getrandbits(63))
        return cls(host, Generator(device).manual_seed(host.getrandbits(63)))


def happens(count: int, share: float, generator: Generator) -> Tensor:
    """Whether something that is this likely happens to each sample: B bool on the device."""
    return torch.rand(count, generator=generator, device=generator.device) < share


def uniform(shape: tuple[int, ...], low: float, high: float, generator: Generator) -> Tensor:
    """Float32 numbers between ``low`` and ``high`` on the device."""
    unit = torch.rand(shape, generator=generator, device=generator.device)
    return low + (high - low) * unit
