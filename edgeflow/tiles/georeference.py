"""Where pixels lie on the earth, without a package that knows map projections."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from edgeflow.arrays import Polygon
from edgeflow.geometry import Box

Transform = tuple[float, float, float, float, float, float]
"""(a, b, c, d, e, f), in the order of ``affine.Affine``: x = a·col + b·row + c and
y = d·col + e·row + f, where (0, 0) is the top left *corner* of the top left pixel."""


@dataclass(frozen=True)
class Georeference:
    """A picture's place on a map.

    Attributes:
        crs: The coordinate reference system as WKT; None if the picture names none.
        transform: From pixel corners to map units; None if the picture has none.

    Raises:
        ValueError: The transform takes pixels to no place, or all to one line.
    """

    crs: str | None = None
    transform: Transform | None = None

    def __post_init__(self) -> None:
        if self.transform is not None and not is_usable(self.transform):
            raise ValueError(f"a transform that cannot be turned back: {self.transform}")

    def of(self, box: Box) -> Georeference:
        """The place of a window of the picture."""
        if self.transform is None:
            return self
        a, b, _, d, e, _ = self.transform
        c, f = self.to_map(np.array([[box.left, box.top]], dtype=np.float64))[0].tolist()
        return Georeference(self.crs, (a, b, c, d, e, f))

    def to_map(self, pixels: Polygon) -> Polygon:
        """Points of the picture on the map; as they are if there is no transform.

        Args:
            pixels: N×2 float64 (x, y) in pixels from the picture's top left corner.

        Returns:
            N×2 float64 (x, y) in units of the CRS.
        """
        if self.transform is None:
            return pixels
        a, b, c, d, e, f = self.transform
        x, y = pixels[:, 0], pixels[:, 1]
        return np.stack([a * x + b * y + c, d * x + e * y + f], axis=1)

    def to_pixels(self, points: Polygon) -> Polygon:
        """The reverse of :meth:`to_map`."""
        if self.transform is None:
            return points
        a, b, c, d, e, f = self.transform
        area = a * e - b * d
        x, y = points[:, 0] - c, points[:, 1] - f
        return np.stack([(e * x - b * y) / area, (a * y - d * x) / area], axis=1)


def is_usable(transform: Transform) -> bool:
    """Whether a transform is finite, and gives every pixel an area."""
    a, b, _, d, e, _ = transform
    area = a * e - b * d
    return all(map(math.isfinite, (*transform, area))) and area != 0
