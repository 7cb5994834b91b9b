"""What a runtime executes: (image, prompt) to two probabilities."""

from __future__ import annotations

from torch import Tensor, nn

from edgeflow.nn.interface import ClickNetwork
from edgeflow.runtime.base import StepOutput
from edgeflow.runtime.folding.fold import fold
from edgeflow.runtime.folding.modules import widened


class InferenceNetwork(nn.Module):
    """A folded network with two inputs and two outputs.

    Args:
        network: Network with its weights, in evaluation mode. It is copied.
    """

    def __init__(self, network: ClickNetwork) -> None:
        super().__init__()
        self.network = fold(network)

    def forward(self, image: Tensor, prompt: Tensor) -> StepOutput:
        """One step.

        Args:
            image: N×3×h×w float32 RGB in [0, 1].
            prompt: N×3×h×w float32: previous map, positive disks, negative disks.

        Raises:
            ValueError: The network has no edges to feed back.
        """
        mask, edge = self.network.infer(image, prompt)
        return StepOutput.from_logits(
            widened(mask), None if edge is None else widened(edge), self.network.feedback
        )
