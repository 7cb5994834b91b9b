"""Typed values of Label Studio's regions; places and lengths are in percent of the image."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from edgeflow.errors import PromptError
from edgeflow.geometry import ImagePoint, Size

JSONObject = dict[str, Any]


PERCENT_SLACK = 0.5
"""How far outside 0..100 a click may lie and still count as on the border (rounding in editors)."""


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


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


Labels = tuple[str, ...]


Degrees = Annotated[float, Field(ge=-36_000, le=36_000)]


class Labelled(_Wire):
    """The labels in a region's value, under whichever key its control uses."""

    labels: Labels = ()
    keypointlabels: Labels = ()
    rectanglelabels: Labels = ()
    ellipselabels: Labels = ()
    polygonlabels: Labels = ()
    brushlabels: Labels = ()
    bitmasklabels: Labels = ()

    @property
    def label(self) -> str | None:
        """The first label, as Label Studio stores it; None where there is none."""
        own = (
            self.keypointlabels or self.rectanglelabels or self.ellipselabels
            or self.polygonlabels or self.brushlabels or self.bitmasklabels
        )  # fmt: skip
        return next(iter(own or self.labels), None)


class KeyPointValue(Labelled):
    """Where a keypoint is, and its labels."""

    x: float
    y: float
    positive: bool | None = None


MAX_CORNERS = 10_000


_WHOLE_BYTE = Annotated[int, Field(ge=0, le=255)]


Percent = Annotated[float, Field(ge=-1000, le=1000)]


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
