"""Brush strokes that Label Studio has not rendered yet.

While an annotation is a draft, what was drawn or erased by hand stands beside the region's code as
``touches`` (measured on Label Studio 1.23.2); only submitting renders it into the code.
"""

from __future__ import annotations

from typing import Annotated, Literal

import cv2
import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from edgeflow.arrays import BoolMask
from edgeflow.errors import MaskCodecError

MAX_STROKES = 10_000
MAX_NUMBERS = 200_000
SUBPIXEL_BITS = 4


class Stroke(BaseModel):
    """One stroke.

    Attributes:
        type: drawn or erased.
        relativePoints: x, y, x, y … in percent.
        relativeStrokeWidth: percent of the image's width.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    type: Literal["add", "eraser"] = "add"
    relativePoints: Annotated[  # noqa: N815 - Label Studio's name
        tuple[Annotated[float, Field(ge=-1000, le=1000)], ...], Field(max_length=MAX_NUMBERS)
    ]
    relativeStrokeWidth: Annotated[float, Field(gt=0, le=1000)]  # noqa: N815


_STROKES = TypeAdapter(Annotated[tuple[Stroke, ...], Field(max_length=MAX_STROKES)])


def draw(mask: BoolMask, touches: object) -> BoolMask:
    """The mask once ``touches`` are drawn on it, oldest first.

    Args:
        mask: H×W bool, left unchanged.
        touches: a region's ``value.touches``, untrusted.

    Raises:
        MaskCodecError: they are not of Label Studio's form.
    """
    try:
        strokes = _STROKES.validate_python(touches)
    except ValidationError as error:
        raise MaskCodecError("brush strokes of an unknown form") from error
    height, width = mask.shape
    canvas = mask.astype(np.uint8)
    for stroke in strokes:
        points = np.array(stroke.relativePoints[: len(stroke.relativePoints) // 2 * 2])
        pixels = points.reshape(-1, 2) * np.array([width, height]) / 100 - 0.5
        fixed = np.rint(pixels * (1 << SUBPIXEL_BITS)).astype(np.int32)
        thickness = min(max(round(stroke.relativeStrokeWidth / 100 * width), 1), 1000)
        value = 1 if stroke.type == "add" else 0
        if len(fixed):
            fixed = np.concatenate((fixed, fixed[-1:]))  # one point alone is a dot
            cv2.polylines(canvas, [fixed], False, value, thickness, shift=SUBPIXEL_BITS)
    drawn: BoolMask = canvas.astype(np.bool_)
    return drawn
