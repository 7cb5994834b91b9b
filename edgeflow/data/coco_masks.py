"""One COCO annotation to a mask: polygons, and run-length codes as lists and as text.

The codes are decoded here and not by pycocotools, which reads beyond its buffers where a code is
malformed, and returns uninitialised memory where one is too short.
"""

from __future__ import annotations

import math
import re

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco

from edgeflow.arrays import BoolMask
from edgeflow.errors import MaskCodecError
from edgeflow.geometry import Size

MAX_OUTLINE = 10_000_000
"""Most pixels that an annotation's outlines may cross in all; pycocotools holds each of them."""

_TEXT_CODE = re.compile(rb"(?:[P-o]{0,6}[0-O])*")


def decode_segmentation(segmentation: object, size: Size) -> BoolMask:
    """An annotation's ``segmentation`` as a mask, pixel by pixel as pycocotools has it.

    Args:
        segmentation: Parsed JSON, untrusted: a list of polygons (x, y, x, y, …), of which those
            with fewer than three points are left out, or a run-length code with ``counts`` and
            ``size``.
        size: Size of the image.

    Returns:
        H×W bool, possibly empty.

    Raises:
        MaskCodecError: The segmentation is neither, or does not fit the image.
    """
    if isinstance(segmentation, dict):
        if segmentation.get("size") != list(size):
            raise MaskCodecError(
                f"its code is for size {str(segmentation.get('size'))[:40]}, not {list(size)}"
            )
        counts = segmentation.get("counts")
        if isinstance(counts, str):
            return fill_runs(parse_counts(counts), size)
        if isinstance(counts, list) and all(type(count) is int for count in counts):
            return fill_runs(np.array([min(count, 1 << 32) for count in counts]), size)
        raise MaskCodecError("its code has no counts")
    if isinstance(segmentation, list):
        return _fill_polygons([_checked(polygon, size) for polygon in segmentation], size)
    raise MaskCodecError("its segmentation is neither polygons nor a run-length code")


def parse_counts(text: str) -> npt.NDArray[np.int64]:
    """The run lengths of COCO's compressed code.

    Base 32, five bits a character from the lowest, 48 added; bit 5 says that the number continues,
    bit 4 of the last is its sign. From the fourth on, numbers are differences to the last but one.

    Raises:
        MaskCodecError: The text is not such a code.
    """
    code = text.encode("ascii", "ignore")
    if len(code) < len(text) or not _TEXT_CODE.fullmatch(code):
        raise MaskCodecError("its code is malformed")
    digits = np.frombuffer(code, dtype=np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero(digits < 32)
    if not len(ends):
        return np.zeros(0, dtype=np.int64)
    starts = np.append(0, ends[:-1] + 1)
    place = np.arange(len(digits)) - np.repeat(starts, ends - starts + 1)
    counts = np.add.reduceat((digits & 31) << 5 * place, starts)
    counts -= (digits[ends] >> 4 & 1) << 5 * (place[ends] + 1)
    counts[1::2] = np.cumsum(counts[1::2])
    counts[2::2] = np.cumsum(counts[2::2])
    return counts


def fill_runs(counts: npt.NDArray[np.int64], size: Size) -> BoolMask:
    """A mask from the lengths of its runs, column by column, the first of background.

    Raises:
        MaskCodecError: The lengths do not fill a mask of this size.
    """
    total = size.height * size.width
    if (counts < 0).any() or (counts > total).any() or counts.sum() != total:
        raise MaskCodecError(f"its code does not fill {size.width}×{size.height} pixels")
    values = np.arange(len(counts)) % 2 == 1
    columns = np.repeat(values, counts).reshape(size.width, size.height)
    return np.ascontiguousarray(columns.T)


def _checked(polygon: object, size: Size) -> list[float]:
    if not isinstance(polygon, list) or len(polygon) % 2:
        raise MaskCodecError("its polygon is not a list of x, y, x, y, …")
    reach = 2 * max(size)
    for value in polygon:
        if type(value) not in {int, float} or not abs(value) <= reach:
            raise MaskCodecError(f"its polygon has a coordinate beyond ±{reach}")
    return [float(value) for value in polygon]


def _fill_polygons(polygons: list[list[float]], size: Size) -> BoolMask:
    drawn = [polygon for polygon in polygons if len(polygon) >= 6]
    if not drawn:
        return np.zeros(size, dtype=np.bool_)
    if sum(map(_outline, drawn)) > MAX_OUTLINE:
        raise MaskCodecError(f"its outlines cross more than {MAX_OUTLINE} pixels")
    merged = coco.merge(coco.frPyObjects(drawn, size.height, size.width))
    return fill_runs(parse_counts(merged["counts"].decode()), size)


def _outline(polygon: list[float]) -> float:
    closed = [*polygon, *polygon[:2]]
    return sum(
        math.hypot(closed[i + 2] - closed[i], closed[i + 3] - closed[i + 1]) + 1
        for i in range(0, len(polygon), 2)
    )
