"""Prompts that are drawn: a rectangle, ellipse or polygon around the object, a stroke over it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal

import cv2
import numpy as np
import numpy.typing as npt
from pydantic import Field, TypeAdapter, ValidationError

from edgeflow.errors import MaskCodecError, PromptError
from edgeflow.geometry import ImagePoint, Region, Size
from edgeflow.masks import decode_brush
from edgeflow.prompts import Click
from edgeflow.raster import rasterize
from edgeflow.starts import Outline, deepest_point
from edgeflow_backend.errors import MalformedRequestError
from edgeflow_backend.protocol import (
    ClickPrompt,
    Degrees,
    Labelled,
    PromptRegion,
    describe,
    parse_context,
)

MAX_CORNERS = 10_000
STROKE_CLICKS = 5
"""Clicks that stand for a brush stroke: its middle, then each time what is farthest from them."""

ELLIPSE_CORNERS = 72
_WHOLE_BYTE = Annotated[int, Field(ge=0, le=255)]
Percent = Annotated[float, Field(ge=-1000, le=1000)]
Corners = npt.NDArray[np.float64]
BoolMask = npt.NDArray[np.bool_]


class RectangleValue(Labelled):
    """Percent; turned clockwise about its top left corner."""

    x: Percent
    y: Percent
    width: Percent
    height: Percent
    rotation: Degrees = 0


class EllipseValue(Labelled):
    """Percent; x and y are its middle, radii in percent of width and height."""

    x: Percent
    y: Percent
    radiusX: Percent  # noqa: N815 - Label Studio's name
    radiusY: Percent  # noqa: N815
    rotation: Degrees = 0


class PolygonValue(Labelled):
    """Corners in percent."""

    points: Annotated[
        tuple[tuple[Percent, Percent], ...], Field(min_length=3, max_length=MAX_CORNERS)
    ]


class BrushValue(Labelled):
    """A stroke as brush RLE."""

    format: Literal["rle"] = "rle"
    rle: tuple[_WHOLE_BYTE, ...]


class Rectangle(PromptRegion):
    """A smart rectangle."""

    type: Literal["rectanglelabels", "rectangle"]
    value: RectangleValue


class Ellipse(PromptRegion):
    """A smart ellipse."""

    type: Literal["ellipselabels", "ellipse"]
    value: EllipseValue


class Polygon(PromptRegion):
    """A smart polygon."""

    type: Literal["polygonlabels", "polygon"]
    value: PolygonValue


class Brush(PromptRegion):
    """A smart brush stroke."""

    type: Literal["brushlabels", "brush"]
    value: BrushValue


Surrounding = Rectangle | Ellipse | Polygon
Shape = Surrounding | Brush
_SHAPE: TypeAdapter[Shape] = TypeAdapter(Annotated[Shape, Field(discriminator="type")])
SHAPE_TYPES = (
    "rectanglelabels", "rectangle", "ellipselabels", "ellipse", "polygonlabels", "polygon",
    "brushlabels", "brush",
)  # fmt: skip


@dataclass(frozen=True)
class ShapePrompt:
    """One shape, drawn around an object or over it."""

    shape: Shape

    @property
    def newest(self) -> Shape:
        """The shape: its control, label, item and picture size are the request's."""
        return self.shape

    @property
    def ids(self) -> tuple[str, ...]:
        """What stands for it in a region's id."""
        return (self.shape.id or self.shape.value.model_dump_json(),)

    @property
    def surrounding(self) -> Surrounding | None:
        """The shape if it goes around the object; None for a stroke over it."""
        return None if isinstance(self.shape, Brush) else self.shape

    def clicks(self, size: Size, *, begins: bool = True) -> list[Click]:  # noqa: ARG002
        """The clicks that stand for a stroke; none for an outline.

        Raises:
            PromptError: the stroke is empty, or no brush RLE of this size.
        """
        return stroke_clicks(self.shape, size) if isinstance(self.shape, Brush) else []


Prompt = ClickPrompt | ShapePrompt


def parse_prompt(context: object, *, max_clicks: int) -> Prompt:
    """Read the prompt of an interactive request: clicks, or else the newest shape.

    Args:
        context: ``params.context`` of the request: ``{"result": [region, …]}``.
        max_clicks: more are refused.

    Raises:
        MalformedRequestError: not of Label Studio's form.
        UnsupportedPromptError: neither clicks nor a known shape.
        PromptError: nothing at all, or too many clicks.
    """
    regions = context.get("result") if isinstance(context, Mapping) else None
    found = regions if isinstance(regions, list) else []
    kinds = [region.get("type") for region in found if isinstance(region, Mapping)]
    if "keypointlabels" in kinds or "keypoint" in kinds or not set(kinds) & set(SHAPE_TYPES):
        return parse_context(context, max_clicks=max_clicks)
    newest = [r for r in found if isinstance(r, Mapping) and r.get("type") in SHAPE_TYPES][-1]
    return ShapePrompt(parse_shape(newest))


def parse_shape(region: object) -> Shape:
    """Read one shape.

    Raises:
        MalformedRequestError: not of Label Studio's form.
    """
    try:
        return _SHAPE.validate_python(region)
    except ValidationError as error:
        raise MalformedRequestError(
            f"a drawn prompt is malformed: {describe(error)}",
            hint="see Label Studio's region formats; places are in percent",
        ) from error


def outline(shape: Surrounding, size: Size) -> Outline:
    """The outline that a shape draws on a picture.

    Raises:
        PromptError: it lies outside the picture, or is too thin to hold anything.
    """
    if isinstance(shape, Rectangle) and not shape.value.rotation:
        return Outline(_box(corners(shape, size), size))
    drawn = corners(shape, size)
    inside = rasterize(drawn, size)
    rows, cols = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    if not len(rows):
        raise _nothing_inside()
    region = Region(int(rows[0]), int(cols[0]), int(rows[-1]) + 1, int(cols[-1]) + 1)
    return Outline(region, inside)


def corners(shape: Surrounding, size: Size) -> Corners:
    """The N×2 corners (x, y) of a shape, in image pixels."""
    scale = np.array([size.width, size.height], dtype=np.float64) / 100
    value = shape.value
    if isinstance(value, PolygonValue):
        return np.asarray(value.points, dtype=np.float64) * scale - 0.5
    # Turning happens in pixels: in percent of a picture that is not square, circles are ellipses.
    place = np.array([value.x, value.y]) * scale
    if isinstance(value, RectangleValue):
        w, h = value.width * scale[0], value.height * scale[1]
        around = np.array([[0, 0], [w, 0], [w, h], [0, h]])
    else:
        turn = np.linspace(0, 2 * math.pi, ELLIPSE_CORNERS, endpoint=False)
        radii = np.array([value.radiusX, value.radiusY]) * scale
        around = np.stack((np.cos(turn), np.sin(turn)), axis=1) * radii
    angle = math.radians(value.rotation)
    clockwise = np.array(
        [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]
    )  # rows are vectors and y points down
    turned: Corners = around @ clockwise + place - 0.5
    return turned


def stroke_clicks(stroke: Brush, size: Size) -> list[Click]:
    """Positive clicks along a stroke.

    Raises:
        PromptError: it is empty, or no brush RLE of the picture's size.
    """
    drawn_on = Size(stroke.original_height or size.height, stroke.original_width or size.width)
    if drawn_on != size:
        raise PromptError(
            f"the stroke was drawn on a picture of {drawn_on.width}×{drawn_on.height} pixels, "
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


def _box(drawn: Corners, size: Size) -> Region:
    """The pixels whose centres lie in an upright rectangle, at least one where it touches."""
    left, top = np.ceil(drawn.min(axis=0)).astype(int)
    right, bottom = np.floor(drawn.max(axis=0)).astype(int) + 1
    region = Region(top, left, bottom, right).intersection(Region.whole(size))
    if region.size.height < 1 or region.size.width < 1:
        raise _nothing_inside()
    return Region(*map(int, region))


def _nothing_inside() -> PromptError:
    return PromptError("the outline holds nothing of the picture", hint="draw it around the object")
