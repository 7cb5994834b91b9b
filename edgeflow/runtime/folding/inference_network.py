"""What a runtime executes: (image, prompt) to two probabilities, and nothing beside them."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from edgeflow.nn.blocks.layers import resize
from edgeflow.nn.edgeflow import EdgeFlow
from edgeflow.nn.interface import Feedback, NetworkOutput
from edgeflow.nn.lite import EdgeFlowLite
from edgeflow.nn.ritm import RITM
from edgeflow.runtime.folding.fold import fold
from edgeflow.runtime.folding.modules import widened


class InferenceNetwork(nn.Module):
    """A folded network as a graph of two inputs and two outputs.

    Args:
        network: one of :data:`edgeflow.nn.registry.ARCHITECTURES` with its weights, in evaluation
            mode; it is copied. Another network runs whole.
        feedback: which of its outputs it is fed at the next click.
    """

    def __init__(self, network: nn.Module, *, feedback: Feedback) -> None:
        super().__init__()
        self.network = fold(network)
        self.feedback = feedback

    def forward(self, image: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor]:
        """One step.

        Args:
            image: N×3×h×w float32 RGB in [0, 1].
            prompt: N×3×h×w float32: previous map, positive disks, negative disks.

        Returns:
            Mask and feedback, each N×1×h×w probabilities.

        Raises:
            ValueError: the network has no edges to feed back.
        """
        mask, edge = _step(self.network, image, prompt)
        mask = widened(mask).sigmoid()
        if self.feedback == "mask":
            return mask, mask
        if edge is None:
            raise ValueError("the network has no edges to feed back")
        return mask, edge


def _step(network: nn.Module, image: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor | None]:
    """Mask logits and edge probability; each forward pass here is its network's without ``aux``."""
    if isinstance(network, EdgeFlowLite):
        return _lite(network, image, prompt)
    if isinstance(network, EdgeFlow):
        return _edgeflow(network, image, prompt)
    if isinstance(network, RITM):
        return _ritm(network, image, prompt), None
    output: NetworkOutput = network(image, prompt)
    return output.mask, None if output.edge is None else output.edge.sigmoid()


def _lite(network: EdgeFlowLite, image: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor]:
    size = image.shape[-2:]
    levels, guide = network.encode(image, network.prompt_stem(prompt))
    features, _ = network.late_fusion(guide, network.neck(levels))
    head = network.coarse(features)
    edge = widened(resize(network.edge(head.before, head.after), size)).sigmoid()
    coarse = resize(head.coarse, size)
    fine = network.fine(
        torch.cat((network.normalise(image), prompt, coarse.sigmoid(), edge), dim=1)
    )
    return coarse + fine, edge


def _edgeflow(network: EdgeFlow, image: Tensor, prompt: Tensor) -> tuple[Tensor, Tensor]:
    size = image.shape[-2:]
    image = network.normalise(image)
    guide = network.prompt_stem(prompt)
    x, guide = network.middle_fusion(guide, network.backbone.stem(image, guide))
    features, _ = network.late_fusion(guide, network.backbone.branches(x))
    head = network.coarse(features)
    edge = widened(resize(network.edge(head.before, head.after), size)).sigmoid()
    coarse = resize(head.coarse, size).sigmoid()
    return network.fine(torch.cat((image, prompt, coarse, edge), dim=1)), edge


def _ritm(network: RITM, image: Tensor, prompt: Tensor) -> Tensor:
    x = network.backbone.stem(network.normalise(image), network.prompt_stem(prompt))
    return resize(network.coarse(network.backbone.branches(x)).coarse, image.shape[-2:])
