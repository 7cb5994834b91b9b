"""Label Studio's requests as typed values: tasks, and the regions that prompts are made of.

The drafts and annotations in a task carry every mask drawn so far; they are read by
:mod:`edgeflow_backend.objects.task_regions`, and no more of them than needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field, TypeAdapter, ValidationError

from edgeflow.errors import PromptError
from edgeflow.label_studio.values import (
    BrushValue,
    EllipseValue,
    JSONObject,
    KeyPointValue,
    PolygonValue,
    RectangleValue,
    WireModel,
    as_text,
    finite_number,
    null_as,
    side,
    whole_number,
)
from edgeflow_backend.errors import MalformedRequestError

MAX_ITEM_INDEX = 1_000_000


def _item_index(value: object) -> object:
    """The number of an image as a whole number; nothing means the first; else as it is."""
    if value is None or value == "":
        return None
    number = whole_number(value)
    return "no whole number" if number is None else number


Name = Annotated[str, Field(max_length=256), BeforeValidator(as_text), null_as("")]
"""A name or id; clients also send null, which means none, and numbers."""

ItemIndex = Annotated[int, Field(ge=0, le=MAX_ITEM_INDEX)]


class BaseRegion(WireModel):
    """The part that all regions of ``context.result`` share.

    Clients leave out much of it, or send null or 0 for what they do not know. What has a safe
    meaning then is read so; which image of several is meant (``item_index``) has none.

    Attributes:
        type: Kind of the region.
        id: Empty where there is none.
        from_name: The control; empty where it is not said.
        to_name: The image; empty where it is not said.
        original_width: Width of the image in pixels; None where it is not known.
        original_height: Height of the image in pixels; None where it is not known.
        image_rotation: Degrees that the editor has turned the image by; echoed only.
        item_index: The image in a task of several.
    """

    type: str
    id: Name = ""
    from_name: Name = ""
    to_name: Name = ""
    original_width: Annotated[int | None, BeforeValidator(side)] = None
    original_height: Annotated[int | None, BeforeValidator(side)] = None
    image_rotation: Annotated[float, BeforeValidator(lambda value: finite_number(value) or 0.0)] = 0
    item_index: Annotated[ItemIndex | None, BeforeValidator(_item_index)] = None


class KeyPoint(BaseRegion):
    """A click."""

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
    def signed(self) -> bool:
        """Whether it says which of the two it is; the editor forgets that of stored points."""
        return self.is_positive is not None or self.value.positive is not None


class Rectangle(BaseRegion):
    """A smart rectangle."""

    type: Literal["rectanglelabels", "rectangle"]
    value: RectangleValue


class Ellipse(BaseRegion):
    """A smart ellipse."""

    type: Literal["ellipselabels", "ellipse"]
    value: EllipseValue


class Polygon(BaseRegion):
    """A smart polygon."""

    type: Literal["polygonlabels", "polygon"]
    value: PolygonValue


class Stroke(BaseRegion):
    """A smart brush stroke."""

    type: Literal["brushlabels", "brush"]
    value: BrushValue


OutlineRegion = Rectangle | Ellipse | Polygon

_R = TypeVar("_R")
OUTLINE_REGION: TypeAdapter[OutlineRegion] = TypeAdapter(
    Annotated[OutlineRegion, Field(discriminator="type")]
)
KEYPOINTS = TypeAdapter(list[KeyPoint])
STROKE = TypeAdapter(Stroke)


def validate(form: TypeAdapter[_R], content: object) -> _R:
    """Read a prompt's regions.

    Raises:
        PromptError: They do not say where, or say it in another form than Label Studio's.
    """
    try:
        return form.validate_python(content)
    except ValidationError as error:
        raise PromptError(
            f"a prompt cannot be read: {first_problem(error)}",
            hint="see Label Studio's region formats; positions are finite numbers in percent",
        ) from error


def earlier_outlines(
    newest: OutlineRegion, regions: Iterable[JSONObject]
) -> tuple[OutlineRegion, ...]:
    """Those of other regions that were drawn as the newest one was, oldest first.

    Args:
        newest: Says which control, image and item are meant.
        regions: The others, untrusted; one that cannot be read is left out.
    """
    target = (newest.from_name, newest.to_name, newest.item_index)
    found = []
    for region in regions:
        with suppress(PromptError):
            outline = validate(OUTLINE_REGION, region)
            if (outline.from_name, outline.to_name, outline.item_index) == target:
                found.append(outline)
    return tuple(found)


def parse_tasks(tasks: object) -> Sequence[JSONObject]:
    """Check that ``tasks`` is a list of objects with a ``data`` object.

    Raises:
        MalformedRequestError: It is not.
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


def first_problem(error: ValidationError) -> str:
    """The first problem of a validation error, without the offending value."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}"
