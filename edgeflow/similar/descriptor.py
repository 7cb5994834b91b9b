"""What an object looks like, in few numbers."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass

import numpy as np

from edgeflow.arrays import FloatArray
from edgeflow.errors import PromptError
from edgeflow.masks.patch import MaskPatch
from edgeflow.similar.coverage import object_and_ring
from edgeflow.similar.features import ImageFeatures

MAX_CHANNELS = 4096


@dataclass(frozen=True)
class Descriptor:
    """An object's features and its size. It may be used in other images.

    Attributes:
        inside: C float32, mean feature on the object.
        around: C float32, mean feature of the ring around it.
        area: Pixels of its image.
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
    def contrast(self) -> FloatArray:
        """What tells the object from its surroundings: C float32."""
        return self.inside - self.around

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self.inside.nbytes + self.around.nbytes

    def to_json(self) -> str:
        """One line of JSON."""
        return json.dumps(
            {
                "inside": [round(float(x), 6) for x in self.inside],
                "around": [round(float(x), 6) for x in self.around],
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
            sizes = tuple(float(values[name]) for name in ("area", "height", "width"))
        except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
            raise _unreadable() from error
        if (
            inside.ndim != 1
            or not 0 < inside.size <= MAX_CHANNELS
            or inside.shape != around.shape
            or not all(np.isfinite(each).all() for each in (inside, around, sizes))
            or min(sizes) < 1
        ):
            raise _unreadable()
        return cls(inside, around, *sizes)


def describe(features: ImageFeatures, mask: MaskPatch) -> Descriptor:
    """Describe an object.

    Args:
        features: Of its image.
        mask: The object, not empty, of the image's size.
    """
    inside, ring = object_and_ring(features, mask)
    height, width = mask.box.size
    area = float(np.count_nonzero(mask.pixels))
    return Descriptor(inside.mean(features), ring.mean(features), area, height, width)


def _unreadable() -> PromptError:
    return PromptError("this is not an example's description", hint="describe the example again")
