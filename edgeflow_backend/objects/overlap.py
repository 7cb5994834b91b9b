"""Objects that must not overlap: a new mask gives way to those that are there already.

Asked for by ``edgeflowOverlap="never"`` on the mask control. What an answer may not cover is cut
out of it last, so an object's clicks and its network states know nothing of its neighbours: the
recorded clicks still make the mask, and are replayed and cut again when it is refined.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from edgeflow.errors import PromptError
from edgeflow.geometry import Size
from edgeflow.label_studio.controls import kind_of_region
from edgeflow.masks.patch import MaskPatch, fit_mask
from edgeflow_backend.objects.recent_answers import RecentAnswer
from edgeflow_backend.objects.task_regions import MaskCache, TaskRegion, region_mask
from edgeflow_backend.requests import ResolvedRequest


class Neighbours:
    """The other objects that an annotator has before them.

    Args:
        masks: Remembers decoded masks.
    """

    def __init__(self, masks: MaskCache) -> None:
        self._masks = masks

    def give_way(
        self,
        answer: RecentAnswer,
        resolved: ResolvedRequest,
        regions: Sequence[TaskRegion],
        recent: Sequence[RecentAnswer],
    ) -> RecentAnswer:
        """An answer without what other objects cover, where its control asks for that.

        Args:
            answer: Its mask is at the image's size and not empty.
            resolved: The request that it answers.
            regions: Regions that the annotator has before them.
            recent: Answers that may not be stored yet, newest first.

        Returns:
            The very same answer where overlaps are allowed.

        Raises:
            PromptError: Nothing is left of it.
        """
        control = resolved.request.config.control(answer.after.control)
        if control is None or not control.exclusive:
            return answer
        left = without(answer.mask, self._others(answer, answer.mask.image_size, regions, recent))
        if left.empty:
            raise PromptError(
                "the object found at these clicks lies on masks that are there already",
                hint='delete or refine those, or remove edgeflowOverlap="never" from the '
                f"labelling config's {control}",
            )
        return replace(answer, mask=left)

    def apart(
        self,
        answers: Sequence[RecentAnswer],
        resolved: ResolvedRequest,
        regions: Sequence[TaskRegion] = (),
    ) -> tuple[list[RecentAnswer], list[PromptError]]:
        """The objects of one request, each without what the ones before it cover.

        Args:
            answers: In the order of their clicks.
            resolved: The request that they answer.
            regions: Regions that the annotator has before them, where the answers have not given
                way to those yet.

        Returns:
            The answers of which something is left, and why others have none.
        """
        kept: list[RecentAnswer] = []
        lost: list[PromptError] = []
        for answer in answers:
            try:
                kept.append(self.give_way(answer, resolved, regions, kept))
            except PromptError as error:
                lost.append(error)
        return kept, lost

    def _others(
        self,
        answer: RecentAnswer,
        size: Size,
        regions: Sequence[TaskRegion],
        recent: Sequence[RecentAnswer],
    ) -> Iterator[MaskPatch]:
        """Masks at the image's size."""
        place = (answer.to_name, answer.item_index or 0)
        told = {answer.after.region_id}
        for other in recent:
            if (other.to_name, other.item_index or 0) == place:
                if other.after.region_id not in told:
                    yield other.mask
                told.add(other.after.region_id)
        for region in regions:
            here = (region.to_name, region.item_index or 0) == place
            if here and region.object_id not in told and _covers(region):
                mask = region_mask(region, size, self._masks)
                if mask is not None:
                    yield fitted(mask, size)


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


def fitted(mask: MaskPatch, size: Size) -> MaskPatch:
    """A mask at another size of its image; the very same one if it has that size."""
    return mask if mask.image_size == size else MaskPatch.of(fit_mask(mask.whole(), size))
