"""Predictors of weights that are not stored yet, one at a time in memory."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from edgeflow.arrays import BoolMask
from edgeflow.checkpoints.checkpoint import Checkpoint, load_tensors
from edgeflow.data.base import Sample
from edgeflow.geometry import Size
from edgeflow.inference.predictor import Predictor
from edgeflow.inference.zoom import ZoomPolicy
from edgeflow.label_studio.values import PercentPoint
from edgeflow.learning.accepted import AcceptedObject
from edgeflow.prompts.click import Click
from edgeflow.runtime.torch_folded import FoldedTorchRuntime

REPLAYED = 0.75
"""IoU from which on clicks have made a mask: other weights, or a clean-up, may have made it."""


def predictor_of(
    base: Checkpoint, policy: ZoomPolicy, tensors: Mapping[str, Tensor] | None = None
) -> Predictor:
    """A predictor by PyTorch on the CPU, the same on every processor.

    Args:
        base: Weights, and the network.
        policy: How the image is zoomed.
        tensors: Other weights of that network; they are rounded to half precision, as they are
            stored.

    Raises:
        CheckpointError: The weights cannot be used.
    """
    network, version = base.load(), base.version
    if tensors is not None:
        version = f"{base.name}-candidate"
        rounded = {
            name: tensor.half().float() if tensor.is_floating_point() else tensor
            for name, tensor in tensors.items()
            if not name.endswith("num_batches_tracked")
        }
        load_tensors(network, rounded, source="what was learnt")
    runtime = FoldedTorchRuntime(network, torch.device("cpu"))
    return Predictor(runtime, version=version, policy=policy, calibration=base.entry.calibration)


def replays(predictor: Predictor, sample: Sample, accepted: AcceptedObject, mask: BoolMask) -> bool:
    """Whether an object's recorded clicks make its mask.

    Args:
        predictor: The base weights.
        sample: Its picture.
        accepted: The object.
        mask: Its mask, H×W at the picture's size.
    """
    if accepted.start != "clicks" or not accepted.clicks:
        return False
    size = Size(*mask.shape)
    clicks = [Click(PercentPoint(x, y).to_image(size), sign) for x, y, sign in accepted.clicks]
    made = predictor.predict(predictor.encode(sample.rgb), clicks).mask
    union = int((made | mask).sum())
    return bool(union and (made & mask).sum() >= REPLAYED * union)
