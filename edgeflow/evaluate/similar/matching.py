"""Which suggestion is which object, and the counts that follow at any IoU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.masks.patch import MaskPatch

LEAST_SEEN = 0.5
"""Share of a suggestion that must lie where the annotation says what is there; otherwise nobody can
tell whether it is wrong."""


@dataclass(frozen=True)
class Counts:
    """Suggestions beside objects.

    Attributes:
        right: Suggestions that are an object; no two are the same one.
        suggested: Suggestions in all.
        objects: Objects to be found.
    """

    right: int
    suggested: int
    objects: int

    @property
    def wrong(self) -> int:
        """Suggestions that are no object."""
        return self.suggested - self.right

    @property
    def missed(self) -> int:
        """Objects without a suggestion."""
        return self.objects - self.right

    @property
    def precision(self) -> float | None:
        """Share of the suggestions that are right; None if there are none."""
        return self.right / self.suggested if self.suggested else None

    @property
    def recall(self) -> float | None:
        """Share of the objects that are found; None if there are none."""
        return self.right / self.objects if self.objects else None

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None if there is nothing on either side."""
        both = self.suggested + self.objects
        return 2 * self.right / both if both else None


@dataclass(frozen=True)
class Matching:
    """Suggestions and objects in pairs.

    Attributes:
        suggestions: IoU of each suggestion with its object; 0 for one without.
        objects: IoU of each object with its suggestion; 0 for one without.
        partners: Place of each object's suggestion; None for one without.
    """

    suggestions: tuple[float, ...]
    objects: tuple[float, ...]
    partners: tuple[int | None, ...]

    def counts(self, least: float) -> Counts:
        """What is right if a pair counts from an IoU of ``least`` (above 0) on."""
        return Counts(
            right=sum(iou >= least for iou in self.suggestions),
            suggested=len(self.suggestions),
            objects=len(self.objects),
        )

    def missed(self, least: float) -> list[int]:
        """Places of the objects without a suggestion of such an IoU."""
        return [place for place, iou in enumerate(self.objects) if iou < least]

    def mean_iou(self, least: float) -> float | None:
        """Mean IoU of the pairs that count; None if none does."""
        ious = [iou for iou in self.suggestions if iou >= least]
        return float(np.mean(ious)) if ious else None


def match(suggestions: Sequence[MaskPatch], objects: Sequence[MaskPatch]) -> Matching:
    """Pair suggestions with objects greedily, the pair with the largest IoU first.

    The pairs from any IoU on are those that a matching of these pairs alone would make, so one
    matching serves all limits. Of equal pairs, the earlier suggestion's comes first. From an IoU of
    .5 on there is nothing to choose, unless suggestions or objects overlap each other.

    Args:
        suggestions: Masks of one image.
        objects: Masks of the same image.
    """
    ious = np.zeros((len(suggestions), len(objects)))
    for row, suggestion in enumerate(suggestions):
        for col, each in enumerate(objects):
            if suggestion.box.intersection(each.box).area:
                ious[row, col] = suggestion.iou(each)
    rows, cols = np.zeros(len(suggestions)), np.zeros(len(objects))
    partners: list[int | None] = [None] * len(objects)
    for at in np.argsort(-ious, axis=None, kind="stable").tolist():
        row, col = divmod(at, len(objects))
        if ious[row, col] == 0:
            break
        if rows[row] == 0 and cols[col] == 0:
            rows[row] = cols[col] = ious[row, col]
            partners[col] = row
    return Matching(tuple(rows.tolist()), tuple(cols.tolist()), tuple(partners))


def seen(masks: Sequence[MaskPatch], ignore: BoolMask | None) -> list[MaskPatch]:
    """Masks without what the annotation ignores; a mask that mostly lies there is left out.

    Args:
        masks: Masks of one image.
        ignore: H×W, true where the annotation does not say; None for nowhere.
    """
    if ignore is None:
        return list(masks)
    kept = []
    for mask in masks:
        visible = mask.pixels & ~ignore[mask.box.slices]
        if np.count_nonzero(visible) > LEAST_SEEN * np.count_nonzero(mask.pixels):
            kept.append(MaskPatch.within_frame(visible, mask.box, mask.image_size))
    return kept
