"""How a region was made, written into the region itself.

Label Studio keeps a region's ``meta`` through accepting, drafts, annotations and exports. So the
clicks travel with their mask, and an object can be gone on with after a restart, by another
process, or a year later.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edgeflow.geometry import ImagePoint, Size
from edgeflow.label_studio.values import JSONObject, PercentPoint
from edgeflow.prompts.click import Click
from edgeflow_backend.protocol.wire import Surrounding

KEY = "edgeflow"
MAX_CLICKS = 10_000

Percent = Annotated[float, Field(ge=-1, le=101)]
PastClick = tuple[Annotated[str, Field(max_length=256)], Percent, Percent, bool]
"""Its id in Label Studio, x and y in percent, positive?"""


class RegionRecord(BaseModel):
    """What a region of ours says about itself.

    Attributes:
        v: version of this format.
        object: id of the object's first region; outlines in several pieces have more.
        model: which weights.
        clicks: those of the annotator, in order.
        outline: what was drawn around the object before any click.
        from_mask: it began as a mask that is not recorded here, so clicks alone do not make it.
        box: x, y, width and height of the mask's bounding box, percent.
        digest: of the mask that the region's value shows; another one means that somebody edited
            it since. (Label Studio's ``origin`` does not tell: it says "manual" of regions that
            were replaced in place.)
        code_length: of the value's brush code or image; while it is the same, ``box`` holds.
    """

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    v: Literal[1] = 1
    object: Annotated[str, Field(max_length=256)]
    model: Annotated[str, Field(max_length=256)]
    clicks: Annotated[tuple[PastClick, ...], Field(max_length=MAX_CLICKS)] = ()
    outline: Annotated[Surrounding, Field(discriminator="type")] | None = None
    from_mask: bool = False
    box: tuple[float, float, float, float]
    digest: Annotated[str, Field(max_length=64)]
    code_length: int = 0

    @property
    def ids(self) -> frozenset[str]:
        """Ids of all prompts that went into the region."""
        drawn = {self.outline.id} if self.outline is not None else set()
        return frozenset({click[0] for click in self.clicks} | drawn)

    def meta(self) -> JSONObject:
        """What to put under a region's ``meta``."""
        return {KEY: self.model_dump(exclude_defaults=True, mode="json") | {"v": self.v}}


def read_record(region: JSONObject) -> RegionRecord | None:
    """What a region says about itself; None if it is not ours, or says nothing that makes sense."""
    meta: Any = region.get("meta")
    if not isinstance(meta, dict) or KEY not in meta:
        return None
    try:
        return RegionRecord.model_validate(meta[KEY])
    except ValidationError:
        return None


def past_click(key: str, click: Click, size: Size) -> PastClick:
    """A click on an image of ``size`` as it is recorded."""
    x, y = click.point
    return key, (x + 0.5) * 100 / size.width, (y + 0.5) * 100 / size.height, click.positive


def replayed(click: PastClick, size: Size) -> Click:
    """A recorded click on an image of ``size``.

    Raises:
        PromptError: it is not on the image.
    """
    _, x, y, positive = click
    point: ImagePoint = PercentPoint(x, y).to_image(size)
    return Click(point, positive)
