"""The kinds of controls that Label Studio has for images."""

from __future__ import annotations

CLICK_TAGS = ("KeyPointLabels", "KeyPoint")


BOX_TAGS = ("RectangleLabels", "Rectangle")
"""Beside clicks the only smart controls of which Label Studio 1.23 sends anything."""


SILENT_TAGS = (
    "BrushLabels", "Brush", "BitmaskLabels", "Bitmask", "PolygonLabels", "Polygon",
    "EllipseLabels", "Ellipse", "VectorLabels", "Vector",
)  # fmt: skip


MASK_TAGS = (
    "BrushLabels", "Brush", "BitmaskLabels", "Bitmask", "PolygonLabels", "Polygon",
    "RectangleLabels", "Rectangle",
)  # fmt: skip
"""Controls that can hold an answer; where several could, the kind that stands first here does."""


REGION_TAGS = (
    *CLICK_TAGS, *MASK_TAGS, "EllipseLabels", "Ellipse", "VectorLabels", "Vector", "Labels",
)  # fmt: skip
