"""The simulated annotator: where it clicks next.

It is exactly RITM's (Sofiiuk et al., arXiv:2102.06583, section 5, and its published evaluation), so
that figures can be compared with published ones.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from edgeflow.arrays import BoolMask, FloatMap
from edgeflow.geometry import ImagePoint
from edgeflow.prompts.click import Click

Aim = Callable[[FloatMap], tuple[int, int]]
"""From the depth of each pixel within errors of one kind, H×W, 0 outside them and where a click was
made, not 0 everywhere, to the row and column to click: a pixel that is not 0."""


def deepest(depth: FloatMap) -> tuple[int, int]:
    """The standard aim: the deepest point; of several the first in row-major order."""
    row, col = np.unravel_index(int(depth.argmax()), depth.shape)
    return int(row), int(col)


class Clicker:
    """Clicks on one object, never twice on one pixel.

    Args:
        truth: H×W mask of the object.
        ignore: H×W, true where no error counts; None for nowhere.
        aim: Where within the larger error a click falls.
    """

    def __init__(self, truth: BoolMask, ignore: BoolMask | None = None, aim: Aim = deepest) -> None:
        self._aim = aim
        self.truth = truth if ignore is None else truth & ~ignore
        self.valid = np.ones_like(truth) if ignore is None else ~ignore
        self._free = np.ones(truth.shape, dtype=np.float32)

    def next_click(self, predicted: BoolMask) -> Click | None:
        """A point of the larger error region: with the standard aim, the deepest.

        Depth is the exact Euclidean distance to the region's border, and the image's edge is a
        border. The click is positive if the deepest missed point is deeper than the deepest excess
        point, so ties are negative.

        Args:
            predicted: H×W mask.

        Returns:
            The click; None where nothing is wrong, or every wrong pixel was clicked.
        """
        missed = self._depth(self.truth & ~predicted)
        excess = self._depth(~self.truth & predicted & self.valid)
        positive = bool(missed.max() > excess.max())
        depth = missed if positive else excess
        if not depth.any():
            return None
        row, col = self._aim(depth)
        self._free[row, col] = 0
        return Click(ImagePoint(float(col), float(row)), positive)

    def confirming_click(self) -> Click | None:
        """A positive click where nothing is wrong: the object's deepest pixel that was not clicked.

        RITM's protocol has none: it clicks a corner of the image there. Only those who want the
        same number of clicks on every object need it.

        Returns:
            The click; None where every pixel of the object was clicked.
        """
        depth = self._depth(self.truth)
        if not depth.any():
            return None
        row, col = deepest(depth)
        self._free[row, col] = 0
        return Click(ImagePoint(float(col), float(row)))

    def iou(self, predicted: BoolMask) -> float:
        """Intersection over union with the object, pixels to ignore left out; 0 to 1."""
        union = np.count_nonzero((predicted & self.valid) | self.truth)
        return float(np.count_nonzero(predicted & self.truth) / union) if union else 1.0

    def _depth(self, mask: BoolMask) -> FloatMap:
        padded = np.pad(mask.view(np.uint8), 1)
        depth = cv2.distanceTransform(padded, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
        clickable: FloatMap = depth * self._free
        return clickable
