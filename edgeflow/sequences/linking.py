"""Which masks on several pages are one object, and how far each may be carried."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from edgeflow.geometry import Box
from edgeflow.masks.patch import MaskPatch


class PageRegion(NamedTuple):
    """An annotated object on a page.

    Attributes:
        page: Number of the page, from 0.
        key: Unique on its page; the same on two pages says that it is one object.
        kind: Of control that holds it, such as ``Brush``.
        labels: Class names.
        patch: What it covers, at least one pixel.
    """

    page: int
    key: str
    kind: str
    labels: tuple[str, ...]
    patch: MaskPatch


@dataclass(frozen=True, eq=False)
class SequenceObject:
    """An object that is to be carried on.

    Attributes:
        key: Unique among the objects of a sequence.
        kind: As in :class:`PageRegion`.
        labels: Class names.
        known: Its masks by page; an empty one says that it must not be answered there.
    """

    key: str
    kind: str
    labels: tuple[str, ...]
    known: dict[int, MaskPatch]

    @property
    def pages(self) -> list[int]:
        """The pages that it is on."""
        return sorted(page for page, patch in self.known.items() if not patch.empty)


def link(regions: Iterable[PageRegion]) -> list[SequenceObject]:
    """Join what is one object, and close the pages that are annotated.

    Regions with one key are one object. Beyond that, a label that no page has twice is one object
    throughout. Where a page has it twice, nothing says which belongs to which: each object is
    carried by itself, half the way to the next page that has the label, and never onto it.
    """
    groups: defaultdict[tuple[str, tuple[str, ...]], list[PageRegion]] = defaultdict(list)
    for region in regions:
        groups[region.kind, region.labels].append(region)
    return [each for group in groups.values() for each in _link(group)]


def _link(group: list[PageRegion]) -> list[SequenceObject]:
    by_key: defaultdict[str, list[PageRegion]] = defaultdict(list)
    for region in group:
        by_key[region.key].append(region)
    on_page = Counter(page for mine in by_key.values() for page in {each.page for each in mine})
    first = group[0]
    if max(on_page.values()) == 1:
        return [SequenceObject(first.key, first.kind, first.labels, _joined(group))]
    return [
        SequenceObject(key, first.kind, first.labels, _bounded(_joined(mine), sorted(on_page)))
        for key, mine in by_key.items()
    ]


def _joined(regions: list[PageRegion]) -> dict[int, MaskPatch]:
    """Masks by page: the pieces of an object together."""
    known: dict[int, MaskPatch] = {}
    for region in regions:
        before = known.get(region.page)
        if before is None:
            known[region.page] = region.patch
        elif before.image_size == region.patch.image_size:
            known[region.page] = MaskPatch.of(before.whole() | region.patch.whole())
    return known


def _bounded(known: dict[int, MaskPatch], seen: list[int]) -> dict[int, MaskPatch]:
    """Masks with empty ones where the way of an object ends, between pages that are annotated."""
    ends = {}
    for before, after in pairwise(seen):
        middle = (before + after) // 2
        if before in known and after not in known:
            ends[middle + 1] = known[before]
        elif after in known and before not in known:
            ends[middle] = known[after]
    return {**known, **{page: _empty(patch) for page, patch in ends.items() if page not in known}}


def _empty(patch: MaskPatch) -> MaskPatch:
    return MaskPatch(np.zeros((0, 0), dtype=np.bool_), Box(0, 0, 0, 0), patch.image_size)
