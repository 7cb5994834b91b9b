"""Where the pixels of a page were on the page before: dense optical flow.

Dense inverse search (Kroeger et al., ECCV 2016, arXiv:1603.03590), by OpenCV, in both directions:
where they contradict each other, or the brightness differs, the flow is not to be trusted.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from torch import Tensor

from edgeflow.arrays import BoolMask, ByteMap, FloatArray, FloatMap
from edgeflow.geometry import Box, Size
from edgeflow.inference.sampling import Sampling
from edgeflow.inference.state import EncodedImage

SIDE = 384
"""Longer side at which motion is sought, pixels."""

REACH = 3.0
"""Side of the part of a page in which motion is sought, over the object's."""

LEAST_REACH = 0.5
"""Least side of that part, over the page's: what is small may be fast."""

STEADY = 1.0
"""Distance of there and back, in pixels of the reduced size, at which trust is at 1/e."""

ALIKE = 12.0
"""Difference in brightness, 0 to 255, at which trust is at 1/e."""

LUMA = (0.299, 0.587, 0.114)


class Motion(NamedTuple):
    """Motion between two pages, at a reduced size.

    Attributes:
        flow: h×w×2 float32: how far right and down of a place of the later page its content lay on
            the page before, in pixels of the reduced size.
        trust: h×w float32, 0 to 1.
        before: Part of the page before.
        after: Part of the later page.
    """

    flow: FloatArray
    trust: FloatMap
    before: Box
    after: Box

    def carry(self, mask: BoolMask) -> FloatMap:
        """A mask of the page before as it lies on the later page.

        Args:
            mask: H×W, of the page before.

        Returns:
            h×w float32, 0 to 1, of the later page's part.
        """
        height, width = self.trust.shape
        part = mask[self.before.slices].astype(np.float32)
        small = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
        return _moved(small.astype(np.float32, copy=False), self.flow, cv2.BORDER_CONSTANT)

    def seen_in(self, values: FloatMap, frame: Box, size: Size) -> FloatMap:
        """A map of the later page's part as a frame of the page shows it.

        Args:
            values: h×w float32, at the reduced size.
            frame: Part of the later page.
            size: Of the result.

        Returns:
            size float32; beyond the map 0.
        """
        down = values.shape[0] / self.after.size.height
        across = values.shape[1] / self.after.size.width
        rows, cols = frame.size.height / size.height, frame.size.width / size.width
        # Pixel centres: (x + .5) · cols + left of the frame is a place on the page.
        placed = np.array(
            [
                [cols * across, 0, (0.5 * cols + frame.left - self.after.left) * across - 0.5],
                [0, rows * down, (0.5 * rows + frame.top - self.after.top) * down - 0.5],
            ]
        )
        seen = cv2.warpAffine(
            values, placed, (size.width, size.height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        return seen.astype(np.float32, copy=False)

    def box_of(self, values: FloatMap) -> Box | None:
        """The box on the later page around what exceeds .5; None for nothing."""
        left, top, width, height = cv2.boundingRect((values > 0.5).astype(np.uint8))
        if not width:
            return None
        down = self.after.size.height / values.shape[0]
        across = self.after.size.width / values.shape[1]
        return Box(
            self.after.top + round(top * down),
            self.after.left + round(left * across),
            self.after.top + max(round((top + height) * down), round(top * down) + 1),
            self.after.left + max(round((left + width) * across), round(left * across) + 1),
        )


def motion_between(
    before: EncodedImage, after: EncodedImage, box: Box, sampling: Sampling
) -> Motion:
    """Motion from a page to the next one.

    Args:
        before: A page.
        after: The next one.
        box: Of the object on the page before.
        sampling: How pages are made smaller.
    """
    parts = (
        (surroundings(box, before.size),) * 2
        if before.size == after.size
        else (Box.whole(before.size), Box.whole(after.size))
    )
    size = _reduced(parts[1].size)
    first, second = (
        _brightness(page.pixels, part, size, sampling)
        for page, part in zip((before, after), parts, strict=True)
    )
    back, there = _flow(second, first), _flow(first, second)
    apart = np.linalg.norm(back + _moved(there, back, cv2.BORDER_REPLICATE), axis=-1)
    smooth = [cv2.GaussianBlur(each, (0, 0), 1.5).astype(np.float32) for each in (first, second)]
    unlike = np.abs(smooth[1] - _moved(smooth[0], back, cv2.BORDER_CONSTANT))
    trust = np.exp(-((apart / STEADY) ** 2) - (unlike / ALIKE) ** 2)
    return Motion(back, cv2.blur(trust.astype(np.float32), (5, 5)), *parts)


def surroundings(box: Box, page: Size) -> Box:
    """The part of a page in which an object's motion is sought."""
    sides = []
    for first, last, side in (
        (box.top, box.bottom, page.height),
        (box.left, box.right, page.width),
    ):
        length = min(side, round(max(REACH * (last - first), LEAST_REACH * max(page))))
        start = min(max((first + last - length) // 2, 0), side - length)
        sides.append((start, start + length))
    (top, bottom), (left, right) = sides
    return Box(top, left, bottom, right)


def _reduced(size: Size) -> Size:
    scale = min(1.0, SIDE / max(size))
    return Size(*(max(16, round(side * scale)) for side in size))


def _brightness(pixels: Tensor, part: Box, size: Size, sampling: Sampling) -> ByteMap:
    view = sampling.view(pixels, part, size)[0].cpu().numpy()
    grey = np.tensordot(np.array(LUMA, dtype=np.float32), view, axes=1)
    return np.clip(grey * 255 + 0.5, 0, 255).astype(np.uint8)


def _flow(here: ByteMap, there: ByteMap) -> FloatArray:
    """How far right and down the content of each place of one map lies in another one."""
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    found = search.calc(here, there, np.zeros((*here.shape, 2), dtype=np.float32))
    return np.asarray(found, dtype=np.float32)


def _moved(values: FloatArray, flow: FloatArray, border: int) -> FloatArray:
    """A map as the flow shows it: h×w or h×w×2 float32."""
    rows, cols = np.mgrid[0 : flow.shape[0], 0 : flow.shape[1]].astype(np.float32)
    moved = cv2.remap(
        values, cols + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR, borderMode=border
    )
    return moved.astype(np.float32, copy=False)
