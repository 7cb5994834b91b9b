"""Images with all that is hard to write: holes, parts, overlaps, lines, dots, odd labels."""

from __future__ import annotations

import numpy as np

from edgeflow.annotated import AnnotatedImage, AnnotatedObject, DrawnBox, Outlines, Shape
from edgeflow.arrays import BoolMask, RGBImage
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch
from edgeflow.masks.rasterize import rasterize
from tests.unit.edgeflow.export.exported import PixelPicture

SIZE = Size(40, 60)
ODD = "a/b é"
HOSTILE = "q\"u'o<t>e&\n, \x00:#;"


def masks() -> dict[str, BoolMask]:
    """By name; all lie apart but the first and the last."""
    ring = np.zeros(SIZE, dtype=np.bool_)
    ring[5:30, 10:40] = True
    ring[12:20, 15:30] = False
    parts = np.zeros(SIZE, dtype=np.bool_)
    parts[0:3, 0:4] = parts[35:40, 50:60] = True
    line = np.zeros(SIZE, dtype=np.bool_)
    line[33, 3:45] = True
    dot = np.zeros(SIZE, dtype=np.bool_)
    dot[39, 0] = True
    over = np.zeros(SIZE, dtype=np.bool_)
    over[8:16, 33:50] = True
    return {"ring": ring, "two parts": parts, "line": line, "dot": dot, "over the ring": over}


def outlines(*rings: list[list[float]]) -> Outlines:
    """What was drawn as polygons, in pixels from the upper left corner."""
    polygons = tuple(np.array(ring, dtype=np.float64) for ring in rings)
    mask = np.logical_or.reduce([rasterize(ring - 0.5, SIZE) for ring in polygons])
    return Outlines(polygons, MaskPatch.of(mask))


PAIR = outlines(
    [[45, 20], [50, 20], [50, 25.5], [45, 25.5]], [[52.25, 20], [57, 20], [57, 30.1234]]
)
BOX = DrawnBox(1.25, 2, 10.00049, 4)


def photo() -> RGBImage:
    """A picture of noise, never black or white."""
    return np.random.default_rng(3).integers(1, 255, (*SIZE, 3), dtype=np.uint8)


def image(
    *shapes: Shape | BoolMask,
    key: str = "pic",
    label: str | None = "a",
    labels: tuple[str | None, ...] = (),
    picture: bool = True,
) -> AnnotatedImage:
    """An image with objects in this order.

    Args:
        shapes: Masks are H×W, or patches.
        key: Also the file's name, without ``.png``.
        label: Of all objects.
        labels: Of each object, instead.
        picture: Whether it is at hand.
    """
    objects = tuple(
        AnnotatedObject(
            f"r{number}",
            () if named is None else (named,),
            MaskPatch.of(shape) if isinstance(shape, np.ndarray) else shape,
        )
        for number, (shape, named) in enumerate(
            zip(shapes, labels or [label] * len(shapes), strict=True)
        )
    )
    at_hand = PixelPicture(photo()) if picture else None
    return AnnotatedImage(key, f"{key}.png", SIZE, objects, at_hand)
