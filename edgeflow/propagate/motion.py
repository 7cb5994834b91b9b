"""Where the pixels of a page were on the page before: dense optical flow.

Dense inverse search (Kroeger et al., ECCV 2016, arXiv:1603.03590), by OpenCV.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from edgeflow.arrays import BoolMask, ByteMap, FloatArray, FloatMap
from edgeflow.geometry import Size
from edgeflow.inference.state import EncodedImage

SIDE = 384
"""Longer side at which motion is sought, pixels."""


class Motion(NamedTuple):
    """Motion between two pages, at a reduced size.

    Attributes:
        flow: h×w×2 float32: how far right and down of a place of the later page its content lay on
            the page before, in pixels of the reduced size.
    """

    flow: FloatArray

    def carry(self, mask: BoolMask, size: Size) -> FloatMap:
        """A mask of the page before as it lies on the later page.

        Args:
            mask: H×W, of the page before.
            size: Of the later page.

        Returns:
            H×W float32 of the later page's size, 0 to 1.
        """
        height, width = self.flow.shape[:2]
        small = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
        rows, cols = np.mgrid[0:height, 0:width].astype(np.float32)
        moved = cv2.remap(
            small, cols + self.flow[..., 0], rows + self.flow[..., 1], cv2.INTER_LINEAR
        )
        whole = cv2.resize(moved, (size.width, size.height), interpolation=cv2.INTER_LINEAR)
        return whole.astype(np.float32, copy=False)


def reduced_size(size: Size) -> Size:
    """The size at which a page's motion is sought."""
    scale = min(1.0, SIDE / max(size))
    return Size(*(max(16, round(side * scale)) for side in size))


def reduced(page: EncodedImage, size: Size) -> ByteMap:
    """A page's brightness at a reduced size: h×w uint8."""
    pixels = page.pixels[0].permute(1, 2, 0).cpu().numpy()
    small = cv2.resize(pixels, (size.width, size.height), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(small, cv2.COLOR_RGB2GRAY).astype(np.uint8, copy=False)


def motion_between(before: ByteMap, after: ByteMap) -> Motion:
    """Motion from a page to the next one, both h×w uint8."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    flow = search.calc(after, before, np.zeros((*after.shape, 2), dtype=np.float32))
    return Motion(np.asarray(flow, dtype=np.float32))
