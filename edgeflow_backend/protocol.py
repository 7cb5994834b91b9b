"""Label Studio's wire format as typed values: from a request's context to clicks.

Only what is needed is looked at: the drafts and annotations in a task carry every mask drawn so
far and are never parsed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from edgeflow.errors import PromptError
from edgeflow.geometry import ImagePoint, Size
from edgeflow.prompts import Click
from edgeflow_backend.errors import MalformedRequestError, UnsupportedPromptError

JSONObject = dict[str, Any]

PERCENT_SLACK = 0.5
"""How far outside 0..100 a click may lie and still count as on the border (rounding in editors)."""


class PercentPoint(NamedTuple):
    """A point in percent of the natural, unrotated picture; 0 is its left or top border."""

    x: float
    y: float

    def to_image(self, size: Size) -> ImagePoint:
        """Convert to image pixels, border points moved onto the outermost pixel.

        Raises:
            PromptError: the point is not on the picture.
        """
        for value in self:
            if not -PERCENT_SLACK <= value <= 100 + PERCENT_SLACK:
                raise PromptError(
                    f"a click at {self.x:g} %, {self.y:g} % lies outside the picture",
                    hint="click inside the picture",
                )
        return ImagePoint(
            min(max(self.x / 100 * size.width - 0.5, 0.0), size.width - 1.0),
            min(max(self.y / 100 * size.height - 0.5, 0.0), size.height - 1.0),
        )


class _Wire(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


Labels = tuple[str, ...]
Name = Annotated[str, Field(max_length=256)]
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


class PromptRegion(_Wire):
    """What all regions of ``context.result`` have in common."""

    id: Name = ""
    from_name: Name
    to_name: Name
    original_width: Annotated[int, Field(gt=0)] | None = None
    original_height: Annotated[int, Field(gt=0)] | None = None
    image_rotation: float = 0
    item_index: Annotated[int, Field(ge=0)] | None = None


class KeyPointValue(Labelled):
    """Where a keypoint is, and its labels."""

    x: float
    y: float
    positive: bool | None = None


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


_KEYPOINTS = TypeAdapter(list[KeyPoint])


@dataclass(frozen=True)
class ClickPrompt:
    """The clicks of one object, in the order in which they were made.

    Attributes:
        points: never empty; all of one control, picture and item.
    """

    points: tuple[KeyPoint, ...]

    @property
    def newest(self) -> KeyPoint:
        """The last click: its control, label, item and picture size are the request's."""
        return self.points[-1]

    @property
    def ids(self) -> tuple[str, ...]:
        """What stands for its regions in a region's id and history, oldest first.

        Label Studio always sends ids; where another client does not, places stand in.
        """
        return tuple(p.id or f"{p.value.x},{p.value.y},{p.positive}" for p in self.points)

    def clicks(self, size: Size, *, begins: bool = True) -> list[Click]:
        """The clicks in image pixels of a picture of ``size``.

        Args:
            size: of the picture.
            begins: whether they begin an object, which takes a positive one.

        Raises:
            PromptError: a click is not on the picture, or none is positive.
        """
        clicks = [
            Click(PercentPoint(point.value.x, point.value.y).to_image(size), point.positive)
            for point in self.points
        ]
        if begins and not any(click.positive for click in clicks):
            raise PromptError(
                "all clicks are negative, so there is no object to cut out",
                hint="click on the object first, without holding Alt",
            )
        return clicks


def parse_context(context: object, *, max_clicks: int) -> ClickPrompt:
    """Read the clicks of an interactive request.

    Args:
        context: ``params.context`` of the request: ``{"result": [region, …]}``.
        max_clicks: more are refused.

    Raises:
        MalformedRequestError: not of Label Studio's form.
        UnsupportedPromptError: no keypoints, but regions of another kind.
        PromptError: no clicks at all, or too many.
    """
    if not isinstance(context, Mapping) or not isinstance(context.get("result", []), list):
        raise MalformedRequestError(
            "`context` is not an object with a list `result`",
            hint='send {"context": {"result": [keypoints]}} or null',
        )
    regions = context.get("result", [])
    raw = [region for region in regions if _kind(region) in ("keypointlabels", "keypoint")]
    if not raw:
        kinds = sorted({_kind(region) for region in regions})
        if kinds:
            raise UnsupportedPromptError(
                f"prompts of type {', '.join(kinds[:5])} are not supported",
                hint="use the keypoint tool",
            )
        raise PromptError("the request has no clicks", hint="click on an object")
    if len(raw) > max_clicks:
        raise PromptError(
            f"{len(raw)} clicks on one object, the limit is {max_clicks}",
            hint="accept or reset the region and start anew, or raise EDGEFLOW_MAX_CLICKS",
        )
    try:
        points = _KEYPOINTS.validate_python(raw)
    except ValidationError as error:
        raise MalformedRequestError(
            f"a keypoint is malformed: {describe(error)}",
            hint="see Label Studio's keypoint format: value.x and value.y in percent",
        ) from error
    newest = points[-1]
    target = (newest.from_name, newest.to_name, newest.item_index)
    return ClickPrompt(tuple(p for p in points if (p.from_name, p.to_name, p.item_index) == target))


def _kind(region: object) -> str:
    if not isinstance(region, Mapping) or not isinstance(region.get("type"), str):
        raise MalformedRequestError(
            "an entry of `context.result` is not a region with a `type`",
            hint="send Label Studio regions",
        )
    return str(region["type"])[:64]


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
