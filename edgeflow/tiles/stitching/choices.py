"""What is chosen of how stitched pictures are written; without the packages that write them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FORMAT_NAMES = ("geotiff", "gpkg", "geojson", "shp")
"""Those of the table in :mod:`edgeflow.tiles.stitching.formats`."""

Values = Literal["class", "object"]
Coordinates = Literal["wgs84", "source"]


@dataclass(frozen=True)
class Choices:
    """How files are made.

    Attributes:
        values: Whether pixels of rasters have the number of their class or of their object.
        geojson_crs: Whether GeoJSON has longitude and latitude, as RFC 7946 wants it, or the
            coordinates of the source.
        tolerance: How far outlines may move to have fewer points, in units of the map.
        annotators: Whether vectors tell whose annotations they are of.
    """

    values: Values = "class"
    geojson_crs: Coordinates = "wgs84"
    tolerance: float = 0
    annotators: bool = False
