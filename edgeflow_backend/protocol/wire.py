"""Label Studio's wire format as typed values: from a request's context to clicks.

Only what is needed is looked at: the drafts and annotations in a task carry every mask drawn so
far and are never parsed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from edgeflow.label_studio.values import (
    BrushValue,
    EllipseValue,
    JSONObject,
    KeyPointValue,
    PolygonValue,
    RectangleValue,
    _Wire,
)
from edgeflow_backend.errors import MalformedRequestError

Name = Annotated[str, Field(max_length=256)]


class PromptRegion(_Wire):
    """What all regions of ``context.result`` have in common."""

    id: Name = ""
    from_name: Name
    to_name: Name
    original_width: Annotated[int, Field(gt=0)] | None = None
    original_height: Annotated[int, Field(gt=0)] | None = None
    image_rotation: float = 0
    item_index: Annotated[int, Field(ge=0)] | None = None


class KeyPoint(PromptRegion):
    """One keypoint of ``context.result``."""

    type: Literal["keypointlabels", "keypoint"]
    value: KeyPointValue
    is_positive: bool | None = None

    @property
    def positive(self) -> bool:
        """Negative = Alt held at the click; older versions and other clients say it elsewhere."""
        if self.is_positive is not None:
            return self.is_positive
        return self.value.positive is not False

    @property
    def label(self) -> str | None:
        """The label it was made with, as Label Studio stores it; None if unlabelled."""
        return self.value.label


def parse_tasks(tasks: object) -> Sequence[JSONObject]:
    """Check that ``tasks`` is a list of objects with a ``data`` object.

    Raises:
        MalformedRequestError: it is not.
    """
    if not isinstance(tasks, list) or not all(
        isinstance(task, dict) and isinstance(task.get("data"), dict) for task in tasks
    ):
        raise MalformedRequestError(
            "`tasks` is not a list of tasks with a `data` object",
            hint='send {"tasks": [{"id": 1, "data": {"image": "…"}}]}',
        )
    return tasks


def objects(value: object) -> list[JSONObject]:
    """The objects in what should be a list of them; empty for anything else."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def describe(error: ValidationError) -> str:
    """The first problem of a validation error, without the offending value."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}"


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
