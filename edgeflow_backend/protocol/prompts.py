"""Prompts that are drawn: a rectangle, ellipse or polygon around the object, a stroke over it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter, ValidationError

from edgeflow.errors import PromptError
from edgeflow.geometry import Size
from edgeflow.label_studio.values import PercentPoint
from edgeflow.prompts.click import Click
from edgeflow_backend.errors import MalformedRequestError, UnsupportedPromptError
from edgeflow_backend.protocol.outlines import stroke_clicks
from edgeflow_backend.protocol.wire import (
    SHAPE_TYPES,
    Brush,
    KeyPoint,
    Shape,
    Surrounding,
    describe,
    parse_shape,
)

_KEYPOINTS = TypeAdapter(list[KeyPoint])


@dataclass(frozen=True)
class ClickPrompt:
    """The clicks of one object, in the order in which they were made.

    Attributes:
        points: never empty; all of one control, image and item.
    """

    points: tuple[KeyPoint, ...]

    @property
    def newest(self) -> KeyPoint:
        """The last click: its control, label, item and image size are the request's."""
        return self.points[-1]

    @property
    def ids(self) -> tuple[str, ...]:
        """What stands for its regions in a region's id and history, oldest first.

        Label Studio always sends ids; where another client does not, places stand in.
        """
        return tuple(p.id or f"{p.value.x},{p.value.y},{p.positive}" for p in self.points)

    def clicks(self, size: Size, *, begins: bool = True) -> list[Click]:
        """The clicks in image pixels of an image of ``size``.

        Args:
            size: of the image.
            begins: whether they begin an object, which takes a positive one.

        Raises:
            PromptError: a click is not on the image, or none is positive.
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


@dataclass(frozen=True)
class ShapePrompt:
    """One shape, drawn around an object or over it."""

    shape: Shape

    @property
    def newest(self) -> Shape:
        """The shape: its control, label, item and image size are the request's."""
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
