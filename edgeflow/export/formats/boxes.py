"""The box around an object."""

from __future__ import annotations

from edgeflow.annotated import DrawnBox, Outlines, Shape


def box_of(shape: Shape) -> tuple[float, float, float, float]:
    """Left, top, width and height in pixels, from the image's top left corner.

    It is the box that was drawn, or holds just the object's pixels.
    """
    if isinstance(shape, DrawnBox):
        return shape.x, shape.y, shape.width, shape.height
    box = (shape.mask if isinstance(shape, Outlines) else shape).box
    return box.left, box.top, box.size.width, box.size.height
