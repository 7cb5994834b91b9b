"""The interface of runtimes, which execute a network; one module a runtime."""

from __future__ import annotations

from typing import Literal, NamedTuple, Protocol

import torch
from torch import Tensor
from typing_extensions import Self

from edgeflow.errors import EdgeFlowError
from edgeflow.nn.interface import Feedback

Precision = Literal["float32", "bfloat16"]
"""Precision of a network's convolutions; inputs, outputs and stored weights are float32."""


class RuntimeUnavailableError(EdgeFlowError):
    """A runtime that does not start on this machine, or not with these weights or options."""

    code = "runtime"


class StepOutput(NamedTuple):
    """Probabilities of one step, each N×1×h×w float32 on the runtime's device.

    Attributes:
        mask: Probability of the object.
        feedback: What the network is fed at the next click: its edges or its mask.
    """

    mask: Tensor
    feedback: Tensor

    @classmethod
    def from_logits(cls, mask: Tensor, edge: Tensor | None, feedback: Feedback) -> Self:
        """The probabilities of a network's logits, each N×1×h×w.

        Raises:
            ValueError: The network has no edges to feed back.
        """
        mask = mask.sigmoid()
        if feedback == "mask":
            return cls(mask, mask)
        if edge is None:
            raise ValueError("the network has no edges to feed back")
        return cls(mask, edge.sigmoid())


class Runtime(Protocol):
    """Executes one network on one device; safe to call from several threads.

    Each image of a batch gets what it would get alone, up to rounding.
    """

    @property
    def name(self) -> str:
        """Runtime, version, device and executed precision, as printed beside every figure."""
        ...

    @property
    def device(self) -> torch.device:
        """Device where inputs are expected and outputs lie."""
        ...

    @property
    def feedback(self) -> Feedback:
        """Output that the network is fed at the next click."""
        ...

    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        """One network step.

        Args:
            image: N×3×h×w float32 RGB in [0, 1], on the runtime's device. Graph runtimes
                (OpenVINO, ONNX Runtime) only take sides that are multiples of 32.
            prompt: N×3×h×w float32 on the same device: previous map, positive disks, negative
                disks.

        Raises:
            ValueError: The runtime does not take these sides.
        """
        ...
