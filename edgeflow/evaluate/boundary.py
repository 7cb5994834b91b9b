"""Boundary IoU (Cheng et al., CVPR 2021, arXiv:2103.16562): the IoU of the masks' rims alone."""

from __future__ import annotations

import math

import cv2
import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.geometry import Size

DILATION_RATIO = 0.02
"""Width of the rim over the image's diagonal, as in the paper."""


class BoundaryIoU:
    """Compares masks with one object.

    Args:
        truth: H×W mask of the object.
        valid: H×W, false where the annotation does not say.
    """

    def __init__(self, truth: BoolMask, valid: BoolMask) -> None:
        self._width = rim_width(Size(*truth.shape))
        self._valid = valid
        self._truth = rim(truth, self._width) & valid

    def __call__(self, predicted: BoolMask) -> float:
        """Boundary IoU of an H×W mask with the object, 0 to 1."""
        predicted = rim(predicted, self._width) & self._valid
        union = np.count_nonzero(predicted | self._truth)
        return float(np.count_nonzero(predicted & self._truth) / union) if union else 1.0


def rim_width(image_size: Size) -> int:
    """Width of the rims of masks of an image, in pixels."""
    return max(1, round(DILATION_RATIO * math.hypot(*image_size)))


def rim(mask: BoolMask, width: int) -> BoolMask:
    """The pixels of a mask at most ``width`` away from its border, the image's edge included.

    Args:
        mask: H×W mask.
        width: Width in pixels by chessboard distance: as many erosions by 3×3.
    """
    kernel = np.ones((2 * width + 1,) * 2, dtype=np.uint8)
    inside = cv2.erode(mask.view(np.uint8), kernel, borderType=cv2.BORDER_CONSTANT, borderValue=[0])
    band: BoolMask = mask & (inside == 0)
    return band
