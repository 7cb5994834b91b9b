"""What colours an object has, and its surroundings: evidence that does not drift."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from edgeflow.arrays import BoolMask, FloatArray, FloatMap

BINS = 12
"""Of each channel."""

FLOOR = 2e-4
"""Share of a colour that was never seen."""

CLIP = 2.0
"""Most evidence of one pixel, as the logarithm of a ratio."""

RIM = 5
"""Width of the rim that belongs to neither side, network pixels."""


class Colours(NamedTuple):
    """Shares of colours.

    Attributes:
        inside: Of the object: BINS×BINS×BINS float32 of sum 1, smoothed.
        outside: Of its surroundings.
    """

    inside: FloatArray
    outside: FloatArray

    @classmethod
    def of(cls, view: FloatArray, mask: BoolMask) -> Colours:
        """The colours of a view.

        Args:
            view: h×w×3 float32 RGB, 0 to 1.
            mask: h×w, the object.
        """
        rim = cv2.dilate(mask.astype(np.uint8), np.ones((RIM, RIM), dtype=np.uint8)) > 0
        places = _places(view)
        return cls(_shares(places[mask]), _shares(places[~rim]))

    def evidence(self, view: FloatArray) -> FloatMap:
        """How much more often each pixel's colour is the object's than its surroundings'.

        Args:
            view: h×w×3 float32 RGB, 0 to 1.

        Returns:
            h×w float32, natural logarithm, smoothed, within ±CLIP; 0 says nothing.
        """
        ratio = np.log((self.inside + FLOOR) / (self.outside + FLOOR))
        evidence = np.clip(ratio, -CLIP, CLIP).ravel()[_places(view)]
        return cv2.blur(evidence.astype(np.float32), (5, 5)).astype(np.float32, copy=False)

    def mean(self, other: Colours) -> Colours:
        """The mean of two."""
        pairs = zip(self, other, strict=True)
        return Colours(*(((one + two) / 2).astype(np.float32) for one, two in pairs))


def _places(view: FloatArray) -> npt.NDArray[np.int32]:
    """Each pixel's bin: h×w."""
    steps = np.minimum((view * BINS).astype(np.int32), BINS - 1)
    places: npt.NDArray[np.int32] = (steps[..., 0] * BINS + steps[..., 1]) * BINS + steps[..., 2]
    return places


def _shares(places: npt.NDArray[np.int32]) -> FloatArray:
    counts = np.bincount(places, minlength=BINS**3).astype(np.float32).reshape((BINS,) * 3)
    for axis in range(3):
        counts = 0.5 * counts + 0.25 * (np.roll(counts, 1, axis) + np.roll(counts, -1, axis))
    return (counts / max(float(counts.sum()), 1.0)).astype(np.float32)
