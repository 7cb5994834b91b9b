"""Bodies of answers to predictions, events and probes. Nothing else may be in them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from edgeflow_backend.protocol.record import RegionRecord

Share = Annotated[float, Field(ge=0, le=1)]


class Body(BaseModel):
    """A body without further keys."""

    model_config = ConfigDict(extra="forbid")


class Error(Body):
    """What is wrong, why, and the way out."""

    id: str | None = Field(None, description="on /status and in the log, of a click that was lost")
    code: str
    message: str
    hint: str


class ErrorAnswer(Body):
    """An HTTP error."""

    error: Error


class Health(Body):
    """The model is ready."""

    status: Literal["UP"]
    model_class: str
    model_version: str
    runtime: str = Field(description="runtime, device and precision")


class NotHealthy(Body):
    """The model is not ready yet, or could not be loaded."""

    status: Literal["LOADING", "DOWN"]
    error: Error


class Versions(Body):
    """The model's version, which changes whenever its weights do."""

    versions: list[str]


class SetUp(Body):
    """What to change in the labelling config."""

    model_version: str
    problems: list[str] = []
    warnings: list[str] = Field([], description="what it does to Label Studio's own exports")
    recommended: str | None = Field(None, description="a labelling config without all that")


class Noted(Body):
    """What was seen of an event."""

    action: str
    regions_of_ours: int = Field(ge=0)
    trained: Literal[False]


class MaskValue(BaseModel):
    """A mask in the form of its control; its labels stand under the region's type."""

    model_config = ConfigDict(extra="allow")


class BrushMask(MaskValue):
    """Label Studio's brush RLE."""

    format: Literal["rle"]
    rle: list[Annotated[int, Field(ge=0, le=255)]]


class BitmaskMask(MaskValue):
    """A PNG, opaque where the mask is."""

    imageDataURL: str = Field(pattern="^data:image/png;base64,")  # noqa: N815 - Label Studio's name


class PolygonMask(MaskValue):
    """Corners in percent of the image."""

    points: list[tuple[float, float]] = Field(min_length=3)
    closed: Literal[True]


class BoxMask(MaskValue):
    """The bounding box in percent of the image."""

    x: float
    y: float
    width: float
    height: float
    rotation: float


class Meta(Body):
    """What a region carries through Label Studio."""

    edgeflow: RegionRecord


class Region(Body):
    """A region to show."""

    id: str
    type: str
    from_name: str
    to_name: str
    original_width: int = Field(gt=0)
    original_height: int = Field(gt=0)
    image_rotation: float
    item_index: int | None = Field(None, ge=0)
    value: BrushMask | BitmaskMask | PolygonMask | BoxMask
    score: Share
    readonly: Literal[False]
    meta: Meta


class Prediction(Body):
    """A task's prediction; an empty one says why."""

    result: list[Region]
    score: Share
    model_version: str
    error: Error | None = None


class Predictions(Body):
    """A prediction of each task; in a batch call, a list of predictions of each."""

    results: list[Prediction] | list[list[Prediction]]
    model_version: str
