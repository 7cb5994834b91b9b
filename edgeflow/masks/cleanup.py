"""Cleaning a mask: specks, holes and ragged borders, on the network's own grid.

Working on the probability map, before it is enlarged, costs under a millisecond whatever the
image's size. Clicks are never overruled: a component with a positive click stays, and a hole with a
negative click stays open.

A click on the background makes a network guess, and what it finds is confetti all over the image.
So a component that nobody clicked on stays only where the network is sure of it, such as the other
half of an object behind a post.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask, FloatMap
from edgeflow.geometry import NetworkPoint
from edgeflow.masks.patch import MASK_THRESHOLD

ABSENT = 0.0
"""Probability in a dropped component."""

FILLED = 1.0
"""Probability in a filled hole."""

Located = Sequence[tuple[NetworkPoint, bool]]
"""Clicks as (network point, positive?) pairs; a point may lie outside the map."""


class Changes(NamedTuple):
    """Pixels that cleaning takes from a mask, and those that it adds; h×w bool each."""

    dropped: BoolMask
    filled: BoolMask


@dataclass(frozen=True)
class Cleanup:
    """How masks are cleaned; ``docs/mask-cleanup.md`` says how the defaults were chosen.

    Attributes:
        min_part: Smallest component to keep, as a part of the largest one's area; 0 keeps all.
        largest_only: Whether only the largest component and those with a positive click stay.
        max_hole: Smallest hole to keep, as a part of the mask's area; 0 fills none.
        smoothing: Standard deviation in network pixels of a Gaussian over the probabilities; 0
            leaves borders as the network drew them.
        min_certainty: Smallest mean probability of components that stay without a positive click,
            where there are such clicks; 0 keeps all.
    """

    min_part: float = 0.02
    largest_only: bool = False
    max_hole: float = 0.005
    smoothing: float = 0.0
    min_certainty: float = 0.75

    def smooth(self, probability: FloatMap, clicks: Located) -> FloatMap:
        """Blur a map by the Gaussian; the very same map without one.

        Args:
            probability: h×w float32, mask probability on the network's grid; left as it is.
            clicks: Clicks not to overrule.

        Returns:
            h×w float32.
        """
        if self.smoothing <= 0:
            return probability
        smooth = cv2.GaussianBlur(probability, (0, 0), self.smoothing).astype(np.float32)
        np.minimum(smooth, 1, out=smooth)  # the Gaussian's weights add up to 1 but for rounding
        return _with_clicked(smooth, probability, clicks)

    def changes(
        self, solid: BoolMask, clicks: Located, probability: Callable[[], FloatMap]
    ) -> Changes | None:
        """Find the specks to drop and the holes to fill.

        Args:
            solid: h×w mask on the network's grid.
            clicks: Clicks not to overrule.
            probability: The map behind it, h×w float32; asked for only where a component depends
                on it.

        Returns:
            None if nothing changes.
        """
        if not solid.any():
            return None
        dropped = self._specks(solid, _pixels(clicks, solid.shape, positive=True), probability)
        filled = self._holes(solid & ~dropped, _pixels(clicks, solid.shape, positive=False))
        return Changes(dropped, filled) if dropped.any() or filled.any() else None

    def _specks(
        self, solid: BoolMask, keep: npt.NDArray[np.intp], probability: Callable[[], FloatMap]
    ) -> BoolMask:
        """Components to drop; never one with a click, and without clicks never the largest.

        Where no click lies on the mask, nothing may be left: the network sees no object there.
        """
        count, labels, stats, _ = cv2.connectedComponentsWithStats(solid.view(np.uint8))
        areas = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
        areas[0] = 0
        largest = int(areas.argmax())
        drop = areas < self.min_part * areas[largest]
        if self.largest_only:
            drop[:] = True
        drop[largest] = False
        clicked = np.setdiff1d(labels[keep[:, 0], keep[:, 1]], [0])
        if self.min_certainty > 0 and len(keep) and count > 1 + clicked.size:
            sums = np.bincount(labels.ravel(), probability().ravel(), count)
            drop |= sums < self.min_certainty * areas
        drop[clicked] = False
        drop[0] = False  # what is not the mask
        dropped: BoolMask = drop[labels]
        return dropped

    def _holes(self, solid: BoolMask, keep: npt.NDArray[np.intp]) -> BoolMask:
        """Holes to fill; what touches the map's border is not a hole."""
        if self.max_hole <= 0:
            return np.zeros_like(solid)
        empty = (~solid).view(np.uint8)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(empty, connectivity=4)
        fill = stats[:, cv2.CC_STAT_AREA] < self.max_hole * solid.sum()
        for border in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
            fill[border] = False
        fill[labels[keep[:, 0], keep[:, 1]]] = False
        fill[0] = False  # the mask itself
        filled: BoolMask = fill[labels]
        return filled


UNTOUCHED = Cleanup(min_part=0, max_hole=0, min_certainty=0)
"""Leaves masks as the network made them."""


def _with_clicked(smooth: FloatMap, raw: FloatMap, clicks: Located) -> FloatMap:
    """Restore the components and holes under clicks that smoothing took away."""
    for positive in (True, False):
        agreed = (raw > MASK_THRESHOLD) == positive
        lost = agreed & ((smooth > MASK_THRESHOLD) != positive)
        at = _pixels(clicks, raw.shape, positive=positive)
        _, labels = cv2.connectedComponents(
            agreed.astype(np.uint8), connectivity=8 if positive else 4
        )
        for row, col in at:
            if lost[row, col]:
                part = labels == labels[row, col]
                smooth[part] = raw[part]
    return smooth


def _pixels(clicks: Located, shape: tuple[int, ...], *, positive: bool) -> npt.NDArray[np.intp]:
    """The n×2 (row, col) pixels of the clicks of one kind, moved onto the map."""
    points = [point for point, sign in clicks if sign == positive]
    rounded = np.rint(np.array(points, dtype=np.float64).reshape(-1, 2)).astype(np.intp)
    pixels: npt.NDArray[np.intp] = np.clip(rounded, 0, np.array(shape) - 1)
    return pixels
