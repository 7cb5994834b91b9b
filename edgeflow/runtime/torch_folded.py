"""Eager PyTorch on the folded network: float32, channels-last, any sides."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgeflow.nn.interface import Feedback
from edgeflow.runtime import StepOutput
from edgeflow.runtime.inference import InferenceNetwork


class FoldedTorchRuntime:
    """What :class:`~edgeflow.runtime.torch_eager.TorchRuntime` does, with less work.

    Args:
        network: as :data:`edgeflow.nn.registry.ARCHITECTURES` builds it, in evaluation mode. It is
            copied.
        device: where it runs.
        feedback: which of its outputs it wants to be fed at the next click.
    """

    def __init__(self, network: nn.Module, device: torch.device, *, feedback: Feedback) -> None:
        self._device = device
        self._feedback = feedback
        inference = InferenceNetwork(network, feedback=feedback)
        self._network = inference.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def name(self) -> str:
        """For example ``torch 2.13.0 cpu float32 folded``."""
        return f"torch {torch.__version__} {self._device} float32 folded"

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
        """One network step; see :class:`edgeflow.runtime.Runtime`.

        Raises:
            ValueError: the network has no edges to feed back.
        """
        mask, feedback = self._network(
            image.contiguous(memory_format=torch.channels_last),
            prompt.contiguous(memory_format=torch.channels_last),
        )
        return StepOutput(mask, feedback)
