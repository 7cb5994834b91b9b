"""STAPLE: the mask that several annotators' masks make most probable.

After Warfield, Zou and Wells, "Simultaneous truth and performance level estimation", IEEE TMI 23
(2004): each annotator has a sensitivity and a specificity, found together with the mask by
expectation maximisation. Pixels are independent, as in the paper's section II without a random
field.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask
from edgeflow.masks.patch import mask_digest

START = 0.99999
"""Sensitivity and specificity to begin with, as in the paper."""

TOLERANCE = 1e-9
"""Largest change of a sensitivity or specificity at which it has converged."""

MAX_STEPS = 1000
_SURE = 1e-12
"""Probabilities stay this far from 0 and 1."""

_FloatArray = npt.NDArray[np.float64]


def staple(masks: Sequence[BoolMask]) -> BoolMask:
    """Pixels that more probably belong to the object than not.

    The prior probability of a pixel is the share of object in all masks, so that the background
    around the object counts: leave some, and not too much.

    Args:
        masks: One of each annotator, all H×W; at least one.
    """
    # Sums are rounded in their order: where annotators are alike, that would decide between them.
    masks = sorted(masks, key=mask_digest)
    few = len(masks) <= 16  # then NumPy sorts the votes many times as fast
    codes: npt.NDArray[Any] = np.zeros(masks[0].shape, dtype=np.uint16 if few else np.int64)
    for number, mask in enumerate(masks, start=1):
        codes = 2 * codes + mask
        if number % 30 == 0:  # patterns are no more than pixels: 30 further bits fit into 64
            codes = np.unique(codes, return_inverse=True)[1].reshape(codes.shape)
    # All pixels on which the same annotators drew have the same probability.
    _, first, pattern, counts = np.unique(
        codes, return_index=True, return_inverse=True, return_counts=True
    )
    votes = np.stack([mask.ravel()[first] for mask in masks]).astype(np.float64)
    inside: BoolMask = _probability(votes, counts.astype(np.float64)) > 0.5
    whole: BoolMask = inside[pattern.reshape(codes.shape)]
    return whole


def _probability(votes: _FloatArray, counts: _FloatArray) -> _FloatArray:
    """Of each pattern of votes, that its pixels belong to the object.

    Args:
        votes: R×K, 1 where the annotator's mask has the pattern's pixels.
        counts: K, pixels of each pattern.
    """
    prior = _unsure(np.average(votes.mean(axis=0), weights=counts))
    sensitivity = specificity = np.full(len(votes), START)
    inside: _FloatArray = votes.mean(axis=0)
    for _ in range(MAX_STEPS):
        yes = np.log(prior) + np.log(sensitivity) @ votes + np.log1p(-sensitivity) @ (1 - votes)
        no = np.log1p(-prior) + np.log1p(-specificity) @ votes + np.log(specificity) @ (1 - votes)
        inside = 1 / (1 + np.exp(np.clip(no - yes, -700, 700)))
        weights, against = inside * counts, (1 - inside) * counts
        before = np.concatenate([sensitivity, specificity])
        sensitivity = _unsure(votes @ weights / max(weights.sum(), _SURE))
        specificity = _unsure((1 - votes) @ against / max(against.sum(), _SURE))
        if np.abs(np.concatenate([sensitivity, specificity]) - before).max() < TOLERANCE:
            break
    return inside


def _unsure(probability: _FloatArray) -> _FloatArray:
    clipped: _FloatArray = np.clip(probability, _SURE, 1 - _SURE)
    return clipped
