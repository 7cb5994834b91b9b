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
from edgeflow_backend.protocol.outlines import outline
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.record import RecordedClick, RegionRecord, record_click
from edgeflow_backend.protocol.regions import region_id
from edgeflow_backend.protocol.targets import Target
from edgeflow_backend.protocol.wire import OutlineRegion


@dataclass(frozen=True, eq=False)
class SegmentedObject:
    """An object, and all that its next mask depends on.

    Attributes:
        region_id: Id of the region that shows it.
        control: Name of the control that holds it.
        labels: As stored.
        start: What it began with, besides clicks.
        clicks: Its clicks in image pixels.
        recorded: The same clicks as they are recorded.
        outline: The drawn outline it began with, as recorded.
        from_mask: Whether it began as a mask that no record holds.
        exists: Whether the annotator sees it already.
        track: Equal for one object on all pages of a task; empty for an object of one page.
    """

    region_id: str
    control: str
    labels: tuple[str, ...]
    start: Start | None = None
    clicks: tuple[Click, ...] = ()
    recorded: tuple[RecordedClick, ...] = ()
    outline: OutlineRegion | None = None
    from_mask: bool = False
    exists: bool = False
    track: str = ""

    @classmethod
    def begin(cls, prompt: Prompt, task_id: object, target: Target, size: Size) -> SegmentedObject:
        """The object that a prompt begins, before the prompt's clicks.

        Args:
            prompt: The request's.
            task_id: The request's task.
            target: What the labelling config says of the prompt.
            size: Image size.

        Raises:
            PromptError: The outline is not on the image.
        """
        drawn = prompt.outline
        return cls(
            region_id=region_id(task_id, prompt.newest.from_name, prompt.ids),
            control=target.control.name,
            labels=target.stored,
            start=outline(drawn, size) if drawn is not None else None,
            outline=drawn,
        )

    def with_clicks(
        self, ids: Sequence[str], clicks: Sequence[Click], size: Size
    ) -> SegmentedObject:
        """The object with a prompt's clicks added.

        Args:
            ids: Ids of the prompt's regions: one a click, or one for all that stand for a stroke.
            clicks: In image pixels.
            size: Image size.
        """
        keys = ids if len(ids) == len(clicks) else [ids[0]] * len(clicks)
        added = [record_click(key, click, size) for key, click in zip(keys, clicks, strict=True)]
        return replace(self, clicks=(*self.clicks, *clicks), recorded=(*self.recorded, *added))

    def record(self, region: JSONObject, mask: MaskPatch, model: str) -> JSONObject:
        """The ``meta`` of a region that shows the object.

        Args:
            region: The region, with its value.
            mask: What the value shows.
            model: Version of the model that made it.
        """
        return RegionRecord(
            object=self.region_id,
            model=model,
            clicks=self.recorded,
            outline=self.outline,
            from_mask=self.from_mask,
            box=mask.percent_box,
            digest=mask.digest,
            code_length=code_length(region["value"]),
            track=self.track,
        ).meta()
