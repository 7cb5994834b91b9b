"""PyTorch on the folded network: float32 or bfloat16, channels-last, any sides."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from edgeflow.nn.interface import Feedback
from edgeflow.runtime.base import StepOutput
from edgeflow.runtime.cuda import exact_float32
from edgeflow.runtime.cuda_replay import Recorder, Replayed, Step
from edgeflow.runtime.folding.bfloat16 import convolve_in_bfloat16
from edgeflow.runtime.folding.inference_network import InferenceNetwork

TorchPrecision = Literal["float32", "bfloat16"]


class FoldedTorchRuntime:
    """What :class:`~edgeflow.runtime.torch_eager.TorchRuntime` does, with less work.

    Args:
        network: as :data:`edgeflow.nn.registry.ARCHITECTURES` builds it, in evaluation mode. It is
            copied.
        device: where it runs.
        feedback: which of its outputs it wants to be fed at the next click.
        precision: of the convolutions; see :mod:`edgeflow.runtime.folding.bfloat16`.
        recorder: of the device, if steps are to be recorded and replayed.
    """

    def __init__(
        self,
        network: nn.Module,
        device: torch.device,
        *,
        feedback: Feedback,
        precision: TorchPrecision = "float32",
        recorder: Recorder | None = None,
    ) -> None:
        self._device = device
        self._feedback = feedback
        self._precision = precision
        inference = InferenceNetwork(network, feedback=feedback)
        if precision == "bfloat16":
            convolve_in_bfloat16(inference)
        self._network = inference.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._step: Step = Replayed(self._run, recorder) if recorder else self._run

    @property
    def name(self) -> str:
        """For example ``torch 2.13.0 cpu float32 folded``."""
        return f"torch {torch.__version__} {self._device} {self._precision} folded"

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
            return StepOutput(*self._step(image, prompt))

    def _run(self, image: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor]:
        mask, feedback = self._network(
            image.contiguous(memory_format=torch.channels_last),
            prompt.contiguous(memory_format=torch.channels_last),
        )
        return mask, feedback
