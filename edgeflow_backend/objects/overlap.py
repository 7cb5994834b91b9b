"""Objects that must not overlap: a new mask gives way to those that are there already.

Asked for by ``edgeflowOverlap="never"`` on the mask control. What an answer may not cover is cut
out of it last, so an object's clicks and its network states know nothing of its neighbours: the
recorded clicks still make the mask, and are replayed and cut again when it is refined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from edgeflow.errors import PromptError
from edgeflow.geometry import Size
from edgeflow.label_studio.controls import kind_of_region
from edgeflow.masks.patch import MaskPatch, fit_mask
from edgeflow_backend.objects.recent_answers import RecentAnswers
from edgeflow_backend.objects.segmented_object import SegmentedObject
from edgeflow_backend.objects.task_regions import MaskCache, TaskRegion, region_mask
from edgeflow_backend.requests import ResolvedRequest


class Neighbours:
    """The other objects that an annotator has before them.

    Args:
        recent: Answers that may not be stored yet.
        masks: Remembers decoded masks.
    """

    def __init__(self, recent: RecentAnswers, masks: MaskCache) -> None:
        self._recent = recent
        self._masks = masks

    def give_way(
        self,
        mask: MaskPatch,
        segmented: SegmentedObject,
        resolved: ResolvedRequest,
        regions: Sequence[TaskRegion],
    ) -> MaskPatch:
        """An object's mask without what other objects cover, where its control asks for that.

        Args:
            mask: At the image's size; not empty.
            segmented: The object.
            resolved: The request that it answers.
            regions: Regions that the annotator has before them.

        Returns:
            The very same mask where overlaps are allowed.

        Raises:
            PromptError: Nothing is left of it.
        """
        control = resolved.request.config.control(segmented.control)
        if control is None or not control.exclusive:
            return mask
        left = without(mask, self._others(segmented, resolved, regions))
        if left.empty:
            raise PromptError(
                "the object found at these clicks lies on masks that are there already",
                hint='delete or refine those, or remove edgeflowOverlap="never" from the '
                f"labelling config's {control}",
            )
        return left

    def _others(
        self, segmented: SegmentedObject, resolved: ResolvedRequest, regions: Sequence[TaskRegion]
    ) -> Iterator[MaskPatch]:
        """Masks at the image's size."""
        newest, size = resolved.request.prompt.newest, resolved.image.size
        place = (newest.to_name, newest.item_index or 0)
        told = {segmented.region_id}
        for answer in self._recent.of(resolved.scene, {region.object_id for region in regions}):
            # Answers to several points are suggestions that wait; drafts tell what becomes of them.
            alone = len(answer.prompt_ids) == 1
            if alone and (answer.to_name, answer.item_index or 0) == place:
                if answer.after.region_id not in told:
                    yield answer.mask
                told.add(answer.after.region_id)
        for region in regions:
            here = (region.to_name, region.item_index or 0) == place
            if here and region.object_id not in told and _covers(region):
                mask = region_mask(region, size, self._masks)
                if mask is not None:
                    yield _fitted(mask, size)


def without(mask: MaskPatch, others: Iterable[MaskPatch]) -> MaskPatch:
    """A mask minus others of the same image.

    Returns:
        A new mask, perhaps empty.
    """
    pixels = mask.pixels.copy()
    for other in others:
        common = mask.box.intersection(other.box)
        if common.area:
            here = common.shifted(-mask.box.top, -mask.box.left).slices
            there = common.shifted(-other.box.top, -other.box.left).slices
            pixels[here] &= ~other.pixels[there]
    return MaskPatch.within_frame(pixels, mask.box, mask.image_size, copy=False)


def _covers(region: TaskRegion) -> bool:
    """Whether a region says which pixels are its object's; a rectangle only says where it is."""
    kind = kind_of_region(region.type)
    return kind is not None and kind.mask is not None and kind.mask.drawn_is_mask


def _fitted(mask: MaskPatch, size: Size) -> MaskPatch:
    return mask if mask.image_size == size else MaskPatch.of(fit_mask(mask.whole(), size))
