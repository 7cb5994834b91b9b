"""What is drawn of an object in one tile."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from edgeflow.agreement.packed import PackedMask
from edgeflow.geometry import Box
from edgeflow.masks.patch import MaskPatch


class Piece(NamedTuple):
    """An object, as far as it was drawn in one tile.

    Attributes:
        label: Its class; None without one.
        mask: In pixels of the whole picture, compressed; not empty.
        tile: The tile's place in its set.
        by: Whose annotation it is of: ``by`` and the annotator's number, never a name.
    """

    label: str | None
    mask: PackedMask
    tile: int
    by: tuple[str, ...] = ()


def cropped(patch: MaskPatch, box: Box) -> MaskPatch | None:
    """The part of a mask in a box; None if there is none.

    Args:
        patch: The mask.
        box: Of the same image.
    """
    frame = patch.box.intersection(box)
    if not frame.area:
        return None
    inside = patch.pixels[frame.shifted(-patch.box.top, -patch.box.left).slices]
    part = MaskPatch.within_frame(inside, frame, patch.image_size)
    return None if part.empty else part


def shared(one: MaskPatch, other: MaskPatch) -> int:
    """Pixels that belong to both of two masks of an image."""
    box = one.box.intersection(other.box)
    if not box.area:
        return 0
    ours, theirs = (
        each.pixels[box.shifted(-each.box.top, -each.box.left).slices] for each in (one, other)
    )
    return int(np.count_nonzero(ours & theirs))
