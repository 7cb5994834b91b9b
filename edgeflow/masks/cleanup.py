"""Cleaning a mask: specks, holes and ragged borders, on the network's own grid.

Working on the probability map, before it is enlarged, costs under a millisecond whatever the
image's size. Clicks are never overruled: what holds a positive click stays, and a hole with a
negative click stays open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask, FloatMap
from edgeflow.geometry import NetworkPoint
from edgeflow.masks.patch import MASK_THRESHOLD

ABSENT = 0.0
FILLED = 1.0

Located = Sequence[tuple[NetworkPoint, bool]]
"""Clicks as (network point, positive?) pairs; a point may lie outside the map."""


class Changes(NamedTuple):
    """What cleaning takes from a mask, and what it adds; h×w bool each."""

    dropped: BoolMask
    filled: BoolMask


@dataclass(frozen=True)
class Cleanup:
    """What is cleaned; the defaults were chosen on training images (``docs/mask-cleanup.md``).

    Attributes:
        min_part: components smaller than this part of the largest one vanish; 0 keeps all.
        largest_only: only the largest component and those with a positive click stay.
        max_hole: holes smaller than this part of the mask's area are filled; 0 fills none.
        smoothing: standard deviation in network pixels of a Gaussian over the probabilities; 0
            leaves borders as the network drew them.
    """

    min_part: float = 0.02
    largest_only: bool = False
    max_hole: float = 0.005
    smoothing: float = 0.0

    def smooth(self, probability: FloatMap, clicks: Located) -> FloatMap:
        """Only the Gaussian; the very same map without one."""
        if self.smoothing <= 0:
            return probability
        smooth = cv2.GaussianBlur(probability, (0, 0), self.smoothing).astype(np.float32)
        return _with_clicked(smooth, probability, clicks)

    def changes(self, solid: BoolMask, clicks: Located) -> Changes | None:
        """What specks and holes change of the h×w mask that a map shows; None for nothing."""
        if not solid.any():
            return None
        dropped = self._specks(solid, _pixels(clicks, solid.shape, positive=True))
        filled = self._holes(solid & ~dropped, _pixels(clicks, solid.shape, positive=False))
        return Changes(dropped, filled) if dropped.any() or filled.any() else None

    def _specks(self, solid: BoolMask, keep: npt.NDArray[np.intp]) -> BoolMask:
        """Components that go; the largest never does."""
        if self.min_part <= 0 and not self.largest_only:
            return np.zeros_like(solid)
        count, labels, stats, _ = cv2.connectedComponentsWithStats(solid.view(np.uint8))
        areas = stats[:, cv2.CC_STAT_AREA].astype(np.float64)
        areas[0] = 0
        largest = int(areas.argmax())
        goes = areas < self.min_part * areas[largest]
        if self.largest_only:
            goes[:] = np.arange(count) != largest
        goes[labels[keep[:, 0], keep[:, 1]]] = False
        goes[[0, largest]] = False
        dropped: BoolMask = goes[labels]
        return dropped

    def _holes(self, solid: BoolMask, keep: npt.NDArray[np.intp]) -> BoolMask:
        """Holes that are filled; what touches the map's border is no hole."""
        if self.max_hole <= 0:
            return np.zeros_like(solid)
        empty = (~solid).view(np.uint8)
        _, labels, stats, _ = cv2.connectedComponentsWithStats(empty, connectivity=4)
        fills = stats[:, cv2.CC_STAT_AREA] < self.max_hole * solid.sum()
        for border in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
            fills[border] = False
        fills[labels[keep[:, 0], keep[:, 1]]] = False
        fills[0] = False  # the mask itself
        filled: BoolMask = fills[labels]
        return filled


UNTOUCHED = Cleanup(min_part=0, largest_only=False, max_hole=0, smoothing=0)
"""Leaves masks as the network made them."""


def _with_clicked(smooth: FloatMap, raw: FloatMap, clicks: Located) -> FloatMap:
    """Give back the parts and holes under clicks that smoothing took away."""
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
    on_map: npt.NDArray[np.intp] = np.clip(rounded, 0, np.array(shape) - 1)
    return on_map
