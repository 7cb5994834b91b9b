"""The objects that annotators have accepted in a task, as its annotations and drafts hold them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from edgeflow.geometry import Size
from edgeflow.label_studio.controls import kind_of_region
from edgeflow.label_studio.values import JSONObject
from edgeflow.masks.patch import MaskPatch
from edgeflow_backend.examples.library import Category
from edgeflow_backend.objects.overlap import fitted
from edgeflow_backend.objects.task_regions import (
    MaskCache,
    TaskRegion,
    TaskRegions,
    region_mask,
    was_skipped,
)
from edgeflow_backend.protocol.wire import objects


class Place(NamedTuple):
    """An image of a task.

    Attributes:
        image: Name of its tag in the labelling config.
        item: Number of the image, where the tag shows several; 0 for the first.
    """

    image: str
    item: int


@dataclass(frozen=True)
class Accepted:
    """An object that is a mask; rectangles only say where something is.

    Attributes:
        annotation: Id of its annotation; 0 of a draft.
        pieces: Its regions, at least one.
    """

    annotation: int
    pieces: tuple[TaskRegion, ...]

    @property
    def object(self) -> str:
        """Id of its first region."""
        return self.pieces[0].id

    @property
    def category(self) -> Category:
        """What it is labelled as."""
        return Category(self.pieces[0].from_name, self.pieces[0].labels)

    @property
    def place(self) -> Place:
        """Where it lies."""
        return Place(self.pieces[0].to_name, self.pieces[0].item_index or 0)

    @property
    def size(self) -> Size | None:
        """Size of the image that it was drawn on, where it says so."""
        return self.pieces[0].size

    def mask(self, size: Size, cache: MaskCache) -> MaskPatch | None:
        """Its pixels; None if it has none, or they cannot be read.

        Args:
            size: Size of the image.
            cache: Remembers decoded masks.
        """
        masks = [mask for piece in self.pieces if (mask := region_mask(piece, size, cache))]
        here = [fitted(mask, size) for mask in masks if not mask.empty]
        if len(here) < 2:
            return here[0] if here else None
        whole = here[0].whole()
        for mask in here[1:]:
            whole[mask.box.slices] |= mask.pixels
        return MaskPatch.of(whole)


def accepted_in(holders: Iterable[JSONObject]) -> list[Accepted]:
    """The objects of annotations and drafts, in their order, but of none that was skipped.

    Args:
        holders: As Label Studio's API has them, untrusted.
    """
    return [each for holder in holders if not was_skipped(holder) for each in _objects(holder)]


def _objects(holder: JSONObject) -> list[Accepted]:
    number = holder.get("id")
    annotation = number if type(number) is int and "annotation" not in holder else 0
    regions = TaskRegions.of({"drafts": [{"result": objects(holder.get("result"))}]}, "drafts").open
    pieces: dict[tuple[object, ...], list[TaskRegion]] = {}
    for region in reversed(regions):
        kind = kind_of_region(region.type)
        if kind is not None and kind.mask is not None and kind.mask.drawn_is_mask:
            # A copy of a piece keeps its record under a new id, and is another object.
            own = region.id.startswith(region.object_id)
            key = (region.object_id if own else region.id, region.to_name, region.item_index or 0)
            pieces.setdefault(key, []).append(region)
    return [Accepted(annotation, tuple(each)) for each in pieces.values()]
