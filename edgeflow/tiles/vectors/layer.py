"""Shapes of a map, as files have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from edgeflow.data.left_out import LeftOut

Geometries = npt.NDArray[Any]
"""N shapely geometries, of type ``object``."""


@dataclass(frozen=True, eq=False)
class Layer:
    """Shapes with labels.

    Attributes:
        name: The file's.
        crs: Coordinate reference system, as an authority's code or WKT; None if the file has none.
        geometries: Polygons, one or several each.
        keys: By what each is known in its file.
        labels: Of each; None for one without.
        left_out: What the file has besides.
    """

    name: str
    crs: str | None
    geometries: Geometries
    keys: tuple[str, ...]
    labels: tuple[str | None, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def classes(self) -> list[str]:
        """All labels, each once, by name."""
        return sorted({label for label in self.labels if label is not None})


def label_text(value: object) -> str | None:
    """An attribute's value as a label; None for an empty one."""
    if value is None or (isinstance(value, float | np.floating) and np.isnan(value)):
        return None
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value).strip() or None
