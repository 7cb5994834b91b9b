"""Comparison of a runtime with PyTorch on one small synthetic image."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from edgeflow.masks.patch import MASK_THRESHOLD
from edgeflow.runtime.base import Runtime, StepOutput

LOGIT_LIMIT = 6.9
"""Clips probabilities to .001 and .999: float32 has no exact logits beyond."""

_EDGE = 1 / (1 + math.exp(LOGIT_LIMIT))
_HEIGHT, _WIDTH = 96, 128


@dataclass(frozen=True)
class Probe:
    """An input and PyTorch's output for it; shapes as in :meth:`.Runtime.run`."""

    image: Tensor
    prompt: Tensor
    mask: Tensor
    feedback: Tensor

    @classmethod
    def of(cls, reference: Runtime) -> Probe:
        """Run the reference on the probe input."""
        image, prompt = probe_input()
        output = reference.run(image.to(reference.device), prompt.to(reference.device))
        return cls(image, prompt, output.mask.cpu(), output.feedback.cpu())


@dataclass(frozen=True)
class Agreement:
    """How close a runtime's output is to PyTorch's.

    Attributes:
        iou: IoU of the two masks; 1 if both are empty.
        logit_difference: Largest difference of mask or feedback logits, within ±6.9.
    """

    iou: float
    logit_difference: float

    def __str__(self) -> str:
        return (
            f"probe against PyTorch: mask IoU {self.iou:.4f}, "
            f"largest logit difference {self.logit_difference:.1e}"
        )

    def reaches(self, least: Agreement) -> bool:
        """Whether neither figure is worse than the one of ``least``."""
        return self.iou >= least.iou and self.logit_difference <= least.logit_difference

    @classmethod
    def of(cls, runtime: Runtime, probe: Probe, times: int = 1) -> Agreement:
        """Run the probe input one or more times; the worst value of each figure counts.

        A NaN makes the difference infinite.
        """
        image, prompt = (x.to(runtime.device) for x in (probe.image, probe.prompt))
        expected = StepOutput(probe.mask, probe.feedback)
        runs = [cls.between(runtime.run(image, prompt), expected) for _ in range(times)]
        iou, difference = min(run.iou for run in runs), max(run.logit_difference for run in runs)
        return cls(iou, difference)

    @classmethod
    def between(cls, output: StepOutput, reference: StepOutput) -> Agreement:
        """Compare two outputs of one size."""
        mask, expected_mask = (
            output.mask.cpu() > MASK_THRESHOLD,
            reference.mask.cpu() > MASK_THRESHOLD,
        )
        union = int((mask | expected_mask).sum())
        iou = int((mask & expected_mask).sum()) / union if union else 1.0
        differences = [
            (_logits(values) - _logits(expected)).abs().max()
            for values, expected in zip(output, reference, strict=True)
        ]
        largest = float(torch.stack(differences).max())
        return cls(iou, float("inf") if math.isnan(largest) else largest)


def probe_input() -> tuple[Tensor, Tensor]:
    """A bright disk on a gradient, and a click in its middle: image and prompt, 1×3×96×128."""
    rows = torch.arange(_HEIGHT).view(-1, 1).expand(-1, _WIDTH)
    cols = torch.arange(_WIDTH).view(1, -1).expand(_HEIGHT, -1)
    distance = ((rows - _HEIGHT / 2) ** 2 + (cols - _WIDTH / 2) ** 2).sqrt()
    background = torch.stack((rows / _HEIGHT, cols / _WIDTH, (rows + cols) % 16 / 16)) / 2
    disk = torch.tensor((0.9, 0.7, 0.2)).view(3, 1, 1)
    image = torch.where(distance < _HEIGHT / 3, disk, background)[None].contiguous()
    click = (distance <= 5).float()
    prompt = torch.stack((torch.zeros_like(click), click, torch.zeros_like(click)))[None]
    return image, prompt


def _logits(probability: Tensor) -> Tensor:
    return probability.float().cpu().logit(_EDGE)
