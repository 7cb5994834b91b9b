"""The masks that an annotator has before them, for a search: examples, and places that are taken.

A region of the prompt's labels is a further example. One of other labels says only that its place
is taken, unless it is much larger: a cell around its nucleus is no reason to look for no nucleus.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from edgeflow.label_studio.controls import kind_of_region
from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.objects.overlap import fitted
from edgeflow_backend.objects.task_regions import MaskCache, TaskRegion, region_mask
from edgeflow_backend.protocol.targets import has_labels
from edgeflow_backend.requests import ResolvedRequest

MUCH_LARGER = 3.0
"""A mask of other labels with so many times an example's area lies around objects, not on them."""


@dataclass(frozen=True)
class KnownMask:
    """A region's mask.

    Attributes:
        mask: At the image's size, not empty.
        alike: Whether the region has the prompt's labels.
        exact: Whether it says which pixels are the object's; a box only says where it is.
    """

    mask: MaskPatch
    alike: bool
    exact: bool = True

    @property
    def example(self) -> bool:
        """Whether it shows what is looked for."""
        return self.alike and self.exact


def known_masks(
    regions: Sequence[TaskRegion], resolved: ResolvedRequest, masks: MaskCache
) -> list[KnownMask]:
    """The masks on the prompt's image, topmost first.

    Args:
        regions: Those that the annotator has before them, topmost first.
        resolved: The request.
        masks: Remembers decoded masks.
    """
    return list(_known(regions, resolved, masks))


def taken(
    known: Sequence[KnownMask], examples: Sequence[MaskPatch], others: Sequence[MaskPatch] = ()
) -> list[MaskPatch]:
    """The masks that no new object may lie on.

    Args:
        known: From :func:`known_masks`.
        examples: Of what is looked for; at least one.
        others: Further masks whose places are taken.
    """
    largest = MUCH_LARGER * max(np.count_nonzero(mask.pixels) for mask in examples)
    there = [
        each.mask for each in known if each.alike or np.count_nonzero(each.mask.pixels) < largest
    ]
    return [*there, *others]


def _known(
    regions: Sequence[TaskRegion], resolved: ResolvedRequest, masks: MaskCache
) -> Iterator[KnownMask]:
    newest, config = resolved.request.prompt.newest, resolved.request.config
    place = (newest.to_name, newest.item_index or 0)
    for region in regions:
        kind, control = kind_of_region(region.type), config.control(region.from_name)
        if kind is None or kind.mask is None or control is None:
            continue
        if (region.to_name, region.item_index or 0) != place:
            continue
        mask = region_mask(region, resolved.image.size, masks)
        if mask is None or mask.empty:
            continue
        yield KnownMask(
            fitted(mask, resolved.image.size),
            alike=has_labels(config, control, region.labels, resolved.target.labels),
            exact=kind.mask.drawn_is_mask,
        )
