"""What a task's draft or annotation holds of an object on its pages, and of others."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.objects.pages.sequence import PageSequence
from edgeflow_backend.objects.task_regions import MaskCache, TaskRegion, region_mask
from edgeflow_backend.protocol.targets import has_labels
from edgeflow_backend.requests import ResolvedRequest


@dataclass(frozen=True, eq=False)
class Stored:
    """Regions by page, decoded only when they are asked for.

    Attributes:
        own: The object's.
        alike: Other objects' with the prompt's labels.
        resolved: The request.
        masks: Remembers decoded masks.
    """

    own: Mapping[int, Sequence[TaskRegion]]
    alike: Mapping[int, Sequence[TaskRegion]]
    resolved: ResolvedRequest
    masks: MaskCache

    @property
    def pages(self) -> frozenset[int]:
        """Where the object is."""
        return frozenset(self.own)

    def mask(self, page: int) -> MaskPatch | None:
        """The object on a page, with all its pieces; None where it cannot be read."""
        found = [mask for region in self.own.get(page, ()) if (mask := self._read(region))]
        if not found:
            return None
        if len(found) == 1:
            return found[0]
        return MaskPatch.of(np.logical_or.reduce([mask.whole() for mask in found]))

    def others(self, pages: Collection[int]) -> dict[int, list[MaskPatch]]:
        """The other objects on some pages."""
        there = {page: [mask for _, mask in self._readable(page)] for page in pages}
        return {page: masks for page, masks in there.items() if masks}

    def met(self, met: Sequence[tuple[int, int]]) -> str:
        """The track of an object that was met on another page; empty for none.

        Args:
            met: Pages, and which of the masks there, as :meth:`others` gave them.
        """
        for page, number in met:
            record = self._readable(page)[number][0].record
            if record is not None and record.track:
                return record.track
        return ""

    def _readable(self, page: int) -> list[tuple[TaskRegion, MaskPatch]]:
        """The other objects on a page whose masks can be read."""
        read = ((region, self._read(region)) for region in self.alike.get(page, ()))
        return [(region, mask) for region, mask in read if mask is not None]

    def _read(self, region: TaskRegion) -> MaskPatch | None:
        mask = region_mask(region, self.resolved.image.size, self.masks)
        return None if mask is None or mask.empty else mask


def stored_pages(
    sequence: PageSequence,
    regions: Sequence[TaskRegion],
    track: str,
    resolved: ResolvedRequest,
    masks: MaskCache,
) -> Stored:
    """Read which pages hold an object.

    Args:
        sequence: The pages.
        regions: Those that the annotator has before them.
        track: The object's.
        resolved: The request.
        masks: Remembers decoded masks.
    """
    own: dict[int, list[TaskRegion]] = {}
    alike: dict[int, list[TaskRegion]] = {}
    config, labels = resolved.request.config, resolved.target.labels
    for page, here in sequence.regions_by_page(regions).items():
        if page == sequence.here:
            continue
        for region in here:
            control = config.control(region.from_name)
            if region.record is not None and region.record.track == track:
                own.setdefault(page, []).append(region)
            elif (
                control is not None
                and control.holds_masks
                and has_labels(config, control, region.labels, labels)
            ):
                alike.setdefault(page, []).append(region)
    return Stored(own, alike, resolved, masks)
