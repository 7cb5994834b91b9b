"""Which object a prompt is about: a new one, or one that is there already.

With "auto-accept" on every click arrives alone, and a click on a mask that was accepted, or drawn
by hand, means that mask. What is known of its making is gone on with; otherwise the mask itself is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from edgeflow.errors import PromptError
from edgeflow.geometry import Size
from edgeflow.label_studio.controls import MASK_TAGS
from edgeflow.masks.patch import MaskPatch, fit_mask
from edgeflow.prompts.prior_mask import PriorMask
from edgeflow_backend.objects.recent_answers import RecentAnswer
from edgeflow_backend.objects.segmented_object import SegmentedObject
from edgeflow_backend.objects.task_regions import MaskCache, StoredRegion, code_length, stored_mask
from edgeflow_backend.protocol.label_config import LabelConfig
from edgeflow_backend.protocol.outlines import outline
from edgeflow_backend.protocol.prompts import Prompt, ShapePrompt
from edgeflow_backend.protocol.record import replayed
from edgeflow_backend.protocol.wire import KeyPoint


class Refinement:
    """Finds the object that a prompt goes on with.

    Args:
        reach: how far outside a mask a positive click may lie, percent of the image's longer
            side.
        masks: remembers decoded masks.
    """

    def __init__(self, reach: float, masks: MaskCache) -> None:
        self._reach = reach
        self._masks = masks

    def find(
        self,
        prompt: Prompt,
        label: str | None,
        config: LabelConfig,
        *,
        stored: Sequence[StoredRegion],
        recent: Sequence[RecentAnswer],
        repeated: RecentAnswer | None,
        size: Size,
        model: str,
    ) -> SegmentedObject | None:
        """The object that a prompt goes on with; None if it begins one.

        Args:
            prompt: drawn shapes always begin an object.
            label: by value; None matches any.
            config: controls and their labels.
            stored: regions that the annotator sees, topmost first.
            recent: answers that may not be stored yet, newest first.
            repeated: the last answer to a prompt that began with the same point.
            size: the image's.
            model: the version that will answer.
        """
        if repeated is not None:
            return repeated.before if repeated.before.exists else None
        if isinstance(prompt, ShapePrompt):
            return None
        first = prompt.points[0]
        wanted = _Wanted(first, label, config)
        answers = [answered for answered in recent if wanted.fits_answer(answered)]
        newer = {answered.after.region_id for answered in answers}
        regions = [r for r in stored if r.object_id not in newer and wanted.fits(r)]
        for reach in self._reaches(first, size):
            for answered in answers:
                if answered.mask.within(first.value.x, first.value.y, reach):
                    return replace(answered.after, exists=True)
            for region in regions:
                crop = self._mask_near(region, first, reach, size)
                if crop is not None and crop.within(first.value.x, first.value.y, reach):
                    return _stored_object(region, crop, size, model)
        return None

    def _reaches(self, point: KeyPoint, size: Size) -> Iterator[float]:
        """Image pixels: inside first; after that, for positive clicks, near."""
        yield 0.0
        if point.positive and self._reach > 0:
            yield self._reach / 100 * max(size)

    def _mask_near(
        self, region: StoredRegion, point: KeyPoint, reach: float, size: Size
    ) -> MaskPatch | None:
        """The region's mask, unless its own record says that it is elsewhere."""
        told = region.provenance
        if told is not None and told.code_length and told.code_length == code_length(region.value):
            left, top, width, height = told.box
            across, down = ((reach + 1) * 100 / side for side in (size.width, size.height))
            if not (
                left - across <= point.value.x <= left + width + across
                and top - down <= point.value.y <= top + height + down
            ):
                return None
        return stored_mask(region, size, self._masks)


class _Wanted:
    """What a region must be to be meant by a click."""

    def __init__(self, point: KeyPoint, label: str | None, config: LabelConfig) -> None:
        self._point = point
        self._label = label
        self._config = config

    def fits(self, region: StoredRegion) -> bool:
        """Whether a stored region is of the click's image and label, and can hold a mask."""
        control = self._config.control(region.from_name)
        if control is None or control.tag not in MASK_TAGS or control.region_type != region.type:
            return False
        if control.tag.startswith("Rectangle") and region.provenance is None:
            return False  # a rectangle that somebody drew is a rectangle, not a coarse mask
        same_place = (region.to_name, region.item_index or 0) == (
            self._point.to_name,
            self._point.item_index or 0,
        )
        labels = {control.value_of(stored) for stored in region.labels}
        return same_place and (self._label is None or not control.labels or self._label in labels)

    def fits_answer(self, answered: RecentAnswer) -> bool:
        """Whether a recent answer is, and came from a prompt that arrived alone.

        Answers to several points are suggestions that wait; what becomes of them, drafts tell.
        """
        control = self._config.control(answered.after.control)
        if control is None or len(answered.prompt_ids) > 1:
            return False
        same_place = (answered.to_name, answered.item_index or 0) == (
            self._point.to_name,
            self._point.item_index or 0,
        )
        label = answered.after.label
        return same_place and (
            self._label is None or label is None or control.value_of(label) == self._label
        )


def _stored_object(
    region: StoredRegion, crop: MaskPatch, size: Size, model: str
) -> SegmentedObject:
    """A stored region as an object: its clicks if they still make its mask, else the mask."""
    told = region.provenance
    so_far = SegmentedObject(
        region_id=region.id,
        control=region.from_name,
        label=next(iter(region.labels), None),
        past=told.clicks if told is not None else (),
        exists=True,
    )
    if (
        told is not None
        and not told.from_mask
        and told.model == model
        and told.digest == crop.digest
    ):
        with contextlib.suppress(PromptError):  # a record that does not fit its image
            return replace(
                so_far,
                region_id=told.object,
                start=outline(told.outline, size) if told.outline is not None else None,
                outline=told.outline,
                clicks=tuple(replayed(click, size) for click in told.clicks),
            )
    return replace(so_far, start=PriorMask(fit_mask(crop.whole(), size)), from_mask=True)
