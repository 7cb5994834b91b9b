"""A drawn shape as an outline, a stroke as clicks."""

from __future__ import annotations

import math

import cv2
import numpy as np

from edgeflow.arrays import Polygon
from edgeflow.errors import MaskCodecError, PromptError
from edgeflow.geometry import Box, ImagePoint, Size
from edgeflow.label_studio.brush_rle import decode_brush
from edgeflow.label_studio.shapes import corners
from edgeflow.masks.patch import bounding_box
from edgeflow.masks.rasterize import rasterize
from edgeflow.prompts.click import Click
from edgeflow.prompts.implied import deepest_point
from edgeflow.prompts.outline import Outline
from edgeflow_backend.protocol.wire import OutlineRegion, Rectangle, Stroke

STROKE_CLICKS = 5
"""Clicks that stand for a brush stroke: its middle, then each time what is farthest from them."""


def outline(shape: OutlineRegion, size: Size) -> Outline:
    """The outline that a shape draws on an image of ``size``.

    Raises:
        PromptError: it lies outside the image, or is too thin to hold anything.
    """
    if isinstance(shape, Rectangle) and not shape.value.rotation:
        return Outline(_box(corners(shape.value, size), size))
    drawn = corners(shape.value, size)
    inside = rasterize(drawn, size)
    region = bounding_box(inside)
    if region is None:
        raise _nothing_inside()
    return Outline(region, inside)


def stroke_clicks(stroke: Stroke, size: Size) -> list[Click]:
    """Positive clicks along a stroke.

    Raises:
        PromptError: it is empty, or no brush RLE of the image's size.
    """
    drawn_on = Size(stroke.original_height or size.height, stroke.original_width or size.width)
    if drawn_on != size:
        raise PromptError(
            f"the stroke was drawn on an image of {drawn_on.width}×{drawn_on.height} pixels, "
            f"this one has {size.width}×{size.height}",
            hint="reload the task in Label Studio",
        )
    try:
        mask = decode_brush(stroke.value.rle, size) > 0
    except MaskCodecError as error:
        raise PromptError(
            f"the stroke cannot be read: {error.message}", hint="draw it again"
        ) from error
    if not mask.any():
        raise PromptError("the stroke is empty", hint="draw over the object")
    points = [deepest_point(mask)]
    reach = max(2.0, math.sqrt(float(mask.sum())) / 4)
    while len(points) < STROKE_CLICKS:
        free = np.ones(mask.shape, dtype=np.uint8)
        for point in points:
            free[int(point.y), int(point.x)] = 0
        away = cv2.distanceTransform(free, cv2.DIST_L2, 5) * mask
        row, col = np.unravel_index(int(away.argmax()), away.shape)
        if away[row, col] < reach:
            break
        points.append(ImagePoint(float(col), float(row)))
    return [Click(point) for point in points]


def _box(drawn: Polygon, size: Size) -> Box:
    """The pixels whose centres lie in an upright rectangle, at least one where it touches."""
    left, top = np.ceil(drawn.min(axis=0)).astype(int)
    right, bottom = np.floor(drawn.max(axis=0)).astype(int) + 1
    region = Box(top, left, bottom, right).intersection(Box.whole(size))
    if region.size.height < 1 or region.size.width < 1:
        raise _nothing_inside()
    return Box(*map(int, region))


def _nothing_inside() -> PromptError:
    return PromptError("the outline holds nothing of the image", hint="draw it around the object")
