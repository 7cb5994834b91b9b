"""Typed values of Label Studio's regions; positions and lengths are in percent of the image."""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from edgeflow.errors import PromptError
from edgeflow.geometry import ImagePoint, Size

JSONObject = dict[str, Any]

PERCENT_SLACK = 0.5
"""How far outside 0..100 a click may lie and still count as on the border (rounding in editors)."""

PERCENT_LIMIT = 1000
"""Coordinates of drawn shapes beyond this are refused; shapes may leave their image."""

MAX_CORNERS = 10_000
"""Corners of a polygon that is drawn as a prompt."""

MAX_DIGITS = 32
"""Characters of a number that is sent as text."""


def finite_number(value: object) -> float | None:
    """A finite number, however it is spelled; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and len(value) > MAX_DIGITS:
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def whole_number(value: object) -> int | None:
    """An integer, however it is spelled (640, 640.0, "640"); None for anything else."""
    number = finite_number(value)
    return int(number) if number is not None and number.is_integer() else None


def side(value: object) -> int | None:
    """The width or height of an image in pixels; None where a request does not tell it."""
    number = whole_number(value)
    return number if number is not None and number > 0 else None


def _labels(value: object) -> object:
    """Labels as a list of texts: none, one alone, and numbers are brought into that form."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple):
        value = (value,)
    return tuple(as_text(label) for label in value if label is not None)


def as_text(value: object) -> object:
    """A number as text; anything else as it is."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if number else value


def null_as(default: object) -> BeforeValidator:
    """Reads null as if the key were absent."""
    return BeforeValidator(lambda value: default if value is None else value)


Labels = Annotated[tuple[str, ...], BeforeValidator(_labels)]
Percent = Annotated[float, Field(ge=-PERCENT_LIMIT, le=PERCENT_LIMIT)]
Degrees = Annotated[float, Field(ge=-36_000, le=36_000), null_as(0.0)]
Byte = Annotated[int, Field(ge=0, le=255)]


class PercentPoint(NamedTuple):
    """A point in percent of the natural, unrotated image; 0 is its left or top border."""

    x: float
    y: float

    def to_image(self, size: Size) -> ImagePoint:
        """Convert to image pixels, border points moved onto the outermost pixel.

        Raises:
            PromptError: the point is not on the image.
        """
        for value in self:
            if not -PERCENT_SLACK <= value <= 100 + PERCENT_SLACK:
                raise PromptError(
                    f"a click at {self.x:g} %, {self.y:g} % lies outside the image",
                    hint="click inside the image",
                )
        return ImagePoint(
            min(max(self.x / 100 * size.width - 0.5, 0.0), size.width - 1.0),
            min(max(self.y / 100 * size.height - 0.5, 0.0), size.height - 1.0),
        )


class WireModel(BaseModel):
    """Something that Label Studio sends: unknown keys are ignored, numbers are finite."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class Labelled(WireModel):
    """A value with labels: under its control's own key, or ``labels`` from a ``Labels`` control.

    Attributes:
        LABELS_KEY: The own key, which is the region's type.
    """

    LABELS_KEY: ClassVar[str]

    labels: Labels = ()

    @property
    def stored_labels(self) -> Labels:
        """All labels, each once, as Label Studio stores them."""
        own: Labels = getattr(self, self.LABELS_KEY)
        return tuple(dict.fromkeys((*own, *self.labels)))


class KeyPointValue(Labelled):
    """A point."""

    LABELS_KEY = "keypointlabels"

    keypointlabels: Labels = ()
    x: float
    y: float
    positive: bool | None = None


class RectangleValue(Labelled):
    """A rectangle, turned clockwise about its top left corner."""

    LABELS_KEY = "rectanglelabels"

    rectanglelabels: Labels = ()
    x: Percent
    y: Percent
    width: Percent
    height: Percent
    rotation: Degrees = 0


class EllipseValue(Labelled):
    """An ellipse about (x, y); its radii are in percent of the image's width and height."""

    LABELS_KEY = "ellipselabels"

    ellipselabels: Labels = ()
    x: Percent
    y: Percent
    radiusX: Percent  # noqa: N815 - Label Studio's name
    radiusY: Percent  # noqa: N815
    rotation: Degrees = 0


class PolygonValue(Labelled):
    """A polygon's corners."""

    LABELS_KEY = "polygonlabels"

    polygonlabels: Labels = ()
    points: Annotated[
        tuple[tuple[Percent, Percent], ...], Field(min_length=3, max_length=MAX_CORNERS)
    ]


class BrushValue(Labelled):
    """A brush stroke as brush RLE."""

    LABELS_KEY = "brushlabels"

    brushlabels: Labels = ()
    format: Annotated[Literal["rle"], null_as("rle")] = "rle"
    rle: tuple[Byte, ...]
