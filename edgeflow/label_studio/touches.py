"""Brush strokes that Label Studio has not rendered yet.

While an annotation is a draft, what was drawn or erased by hand stands beside the region's code as
``touches`` (measured on Label Studio 1.23.2); only submitting renders it into the code.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import Field, TypeAdapter, ValidationError

from edgeflow.arrays import BoolMask
from edgeflow.errors import MaskCodecError
from edgeflow.label_studio.values import Percent, WireModel

MAX_STROKES = 10_000
MAX_NUMBERS = 200_000
SUBPIXEL_BITS = 4
MAX_THICKNESS = 1000
"""Pixels."""

MAX_WORK = 2e10
"""Pixels to paint, all strokes together: some seconds. Nobody covers an image hundreds of times."""

_SEGMENT_COST = 50
"""Pixels that a pixel of a segment's length costs beside those of its thickness; measured."""


class Stroke(WireModel):
    """One stroke.

    Attributes:
        type: Whether it draws or erases.
        relativePoints: x, y, x, y … in percent.
        relativeStrokeWidth: Percent of the image's width.
    """

    type: Literal["add", "eraser"] = "add"
    relativePoints: Annotated[tuple[Percent, ...], Field(max_length=MAX_NUMBERS)]  # noqa: N815
    relativeStrokeWidth: Annotated[float, Field(gt=0, le=1000)]  # noqa: N815 - Label Studio's name


_STROKES = TypeAdapter(Annotated[tuple[Stroke, ...], Field(max_length=MAX_STROKES)])


def parse_touches(touches: object) -> tuple[Stroke, ...]:
    """Read a region's ``value.touches``, which is untrusted.

    Raises:
        MaskCodecError: it is not of Label Studio's form.
    """
    try:
        return _STROKES.validate_python(touches)
    except ValidationError as error:
        raise MaskCodecError("brush strokes of an unknown form") from error


def draw_strokes(mask: BoolMask, strokes: Sequence[Stroke]) -> BoolMask:
    """Draw strokes on an H×W mask, oldest first; the mask itself is left unchanged.

    Raises:
        MaskCodecError: They would take more than ``MAX_WORK``.
    """
    height, width = mask.shape
    canvas = mask.astype(np.uint8)
    work = 0.0
    for stroke in strokes:
        points = np.array(stroke.relativePoints[: len(stroke.relativePoints) // 2 * 2])
        pixels = points.reshape(-1, 2) * np.array([width, height]) / 100 - 0.5
        thickness = min(max(round(stroke.relativeStrokeWidth / 100 * width), 1), MAX_THICKNESS)
        lengths = np.hypot(*np.diff(pixels, axis=0).T)
        work += float(lengths.sum() + len(pixels) * thickness) * (thickness + _SEGMENT_COST)
        if work > MAX_WORK:
            raise MaskCodecError("brush strokes that cover the image hundreds of times")
        fixed = np.rint(pixels * (1 << SUBPIXEL_BITS)).astype(np.int32)
        value = 1 if stroke.type == "add" else 0
        if len(fixed):
            fixed = np.concatenate((fixed, fixed[-1:]))  # one point alone is a dot
            cv2.polylines(canvas, [fixed], False, value, thickness, shift=SUBPIXEL_BITS)
    drawn: BoolMask = canvas.astype(np.bool_)
    return drawn
