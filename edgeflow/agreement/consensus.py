"""What several annotators of an image agree on: one set of objects, by majority vote or STAPLE."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

import numpy as np

from edgeflow.agreement.clusters import Cluster, cluster
from edgeflow.agreement.overlap import corners_of, placed
from edgeflow.agreement.staple import staple
from edgeflow.annotated import AnnotatedObject, DrawnBox, Shape, mask_of
from edgeflow.arrays import BoolMask
from edgeflow.geometry import Box, Size
from edgeflow.masks.patch import MaskPatch

MARGIN = 0.1
"""Background around an object that its masks are put together with, over its sides."""


def majority(masks: Sequence[BoolMask]) -> BoolMask:
    """Pixels of more than half of some H×W masks; at least one."""
    counts = np.zeros(masks[0].shape, dtype=np.int32)
    for mask in masks:
        counts += mask
    agreed: BoolMask = 2 * counts > len(masks)
    return agreed


METHODS: dict[str, Callable[[Sequence[BoolMask]], BoolMask]] = {
    "vote": majority,
    "staple": staple,
}
"""How the masks of one object become one, by the name on the command line."""


class Consensus(NamedTuple):
    """What annotators agree on.

    Attributes:
        objects: Each with a key that is the same in any order of the annotators.
        outvoted: Drawn objects, each counted once, that too few annotators drew.
    """

    objects: tuple[AnnotatedObject, ...]
    outvoted: int


def consensus(annotations: Sequence[Sequence[AnnotatedObject]], method: str) -> Consensus:
    """Put the annotations of an image together.

    Drawings of one class with an IoU of at least .5 are one object. Those that more than half of
    the annotators drew are kept, each with the pixels that its masks make it have, outlines as
    masks. Where only boxes were drawn, each side is the median. A single annotation stays as it is.

    Args:
        annotations: The objects of each annotator of the image, who may have drawn none.
        method: One of :data:`METHODS`.
    """
    if len(annotations) == 1:
        return Consensus(tuple(annotations[0]), 0)
    objects: list[AnnotatedObject] = []
    keys: set[str] = set()
    outvoted = 0
    for members in cluster(annotations):
        shape = _shape(members, method) if 2 * len(members) > len(annotations) else None
        if shape is None:
            outvoted += 1
            continue
        key = _unused(min(each.drawn.key for each in members), keys)
        keys.add(key)
        objects.append(AnnotatedObject(key, _labels(members), shape))
    return Consensus(tuple(objects), outvoted)


def _shape(members: Cluster, method: str) -> Shape | None:
    """What the drawings of an object make together; None if they agree on no pixel."""
    drawn = [mask_of(each.drawn.shape) for each in members]
    masks = [mask for mask in drawn if mask is not None]
    if not masks:
        corners = [corners_of(each.drawn.shape) for each in members]
        left, top, right, bottom = (median(side) for side in zip(*corners, strict=True))
        turned = any(isinstance(s := each.drawn.shape, DrawnBox) and s.turned for each in members)
        return DrawnBox(left, top, right - left, bottom - top, turned)
    size = masks[0].image_size
    frame = _frame([mask.box for mask in masks], size)
    agreed = METHODS[method]([placed(mask, frame) for mask in masks])
    patch = MaskPatch.within_frame(agreed, frame, size)
    return None if patch.empty else patch


def _frame(boxes: Sequence[Box], size: Size) -> Box:
    """The box around boxes with a margin, in the image."""
    tops, lefts, bottoms, rights = zip(*boxes, strict=True)
    top, left, bottom, right = min(tops), min(lefts), max(bottoms), max(rights)
    down, across = (1 + round(MARGIN * side) for side in (bottom - top, right - left))
    wide = Box(top - down, left - across, bottom + down, right + across)
    return wide.intersection(Box.whole(size))


def _labels(members: Cluster) -> tuple[str, ...]:
    """The labels that most annotators gave; of equally many, the first in the alphabet."""
    counts = Counter(each.drawn.labels for each in members)
    return min(counts, key=lambda labels: (-counts[labels], labels))


def _unused(key: str, taken: set[str]) -> str:
    """The key, or with a number behind it if another object has it."""
    unused, number = key, 1
    while unused in taken:
        number += 1
        unused = f"{key}-{number}"
    return unused
