"""One step's loss, from a batch and its prompt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from edgeflow.nn.interface import NetworkOutput
from edgeflow.train.augment import Batch
from edgeflow.train.config import Losses
from edgeflow.train.losses import (
    balanced_cross_entropy,
    cross_entropy,
    edge_target,
    normalised_focal_loss,
)

GROUPS = 6
"""Position of the number of groups among the arguments of a convolution."""


def total_loss(
    output: NetworkOutput, batch: Batch, weights: Losses, teacher_mask: Tensor | None = None
) -> tuple[Tensor, dict[str, Tensor]]:
    """The weighted sum of all losses, and each of them unweighted.

    Args:
        output: Output of the network.
        batch: Batch with the truth.
        weights: Weights of the losses.
        teacher_mask: B×1×H×W, mask probability of a teacher.

    Returns:
        A float32 scalar, and detached float32 scalars by name.
    """
    truth, valid = batch.truth, batch.valid
    parts = {
        "mask": normalised_focal_loss(output.mask, truth, valid),
        "aux": cross_entropy(output.aux, truth, valid),
    }
    if weights.coarse:
        parts["coarse"] = normalised_focal_loss(output.coarse, truth, valid)
    if output.edge is not None:
        edges = edge_target(truth, weights.edge_width)
        parts["edge"] = balanced_cross_entropy(output.edge, edges, valid)
    if teacher_mask is not None:
        parts["teacher"] = cross_entropy(output.mask, teacher_mask, torch.ones_like(valid))
    total = torch.stack([getattr(weights, name) * loss for name, loss in parts.items()]).sum()
    return total, {name: loss.detach() for name, loss in parts.items()}


def mean_iou(logits: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Mean over samples of the mask's IoU, as a float32 scalar: a figure to watch."""
    predicted = (logits > 0) & valid
    truth = truth & valid
    inter = (predicted & truth).sum(dim=(1, 2, 3))
    union = (predicted | truth).sum(dim=(1, 2, 3)).clamp_min(1)
    return (inter / union).mean()


class _DepthwiseInFull(TorchFunctionMode):
    """Computes grouped convolutions in float32.

    On a CPU the gradient of a depthwise convolution takes several times longer in bfloat16
    (PyTorch 2.8, oneDNN), more than all other layers gain.
    """

    def __torch_function__(
        self,
        func: Callable[..., object],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        """Call the function, under no autocast if it is such a convolution."""
        if func is F.conv2d and len(args) > GROUPS and args[GROUPS] > 1:
            with torch.autocast("cpu", enabled=False):
                return func(args[0].float(), *args[1:], **(kwargs or {}))
        return func(*args, **(kwargs or {}))


@contextmanager
def autocast(device: torch.device, precision: str) -> Iterator[None]:
    """Run the network's layers in bfloat16 if the configuration says so."""
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16"):
        if precision == "bf16" and device.type == "cpu":
            with _DepthwiseInFull():
                yield
        else:
            yield


def keep_norms(network: nn.Module) -> None:
    """Put batch norms into evaluation mode, so that they keep their statistics."""
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.eval()
