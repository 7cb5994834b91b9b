"""What an example looks like, in few numbers."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import cv2
import numpy as np

from edgeflow.arrays import BoolMask, FloatArray, FloatMap
from edgeflow.errors import PromptError
from edgeflow.masks.patch import MaskPatch
from edgeflow.similar.features import ImageFeatures

RING = 0.4
"""Width of the ring around an object, as a part of its diameter."""


@dataclass(frozen=True)
class Descriptor:
    """An object's features and its size.

    Attributes:
        inside: C float32, mean feature on the object.
        around: C float32, mean feature of the ring around it.
        area: Pixels of the object's image.
        height: Of its bounding box, pixels of its image.
        width: Of its bounding box, pixels of its image.
    """

    inside: FloatArray
    around: FloatArray
    area: float
    height: float
    width: float

    @property
    def diameter(self) -> float:
        """Side of a square of the object's area, pixels of its image."""
        return math.sqrt(self.area)

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.inside.nbytes + self.around.nbytes

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(
            {
                "inside": [round(float(x), 5) for x in self.inside],
                "around": [round(float(x), 5) for x in self.around],
                "area": self.area,
                "height": self.height,
                "width": self.width,
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Descriptor:
        """What :meth:`to_json` wrote.

        Raises:
            PromptError: The text is not that.
        """
        try:
            values = json.loads(text)
            inside, around = (
                np.array(values[name], dtype=np.float32) for name in ("inside", "around")
            )
            area, height, width = (float(values[name]) for name in ("area", "height", "width"))
        except (ValueError, TypeError, KeyError) as error:
            raise PromptError(
                f"not the description of an example ({error})", hint="describe the example again"
            ) from error
        numbers = (*inside.ravel(), *around.ravel(), area, height, width)
        if inside.ndim != 1 or inside.shape != around.shape or not np.isfinite(numbers).all():
            raise PromptError(
                "not the description of an example", hint="describe the example again"
            )
        return cls(inside, around, area, height, width)


def describe(features: ImageFeatures, mask: MaskPatch) -> Descriptor:
    """Describe an object.

    Args:
        features: Of its image.
        mask: The object, not empty.

    Raises:
        PromptError: The mask is empty, or of another size than the image.
    """
    if mask.empty:
        raise PromptError("an example is empty", hint="mark an object as the example")
    if mask.image_size != features.image_size:
        raise PromptError("an example is not of the image's size", hint="mark it in this image")
    area = int(np.count_nonzero(mask.pixels))
    inside = mean_feature(features, mask)
    around = _mean(features, _ring(features, mask, math.sqrt(area)))
    return Descriptor(inside, around, area, mask.box.size.height, mask.box.size.width)


def mean_feature(features: ImageFeatures, mask: MaskPatch) -> FloatArray:
    """Mean feature on a mask that is not empty: C float32, shorter where the mask is diverse."""
    return _mean(features, coverage(features, mask.whole()))


def coverage(features: ImageFeatures, mask: BoolMask) -> FloatMap:
    """How much of each cell a mask covers: h×w float32, 0 to 1."""
    size = (features.size.width, features.size.height)
    covered = cv2.resize(mask.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return covered.astype(np.float32, copy=False)


def _ring(features: ImageFeatures, mask: MaskPatch, diameter: float) -> FloatMap:
    down, across = features.scale
    rows, cols = (2 * max(1, round(RING * diameter * scale)) + 1 for scale in (down, across))
    covered = coverage(features, mask.whole())
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (cols, rows))
    ring: FloatMap = cv2.dilate((covered > 0).astype(np.float32), kernel) * (covered == 0)
    return ring


def _mean(features: ImageFeatures, weights: FloatMap) -> FloatArray:
    total = float(weights.sum())
    if not total:
        return np.zeros(features.values.shape[2], dtype=np.float32)
    mean = np.tensordot(weights, features.values, axes=((0, 1), (0, 1))) / total
    return mean.astype(np.float32)
