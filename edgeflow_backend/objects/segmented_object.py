"""An object before and after a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from edgeflow.geometry import Size
from edgeflow.label_studio.values import JSONObject
from edgeflow.masks.patch import MaskPatch
from edgeflow.prompts.click import Click
from edgeflow.prompts.start import Start
from edgeflow_backend.objects.task_regions import code_length
from edgeflow_backend.protocol.record import PastClick, RegionRecord, past_click
from edgeflow_backend.protocol.wire import Surrounding


@dataclass(frozen=True, eq=False)
class SegmentedObject:
    """An object before a prompt: what it began with, and its clicks up to then.

    Attributes:
        region_id: of the region that shows it.
        control: name of the control that holds it.
        label: as stored; None without one.
        start: what it began with.
        clicks: before the prompt, in image pixels.
        past: the same as they are recorded.
        outline: the drawn outline it began with, as recorded.
        from_mask: whether it began as a mask that no record holds.
        exists: whether the annotator sees it already.
    """

    region_id: str
    control: str
    label: str | None
    start: Start | None = None
    clicks: tuple[Click, ...] = ()
    past: tuple[PastClick, ...] = ()
    outline: Surrounding | None = None
    from_mask: bool = False
    exists: bool = False

    def with_clicks(
        self, ids: Sequence[str], clicks: Sequence[Click], size: Size
    ) -> SegmentedObject:
        """The object once a prompt's clicks are added.

        Args:
            ids: of the prompt's regions: one a click, or one for all that stand for a stroke.
            clicks: in image pixels.
            size: the image's.
        """
        keys = ids if len(ids) == len(clicks) else [ids[0]] * len(clicks)
        past = [past_click(key, click, size) for key, click in zip(keys, clicks, strict=True)]
        return replace(self, clicks=(*self.clicks, *clicks), past=(*self.past, *past))

    def record(self, region: JSONObject, mask: MaskPatch, model: str) -> JSONObject:
        """The object's record, for the ``meta`` of a region that shows it.

        Args:
            region: with its value.
            mask: what the value shows.
            model: version of the model that made it.
        """
        return RegionRecord(
            object=self.region_id,
            model=model,
            clicks=self.past,
            outline=self.outline,
            from_mask=self.from_mask,
            box=mask.percent_box,
            digest=mask.digest,
            code_length=code_length(region["value"]),
        ).meta()
