"""Which object a prompt means: a new one, or one that exists and is refined.

With "auto-accept" on, every click arrives alone, and a click on a mask that was accepted, or drawn
by hand, means that mask. Its clicks are replayed where they are recorded and still make it;
otherwise the mask itself is what the object begins with.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from edgeflow.errors import PromptError
from edgeflow.geometry import Size
from edgeflow.label_studio.config.label_config import TaskConfig
from edgeflow.label_studio.config.labels import Label
from edgeflow.masks.patch import MaskPatch, fit_mask
from edgeflow.prompts.prior_mask import PriorMask
from edgeflow_backend.objects.recent_answers import RecentAnswer
from edgeflow_backend.objects.segmented_object import SegmentedObject
from edgeflow_backend.objects.task_regions import (
    MaskCache,
    TaskRegion,
    TaskRegions,
    code_length,
    region_mask,
)
from edgeflow_backend.protocol.outlines import outline
from edgeflow_backend.protocol.prompt import Prompt
from edgeflow_backend.protocol.record import RecordedClick, replay_click
from edgeflow_backend.protocol.targets import has_labels
from edgeflow_backend.protocol.wire import KeyPoint
from edgeflow_backend.requests import ResolvedRequest

SAME_PLACE = 0.5
"""Two clicks that are nearer are at the same place; percent of the image's longer side."""


def reaches(click: KeyPoint, reach: float, size: Size) -> Iterator[float]:
    """How far from a mask a click on it may lie, image pixels: inside first, positive ones near.

    Args:
        click: The click.
        reach: The farthest, percent of the image's longer side.
        size: Image size.
    """
    yield 0.0
    if click.positive and reach > 0:
        yield reach / 100 * max(size)


class Refinement:
    """Finds the object that a prompt refines.

    Args:
        reach: How far outside a mask a positive click may lie, percent of the image's longer side.
        masks: Remembers decoded masks.
    """

    def __init__(self, reach: float, masks: MaskCache) -> None:
        self._reach = reach
        self._masks = masks

    def find(
        self,
        prompt: Prompt,
        labels: Sequence[Label],
        config: TaskConfig,
        *,
        regions: Sequence[TaskRegion],
        recent: Sequence[RecentAnswer],
        repeated: RecentAnswer | None,
        quick: bool = False,
        size: Size,
        model: str,
    ) -> SegmentedObject | None:
        """The object that a prompt refines; None if it begins one.

        Args:
            prompt: What is drawn always begins an object.
            labels: The prompt's; none match any.
            config: Controls and their labels.
            regions: Regions that the annotator sees, topmost first.
            recent: Answers that may not be stored yet, newest first.
            repeated: The last answer to a prompt that began with the same point.
            quick: Whether that answer may not have arrived when the prompt was made.
            size: Image size.
            model: Version of the model that will answer.
        """
        if repeated is not None:
            # Whichever answer the editor took, a quick point's object replaces its region.
            same = replace(repeated.before, region_id=repeated.after.region_id)
            return same if quick or repeated.before.exists else None
        click = prompt.first_click
        if click is None:
            return None
        target = _RefineTarget(click, labels, config, size)
        answers = [answer for answer in recent if target.fits_answer(answer)]
        newer = {answer.after.region_id for answer in answers}
        if (undone := next(filter(target.repeats, answers), None)) is not None:
            return undone.before if undone.before.exists else None
        answers = [a for a in answers if target.corrects(a.mask, a.after.recorded)]
        candidates = [r for r in regions if r.object_id not in newer and target.fits(r)]
        for reach in reaches(click, self._reach, size):
            for answer in answers:
                if answer.mask.within(click.value.x, click.value.y, reach):
                    return answer.shown
            for region in candidates:
                mask = self._mask_near(region, click, reach, size)
                if mask is not None and mask.within(click.value.x, click.value.y, reach):
                    clicks = region.record.clicks if region.record is not None else ()
                    if target.corrects(mask, clicks):
                        return _stored_object(region, mask, size, model)
        return None

    def find_stored(self, resolved: ResolvedRequest) -> SegmentedObject | None:
        """The object in the task's drafts that a prompt refines; None if it begins one."""
        request = resolved.request
        regions = TaskRegions.of(request.task, "drafts" if request.refines else "off")
        return self.find(
            request.prompt,
            resolved.target.labels,
            request.config,
            regions=regions.open,
            recent=(),
            repeated=None,
            size=resolved.image.size,
            model=resolved.model.version,
        )

    def _mask_near(
        self, region: TaskRegion, click: KeyPoint, reach: float, size: Size
    ) -> MaskPatch | None:
        """The region's mask, unless its own record says that it is elsewhere."""
        record = region.record
        if record and record.code_length and record.code_length == code_length(region.value):
            left, top, width, height = record.box
            across, down = ((reach + 1) * 100 / side for side in (size.width, size.height))
            if not (
                left - across <= click.value.x <= left + width + across
                and top - down <= click.value.y <= top + height + down
            ):
                return None
        return region_mask(region, size, self._masks)


@dataclass(frozen=True)
class _RefineTarget:
    """What an object must be for a click to mean it: of the click's image and labels."""

    click: KeyPoint
    labels: Sequence[Label]
    config: TaskConfig
    size: Size

    def fits(self, region: TaskRegion) -> bool:
        """Whether a stored region is meant; it must be able to hold a mask."""
        control = self.config.control(region.from_name)
        if control is None or control.region_type != region.type:
            return False
        if control.kind is None or control.kind.mask is None:
            return False
        if not control.kind.mask.drawn_is_mask and region.record is None:
            return False
        return self._on_image(region.to_name, region.item_index) and has_labels(
            self.config, control, region.labels, self.labels
        )

    def fits_answer(self, answer: RecentAnswer) -> bool:
        """Whether a recent answer is meant."""
        control = self.config.control(answer.after.control)
        if control is None or not self._on_image(answer.to_name, answer.item_index):
            return False
        return has_labels(self.config, control, answer.after.labels, self.labels)

    def corrects(self, mask: MaskPatch, clicks: Sequence[RecordedClick]) -> bool:
        """Whether the click may correct a mask.

        A positive click does not where the mask has one already and shows it. A plain click on a
        mask that is there sends nothing, so that mask was rejected, deleted or undone.

        Args:
            mask: The mask, as far as is known.
            clicks: Those that made it.
        """
        return not (
            self.click.positive and self._shown(mask) and any(map(self._at_place_of, clicks))
        )

    def repeats(self, answer: RecentAnswer) -> bool:
        """Whether the click asks again for what an answer's click got: then that was undone."""
        return (
            len(answer.prompt_ids) == 1
            and not answer.drawn
            and bool(answer.after.recorded)
            and self._shown(answer.mask) == self.click.positive
            and self._at_place_of(answer.after.recorded[-1])
        )

    def _shown(self, mask: MaskPatch) -> bool:
        return mask.within(self.click.value.x, self.click.value.y, 0)

    def _at_place_of(self, recorded: RecordedClick) -> bool:
        _, x, y, positive = recorded
        away = math.hypot(
            (x - self.click.value.x) / 100 * self.size.width,
            (y - self.click.value.y) / 100 * self.size.height,
        )
        near = max(1.0, SAME_PLACE / 100 * max(self.size))
        return positive == self.click.positive and away <= near

    def _on_image(self, to_name: str, item_index: int | None) -> bool:
        click = self.click
        return (to_name, item_index or 0) == (click.to_name, click.item_index or 0)


def _stored_object(region: TaskRegion, mask: MaskPatch, size: Size, model: str) -> SegmentedObject:
    """A stored region as an object: its clicks if they still make its mask, else the mask."""
    record = region.record
    stored = SegmentedObject(
        region_id=region.id,
        control=region.from_name,
        labels=region.labels,
        recorded=record.clicks if record is not None else (),
        exists=True,
        track=record.track if record is not None else "",
    )
    if (
        record is not None
        and not record.from_mask
        and record.model == model
        and record.digest == mask.digest
    ):
        with contextlib.suppress(PromptError):  # a record that does not fit its image
            return replace(
                stored,
                region_id=record.object,
                start=outline(record.outline, size) if record.outline is not None else None,
                outline=record.outline,
                clicks=tuple(replay_click(click, size) for click in record.clicks),
            )
    return replace(stored, start=PriorMask(fit_mask(mask.whole(), size)), from_mask=True)
