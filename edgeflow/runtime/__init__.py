"""How a network is executed: one small protocol, one module a runtime."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from edgeflow.nn.interface import Feedback


class StepOutput(NamedTuple):
    """Probabilities of one step, each 1×1×h×w float32 on the runtime's device.

    Attributes:
        mask: of the object.
        feedback: what the network wants to be fed at the next click: its edges or its mask.
    """

    mask: Tensor
    feedback: Tensor


class Runtime(Protocol):
    """Executes one network on one device; safe to call from several threads."""

    @property
    def name(self) -> str:
        """Runtime, device and precision, as printed beside every figure."""
        ...

    @property
    def device(self) -> torch.device:
        """Where inputs are expected and outputs lie."""
        ...

    @property
    def feedback(self) -> Feedback:
        """Which of its outputs the network is fed at the next click."""
        ...

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        """One network step.

        Args:
            image: 1×3×h×w float32 RGB in [0, 1].
            prompt: 1×3×h×w float32: previous map, positive disks, negative disks.
        """
        ...
