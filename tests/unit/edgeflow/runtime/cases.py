"""Inputs, and the reference that runtimes are held against."""

from __future__ import annotations

import torch
from torch import Tensor

from edgeflow.checkpoints.checkpoint import Checkpoint
from edgeflow.runtime.base import StepOutput
from edgeflow.runtime.torch_eager import TorchRuntime

CPU = torch.device("cpu")
ARCHITECTURES = ("edgeflow_lite", "edgeflow_hrnet", "ritm_hrnet")


def step_input(height: int = 64, width: int = 96, batch: int = 1) -> tuple[Tensor, Tensor]:
    """An image with some structure, a map that was fed back, and disks; another one an image."""
    coarse = torch.rand(batch, 3, height // 16 + 1, width // 16 + 1)
    image = torch.nn.functional.interpolate(coarse, size=(height, width), mode="bilinear")
    prompt = torch.zeros(batch, 3, height, width)
    prompt[:, 0] = torch.rand(batch, height, width)
    prompt[:, 1, height // 3 : height // 3 + 9, width // 3 : width // 3 + 9] = 1
    prompt[:, 2, :5, :5] = 1
    return image, prompt


def reference_of(checkpoint: Checkpoint) -> TorchRuntime:
    """The published modules as they are."""
    return TorchRuntime(checkpoint.load(), CPU)


def logit_difference(one: StepOutput, other: StepOutput) -> float:
    """Largest difference of mask or feedback logits within ±4.6, where float32 tells 1e-5 apart."""
    pairs = zip(one, other, strict=True)
    return max(float((a.logit(1e-2) - b.logit(1e-2)).abs().max()) for a, b in pairs)


def iou(one: Tensor, other: Tensor) -> float:
    """IoU of two masks given as probabilities; 1 where both are empty."""
    a, b = one > 0.5, other > 0.5
    union = int((a | b).sum())
    return int((a & b).sum()) / union if union else 1.0
