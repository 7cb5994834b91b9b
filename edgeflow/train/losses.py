"""Losses. All take logits, are computed in float32, and are means.

The mask's is RITM's normalised focal loss (Sofiiuk et al., arXiv:2102.06583; first in AdaptIS,
arXiv:1909.07829). Edge targets and their loss: class-balanced as in HED (arXiv:1504.06375).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

FOCAL_ALPHA = 0.5
FOCAL_GAMMA = 2.0
EPSILON = 1e-12


def normalised_focal_loss(logits: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Focal loss whose weights are scaled so that they sum up to the number of valid pixels.

    Args:
        logits: N×1×H×W.
        truth: N×1×H×W bool.
        valid: N×1×H×W bool; other pixels cost nothing.

    Returns:
        Scalar float32: the mean over samples of each one's mean over its valid pixels. The scale
        is not differentiated; pixels' own weights are.
    """
    logits = logits.float()
    counted = valid.float()
    log_pt = -F.softplus(torch.where(truth, -logits, logits))
    alpha = torch.where(truth, FOCAL_ALPHA, 1 - FOCAL_ALPHA)
    beta = (-torch.expm1(log_pt)).clamp_min(0) ** FOCAL_GAMMA * counted
    pixels = counted.sum(dim=(-2, -1), keepdim=True)
    scale = (pixels / (beta.sum(dim=(-2, -1), keepdim=True) + EPSILON)).detach()
    loss = -alpha * beta * scale * log_pt
    return (loss.sum(dim=(-3, -2, -1)) / pixels.clamp_min(1).flatten()).mean()


def cross_entropy(logits: Tensor, target: Tensor, valid: Tensor) -> Tensor:
    """Binary cross-entropy.

    Args:
        logits: N×1×H×W.
        target: N×1×H×W, bool or probabilities.
        valid: N×1×H×W bool.

    Returns:
        Scalar float32: the mean over samples of each one's mean over its valid pixels.
    """
    loss = F.binary_cross_entropy_with_logits(logits.float(), target.float(), reduction="none")
    return _mean(loss, valid)


def balanced_cross_entropy(logits: Tensor, truth: Tensor, valid: Tensor) -> Tensor:
    """Binary cross-entropy in which each sample's edge and non-edge pixels weigh the same.

    Args:
        logits: N×1×H×W.
        truth: N×1×H×W bool.
        valid: N×1×H×W bool.

    Returns:
        Scalar float32: the mean over samples of half the mean over edge pixels plus half the mean
        over the others.
    """
    loss = F.binary_cross_entropy_with_logits(logits.float(), truth.float(), reduction="none")
    return (_mean(loss, truth & valid) + _mean(loss, ~truth & valid)) / 2


def edge_target(truth: Tensor, width: int) -> Tensor:
    """The border of masks, as a band.

    Args:
        truth: N×1×H×W bool.
        width: Width of the band in pixels, odd; in its middle lie the object's outermost pixels.
            The view's own edge does not count as a border.

    Returns:
        N×1×H×W bool.
    """
    inside = truth.float()
    eroded = -F.max_pool2d(-inside, 3, stride=1, padding=1)
    border = inside - eroded
    return F.max_pool2d(border, width, stride=1, padding=width // 2) > 0


def _mean(loss: Tensor, counted: Tensor) -> Tensor:
    pixels = counted.sum(dim=(-3, -2, -1)).clamp_min(1)
    return ((loss * counted).sum(dim=(-3, -2, -1)) / pixels).mean()
