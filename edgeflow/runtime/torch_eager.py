"""The reference runtime: eager PyTorch, float32, channels-last."""

from __future__ import annotations

import torch
from torch import Tensor

from edgeflow.nn.interface import ClickNetwork, NetworkOutput
from edgeflow.runtime.base import StepOutput
from edgeflow.runtime.devices import exact_float32


class TorchRuntime:
    """Runs a network's own forward pass, unfolded.

    Args:
        network: Network in evaluation mode. It is moved to the device, not copied.
        device: Device to run on.
    """

    def __init__(self, network: ClickNetwork, device: torch.device) -> None:
        self.name = f"torch {torch.__version__} {device} float32"
        self.device = device
        self.feedback = network.feedback
        self._network = network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @torch.inference_mode()
    def run(self, image: Tensor, prompt: Tensor) -> StepOutput:
        """One network step; see :meth:`.Runtime.run`.

        Raises:
            ValueError: The network has no edges to feed back.
        """
        with exact_float32(self.device):
            output: NetworkOutput = self._network(
                image.contiguous(memory_format=torch.channels_last),
                prompt.contiguous(memory_format=torch.channels_last),
            )
        return StepOutput.from_logits(output.mask, output.edge, self.feedback)
