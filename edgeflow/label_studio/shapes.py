"""Rectangles, ellipses and polygons as corners in image pixels."""

from __future__ import annotations

import math

import numpy as np

from edgeflow.arrays import Polygon
from edgeflow.geometry import Size
from edgeflow.label_studio.values import EllipseValue, PolygonValue, RectangleValue

ELLIPSE_CORNERS = 72


def corners(value: RectangleValue | EllipseValue | PolygonValue, size: Size) -> Polygon:
    """The N×2 float64 corners (x, y) of a shape on an image of ``size``, in image pixels."""
    scale = np.array([size.width, size.height], dtype=np.float64) / 100
    if isinstance(value, PolygonValue):
        return np.asarray(value.points, dtype=np.float64) * scale - 0.5
    # Turning happens in pixels: in percent of an image that is not square, circles are ellipses.
    place = np.array([value.x, value.y]) * scale
    if isinstance(value, RectangleValue):
        w, h = value.width * scale[0], value.height * scale[1]
        around = np.array([[0, 0], [w, 0], [w, h], [0, h]])
    else:
        turn = np.linspace(0, 2 * math.pi, ELLIPSE_CORNERS, endpoint=False)
        radii = np.array([value.radiusX, value.radiusY]) * scale
        around = np.stack((np.cos(turn), np.sin(turn)), axis=1) * radii
    angle = math.radians(value.rotation)
    clockwise = np.array(
        [[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]]
    )  # rows are vectors and y points down
    turned: Polygon = around @ clockwise + place - 0.5
    return turned
