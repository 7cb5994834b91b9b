"""The kinds of prompts: clicks on an object, an outline around it, a stroke over it.

Label Studio sends regions; :data:`PROMPTS` says which kind of prompt they make. Each kind satisfies
:class:`edgeflow_backend.protocol.prompt.Prompt`, whose docstrings say what its members mean.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace

from typing_extensions import Self

from edgeflow.errors import PromptError
from edgeflow.geometry import Size
from edgeflow.label_studio.config.label_config import TaskConfig
from edgeflow.label_studio.controls import CONTROLS
from edgeflow.label_studio.values import JSONObject, PercentPoint
from edgeflow.prompts.click import Click
from edgeflow_backend.errors import (
    MalformedRequestError,
    NothingAskedError,
    UnsupportedPromptError,
)
from edgeflow_backend.protocol.outlines import stroke_clicks
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.wire import (
    KEYPOINTS,
    OUTLINE_REGION,
    STROKE,
    KeyPoint,
    OutlineRegion,
    Stroke,
    earlier_outlines,
    validate,
)


@dataclass(frozen=True)
class ClickPrompt:
    """The clicks on one object, in the order in which they were made.

    Attributes:
        points: Never empty; all of one control, image and item.
        elsewhere: Ids of the points that came along from other pages, oldest first.
    """

    points: tuple[KeyPoint, ...]
    elsewhere: tuple[str, ...] = ()

    @classmethod
    def parse(cls, regions: Sequence[JSONObject], *, max_clicks: int) -> Self:
        """The keypoints of the newest one's control, image and item."""
        if len(regions) > max_clicks:
            raise PromptError(
                f"{len(regions)} clicks on one object, the limit is {max_clicks}",
                hint="accept or reset the region and start anew, or raise EDGEFLOW_MAX_CLICKS",
            )
        points = validate(KEYPOINTS, list(regions))
        target = (points[-1].from_name, points[-1].to_name, points[-1].item_index)
        here = tuple(p for p in points if (p.from_name, p.to_name, p.item_index) == target)
        others = (p for p in points if p not in here and p.from_name == target[0])
        return cls(here, tuple(p.id for p in others if p.id))

    @property
    def newest(self) -> KeyPoint:
        """The last click."""
        return self.points[-1]

    @property
    def labels(self) -> tuple[str, ...]:
        """The last click's labels."""
        return self.newest.value.stored_labels

    @property
    def ids(self) -> tuple[str, ...]:
        """One a click."""
        return tuple(p.id or f"{p.value.x},{p.value.y},{p.positive}" for p in self.points)

    @property
    def marks(self) -> frozenset[Hashable]:
        """Position and sign of each click under its id."""
        if not all(point.id for point in self.points):
            return frozenset()
        return frozenset((p.id, p.value.x, p.value.y, p.positive) for p in self.points)

    @property
    def first_click(self) -> KeyPoint:
        """The first click."""
        return self.points[0]

    @property
    def outline(self) -> None:
        """Clicks have none."""
        return

    def clicks(self, size: Size, *, begins: bool = True) -> list[Click]:
        """The clicks in image pixels."""
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

    def without(self, count: int) -> Self:
        """The later clicks."""
        return replace(self, points=self.points[count:])


class _DrawnPrompt:
    """A prompt that is one region: the newest, where a request has several."""

    region: OutlineRegion | Stroke

    @property
    def labels(self) -> tuple[str, ...]:
        """The region's labels."""
        return self.region.value.stored_labels

    @property
    def ids(self) -> tuple[str, ...]:
        """One for the region."""
        return (self.region.id or self.region.value.model_dump_json(),)

    @property
    def marks(self) -> frozenset[Hashable]:
        """The region's value under its id."""
        region = self.region
        return frozenset({(region.id, region.value.model_dump_json())} if region.id else ())

    @property
    def first_click(self) -> None:
        """What is drawn holds no clicks."""
        return

    def without(self, count: int) -> Self:  # noqa: ARG002
        """The same: it is all one region."""
        return self


@dataclass(frozen=True)
class OutlinePrompt(_DrawnPrompt):
    """A rectangle, ellipse or polygon around the object.

    Attributes:
        earlier: Those of other objects, which are not accepted yet.
    """

    region: OutlineRegion
    earlier: tuple[OutlineRegion, ...] = ()

    @classmethod
    def parse(cls, regions: Sequence[JSONObject], *, max_clicks: int) -> Self:
        """The newest outline, and as many of the earlier ones as there may be clicks."""
        newest = validate(OUTLINE_REGION, regions[-1])
        return cls(newest, earlier_outlines(newest, regions[-max_clicks:-1]))

    @property
    def newest(self) -> OutlineRegion:
        """The region."""
        return self.region

    @property
    def outline(self) -> OutlineRegion:
        """The region."""
        return self.region

    def clicks(self, size: Size, *, begins: bool = True) -> list[Click]:  # noqa: ARG002
        """None: the outline says it all."""
        return []


@dataclass(frozen=True)
class StrokePrompt(_DrawnPrompt):
    """A brush stroke over the object."""

    region: Stroke

    @classmethod
    def parse(cls, regions: Sequence[JSONObject], *, max_clicks: int) -> Self:  # noqa: ARG003
        """The newest stroke."""
        return cls(validate(STROKE, regions[-1]))

    @property
    def newest(self) -> Stroke:
        """The region."""
        return self.region

    @property
    def outline(self) -> None:
        """A stroke goes over the object, not around it."""
        return

    def clicks(self, size: Size, *, begins: bool = True) -> list[Click]:  # noqa: ARG002
        """Positive clicks along the stroke."""
        return stroke_clicks(self.region, size)


_PROMPT_OF_CONTROL: dict[str, type[Prompt]] = {
    "KeyPoint": ClickPrompt,
    "Rectangle": OutlinePrompt,
    "Ellipse": OutlinePrompt,
    "Polygon": OutlinePrompt,
    "Brush": StrokePrompt,
}

PROMPTS = {
    region_type: _PROMPT_OF_CONTROL[kind.name]
    for kind in CONTROLS.values()
    if kind.name in _PROMPT_OF_CONTROL
    for region_type in kind.region_types
}
"""The kind of prompt that a region makes, by the region's type.

Label Studio 1.23 sends keypoints and rectangles; the others serve other clients.
"""


def parse_prompt(context: object, *, max_clicks: int, config: TaskConfig | None = None) -> Prompt:
    """Read the prompt of an interactive request: its clicks, or else what was drawn last.

    Args:
        context: ``params.context`` of the request: ``{"result": [region, …]}``.
        max_clicks: Clicks on one object; more are refused.
        config: Says which control and image are meant where a region does not.

    Raises:
        MalformedRequestError: It is no context.
        UnsupportedPromptError: There are regions, but none that makes a prompt.
        NothingAskedError: There is nothing at all.
        PromptError: There are too many clicks, or they cannot be read.
    """
    regions = parse_context(context)
    prompting = [region for region in regions if region["type"] in PROMPTS]
    if not prompting:
        if not regions:
            raise NothingAskedError("the request has no clicks", hint="click on an object")
        types = sorted({region["type"][:64] for region in regions})
        raise UnsupportedPromptError(
            f"prompts of type {', '.join(types[:5])} are not supported",
            hint="use the keypoint tool",
        )
    kinds = [PROMPTS[region["type"]] for region in prompting]
    kind = ClickPrompt if ClickPrompt in kinds else kinds[-1]
    mine = [region for region, its in zip(prompting, kinds, strict=True) if its is kind]
    if config is not None:
        mine = [_addressed(region, config) for region in mine]
    return kind.parse(mine, max_clicks=max_clicks)


def _addressed(region: JSONObject, config: TaskConfig) -> JSONObject:
    """A region with its control and image, where the config leaves no choice."""
    from_name, to_name = region.get("from_name"), region.get("to_name")
    if from_name and to_name:
        return region
    if not from_name:
        fitting = [
            control
            for control in config.controls
            if control.region_type == region["type"] and to_name in (None, "", control.to_name)
        ]
        from_name = fitting[0].name if len(fitting) == 1 else None
    if not to_name:
        control = config.control(from_name) if isinstance(from_name, str) else None
        if control is not None:
            to_name = control.to_name
        elif len(config.images) == 1:
            to_name = config.images[0].name
        elif config.images:
            raise PromptError(
                "the request does not say which image a prompt is on",
                hint="send `to_name`, the name of the Image tag",
            )
    return {**region, "from_name": from_name, "to_name": to_name}


def parse_context(context: object) -> list[JSONObject]:
    """The regions of an interactive request's context, each with a type.

    Raises:
        MalformedRequestError: It is no context.
    """
    regions = context.get("result", []) if isinstance(context, Mapping) else None
    if not isinstance(regions, list):
        raise MalformedRequestError(
            "`context` is not an object with a list `result`",
            hint='send {"context": {"result": [keypoints]}} or null',
        )
    for region in regions:
        if not isinstance(region, dict) or not isinstance(region.get("type"), str):
            raise MalformedRequestError(
                "an entry of `context.result` is not a region with a `type`",
                hint="send Label Studio regions",
            )
    return regions
