"""How a network is executed: one small protocol, one module a runtime."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from edgeflow.errors import EdgeFlowError
from edgeflow.nn.interface import Feedback


class RuntimeUnavailableError(EdgeFlowError):
    """A runtime that does not start here, or does not do here what it is asked for."""

    code = "runtime"


class StepOutput(NamedTuple):
    """Probabilities of one step, each N×1×h×w float32 on the runtime's device.

    Attributes:
        mask: of the object.
        feedback: what the network wants to be fed at the next click: its edges or its mask.
    """

    mask: Tensor
    feedback: Tensor


class Runtime(Protocol):
    """Executes one network on one device; safe to call from several threads.

    Each image of a batch gets what it would get alone, up to rounding.
    """

    @property
    def name(self) -> str:
        """Runtime, version, device and the precision executed, as printed beside every figure."""
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
            image: N×3×h×w float32 RGB in [0, 1], on the runtime's device. Graph runtimes
                (OpenVINO, ONNX Runtime) take sides that are multiples of 32 only.
            prompt: N×3×h×w float32, likewise: previous map, positive disks, negative disks.

        Raises:
            ValueError: sides that this runtime does not take.
        """
        ...
