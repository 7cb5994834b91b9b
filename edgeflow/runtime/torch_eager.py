"""The reference runtime: eager PyTorch, float32, channels-last."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgeflow.nn.interface import Feedback, NetworkOutput
from edgeflow.runtime.base import StepOutput
from edgeflow.runtime.cuda import exact_float32


class TorchRuntime:
    """Runs a network as it stands. The network must be in evaluation mode; it is not copied.

    Args:
        network: as :data:`edgeflow.nn.registry.ARCHITECTURES` builds it.
        device: where it runs.
        feedback: which of its outputs it wants to be fed at the next click.
    """

    def __init__(self, network: nn.Module, device: torch.device, *, feedback: Feedback) -> None:
        self._device = device
        self._feedback = feedback
        self._network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def name(self) -> str:
        """For example ``torch 2.13.0 cpu float32``."""
        return f"torch {torch.__version__} {self._device} float32"

    @property
    def device(self) -> torch.device:
        """Where inputs are expected and outputs lie."""
        return self._device

    @property
    def feedback(self) -> Feedback:
        """Which of its outputs the network is fed at the next click."""
        return self._feedback

    @torch.inference_mode()
    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        """One network step; see :class:`edgeflow.runtime.base.Runtime`.

        Raises:
            ValueError: the network has no edges to feed back.
        """
        with exact_float32(self._device):
            output: NetworkOutput = self._network(
                image.contiguous(memory_format=torch.channels_last),
                prompt.contiguous(memory_format=torch.channels_last),
            )
        mask = output.mask.sigmoid()
        if self._feedback == "mask":
            return StepOutput(mask, mask)
        if output.edge is None:
            raise ValueError("the network has no edges to feed back")
        return StepOutput(mask, output.edge.sigmoid())
