"""The record in a region's ``meta.edgeflow``: how it was made.

Label Studio keeps a region's ``meta`` through accepting, drafts, annotations and exports. So the
clicks travel with their mask, and an object can be refined after a restart, by another process, or
a year later.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgeflow.geometry import Size
from edgeflow.label_studio.object_ids import META_KEY as KEY
from edgeflow.label_studio.values import JSONObject, PercentPoint
from edgeflow.prompts.click import Click
from edgeflow_backend.protocol.wire import OutlineRegion

MAX_CLICKS = 10_000

Percent = Annotated[float, Field(ge=-1, le=101)]
RecordedClick = tuple[Annotated[str, Field(max_length=256)], Percent, Percent, bool]
"""Its id in Label Studio, x and y in percent, whether it is positive."""


class RegionRecord(BaseModel):
    """What a region from this backend says about itself.

    Attributes:
        v: Version of this format.
        object: Id of the object's first region; outlines in several pieces have more.
        model: Version of the model that made it.
        clicks: The annotator's clicks, in order.
        outline: What was drawn around the object before any click.
        from_mask: Whether it began as a mask that is not recorded here, so that clicks alone do not
            make it.
        box: x, y, width and height of the mask's bounding box, percent.
        digest: Digest of the mask that the region's value shows; a different one means that
            somebody edited it since. (Label Studio's ``origin`` does not tell: it says "manual" of
            regions that were replaced in place.)
        code_length: Length of the value's brush code or inline image; while it is the same, ``box``
            holds.
        track: Equal for one object's regions on all pages of a task; empty for an object of one
            page.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    v: Literal[1] = 1
    object: Annotated[str, Field(max_length=256)]
    model: Annotated[str, Field(max_length=256)]
    clicks: Annotated[tuple[RecordedClick, ...], Field(max_length=MAX_CLICKS)] = ()
    outline: Annotated[OutlineRegion, Field(discriminator="type")] | None = None
    from_mask: bool = False
    box: tuple[float, float, float, float]
    digest: Annotated[str, Field(max_length=64)]
    code_length: int = 0
    track: Annotated[str, Field(max_length=256)] = ""

    @property
    def ids(self) -> frozenset[str]:
        """Ids of all prompts that went into the region."""
        drawn = {self.outline.id} if self.outline is not None else set()
        return frozenset({click[0] for click in self.clicks} | drawn)

    def meta(self) -> JSONObject:
        """The region's ``meta``."""
        return {KEY: self.model_dump(exclude_defaults=True, mode="json") | {"v": self.v}}


def read_record(region: JSONObject) -> RegionRecord | None:
    """A region's record; None if it has none, or one that makes no sense."""
    meta: Any = region.get("meta")
    if not isinstance(meta, dict) or KEY not in meta:
        return None
    try:
        return RegionRecord.model_validate(meta[KEY])
    except ValidationError:
        return None


def record_click(key: str, click: Click, size: Size) -> RecordedClick:
    """A click on an image of ``size``, as it is recorded under the id ``key``."""
    x, y = click.point
    return key, (x + 0.5) * 100 / size.width, (y + 0.5) * 100 / size.height, click.positive


def replay_click(recorded: RecordedClick, size: Size) -> Click:
    """A recorded click on an image of ``size``.

    Raises:
        PromptError: It is not on the image.
    """
    _, x, y, positive = recorded
    return Click(PercentPoint(x, y).to_image(size), positive)
