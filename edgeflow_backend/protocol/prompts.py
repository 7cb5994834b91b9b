"""Prompts of interactive requests: what a request says about one object.

Label Studio sends regions; :data:`PROMPTS` says which kind of prompt they make.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from typing import Protocol

from typing_extensions import Self

from edgeflow.errors import PromptError
from edgeflow.geometry import Size
from edgeflow.label_studio.controls import CONTROLS
from edgeflow.label_studio.values import JSONObject
from edgeflow.prompts.click import Click
from edgeflow_backend.errors import MalformedRequestError, UnsupportedPromptError
from edgeflow_backend.protocol.prompt_kinds import ClickPrompt, OutlinePrompt, StrokePrompt
from edgeflow_backend.protocol.wire import BaseRegion, KeyPoint, OutlineRegion


class Prompt(Protocol):
    """What a request says about one object."""

    @classmethod
    def parse(cls, regions: Sequence[JSONObject], *, max_clicks: int) -> Self:
        """Read it from regions of its types, oldest first; see :func:`parse_prompt`."""
        ...

    @property
    def newest(self) -> BaseRegion:
        """Its last region: whose control, item and image size are the request's."""
        ...

    @property
    def label(self) -> str | None:
        """The newest region's label, as Label Studio stores it; None without one."""
        ...

    @property
    def ids(self) -> tuple[str, ...]:
        """An id for each region, oldest first; part of the answer's id and record.

        Label Studio always sends ids; where another client does not, the values stand in.
        """
        ...

    @property
    def marks(self) -> frozenset[Hashable]:
        """What the prompt says: ids with positions and signs, comparable as sets.

        Empty where a client sends no ids: then two requests may come from two annotators, and
        neither may stand for the other.
        """
        ...

    @property
    def first_click(self) -> KeyPoint | None:
        """The click that may refine an object; None for what is drawn, which always begins one."""
        ...

    @property
    def outline(self) -> OutlineRegion | None:
        """The outline around the object, where that is the prompt."""
        ...

    def clicks(self, size: Size, *, begins: bool = True) -> list[Click]:
        """The prompt's clicks, or those that stand for it, in image pixels.

        Args:
            size: Image size.
            begins: Whether they begin an object, which takes a positive one.

        Raises:
            PromptError: They cannot be used; the message says why.
        """
        ...

    def without(self, count: int) -> Self:
        """The prompt without its first regions; some must be left."""
        ...


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


def parse_prompt(context: object, *, max_clicks: int) -> Prompt:
    """Read the prompt of an interactive request: its clicks, or else what was drawn last.

    Args:
        context: ``params.context`` of the request: ``{"result": [region, …]}``.
        max_clicks: Clicks on one object; more are refused.

    Raises:
        MalformedRequestError: It is not of Label Studio's form.
        UnsupportedPromptError: There are regions, but none that makes a prompt.
        PromptError: There is nothing at all, or there are too many clicks.
    """
    regions = _regions(context)
    prompting = [region for region in regions if region["type"] in PROMPTS]
    if not prompting:
        if not regions:
            raise PromptError("the request has no clicks", hint="click on an object")
        types = sorted({region["type"][:64] for region in regions})
        raise UnsupportedPromptError(
            f"prompts of type {', '.join(types[:5])} are not supported",
            hint="use the keypoint tool",
        )
    kinds = [PROMPTS[region["type"]] for region in prompting]
    kind = ClickPrompt if ClickPrompt in kinds else kinds[-1]
    mine = [region for region, its in zip(prompting, kinds, strict=True) if its is kind]
    return kind.parse(mine, max_clicks=max_clicks)


def _regions(context: object) -> list[JSONObject]:
    """The regions of a context, each with a type."""
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
