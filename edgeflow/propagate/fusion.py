"""Three witnesses of where an object is: the flow, the network, and the colours."""

from __future__ import annotations

import cv2
import numpy as np

from edgeflow.arrays import BoolMask, FloatMap
from edgeflow.masks.patch import MASK_THRESHOLD

LEAST_FLOW, MOST_FLOW = 0.55, 0.85
"""Weight of a trusted flow against the network: where the network knows the object, and where not.
"""

UNKNOWN, KNOWN = 0.6, 0.9
"""IoU of the network's own mask with the one on the first page: the object is unknown, or known."""

COLOUR = 0.2
"""Weight of the colours' evidence."""

GROWTH = 1.0
"""Evidence against a pixel that the object could only reach by growing twice as far as is usual."""

USUAL = 0.06
"""How far an object grows from page to page, over the square root of its area."""

NEARLY = 1e-3


def fuse(
    seen: FloatMap, carried: FloatMap, trust: FloatMap, evidence: FloatMap, reliability: float
) -> FloatMap:
    """Where the object is, after all.

    Args:
        seen: Probability that the network sees, h×w float32.
        carried: Mask that the flow brings, h×w float32, 0 to 1.
        trust: In the flow, h×w float32, 0 to 1.
        evidence: Of the colours, h×w float32, logarithm of a ratio.
        reliability: IoU of the network's own mask of the first page with the one given.

    Returns:
        Probability, h×w float32; 0 in pieces that nothing was carried to.
    """
    doubt = min(max((KNOWN - reliability) / (KNOWN - UNKNOWN), 0.0), 1.0)
    weight = (LEAST_FLOW + (MOST_FLOW - LEAST_FLOW) * doubt) * trust
    soft = np.clip(cv2.GaussianBlur(carried, (0, 0), 1.0), 0, 1)
    both = np.clip((1 - weight) * seen + weight * soft, NEARLY, 1 - NEARLY)
    logit = np.log(both / (1 - both)) + COLOUR * evidence - GROWTH * _beyond(carried)
    fused: FloatMap = (1 / (1 + np.exp(-logit))).astype(np.float32)
    fused[~touching(fused > MASK_THRESHOLD, carried > MASK_THRESHOLD)] = 0
    return fused


def _beyond(carried: FloatMap) -> FloatMap:
    """How much farther a pixel lies from what was carried than objects grow: 0 to 3 times."""
    away = cv2.distanceTransform((carried <= MASK_THRESHOLD).astype(np.uint8), cv2.DIST_L2, 5)
    usual = max(USUAL * float(np.sqrt((carried > MASK_THRESHOLD).sum())), 1.0)
    beyond: FloatMap = np.clip(away / usual - 1, 0, 3).astype(np.float32)
    return beyond


def touching(found: BoolMask, other: BoolMask) -> BoolMask:
    """The components of an h×w mask that touch another one; outside the mask all is true."""
    _, labels = cv2.connectedComponents(found.astype(np.uint8))
    kept = np.unique(labels[other & found])
    touched: BoolMask = np.isin(labels, kept) | ~found
    return touched
