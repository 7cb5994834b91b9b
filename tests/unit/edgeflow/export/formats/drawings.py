"""Objects that are hard to write: holes, parts, overlaps, lines and dots."""

from __future__ import annotations

import numpy as np

from edgeflow.annotated import AnnotatedImage, AnnotatedObject, DrawnBox, Shape
from edgeflow.arrays import BoolMask
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch

SIZE = Size(40, 60)

ODD_LABELS = (
    "a/b é",
    'say "x"',
    "one,two",
    "two\nlines",
    "tab\tbed",
    "日本 😀",
    " ",
    "{x}: #y",
    "nul\x00é\x85",
    "\u2028",
)
"""Class names that break careless files."""


def masks() -> dict[str, BoolMask]:
    """By what is hard about them."""
    empty = np.zeros(SIZE, dtype=np.bool_)
    ring, parts, line, slant, dot, edge = (empty.copy() for _ in range(6))
    ring[5:30, 10:40] = True
    ring[12:20, 15:30] = False
    ring[13:19, 17:20] = True  # an object in the hole
    ring[13:19, 19] = False
    parts[0:3, 0:4] = parts[35:40, 50:60] = True
    line[7, 3:55] = True
    slant[np.arange(5, 35), np.arange(5, 35)] = True
    dot[39, 59] = True
    edge[:, 0] = edge[0, :] = edge[-1, :] = True
    return {
        "ring": ring,
        "two parts": parts,
        "line": line,
        "slanted line": slant,
        "dot": dot,
        "along the borders": edge,
        "all": ~empty,
    }


def image(
    *shapes: Shape | BoolMask,
    key: str = "1",
    labels: tuple[str | None, ...] = ("a",),
    file_name: str = "",
) -> AnnotatedImage:
    """An image with objects, whose labels are taken from the given ones in turn."""
    objects = tuple(
        AnnotatedObject(
            str(number),
            tuple(filter(None, (labels[number % len(labels)],))),
            MaskPatch.of(shape) if isinstance(shape, np.ndarray) else shape,
        )
        for number, shape in enumerate(shapes)
    )
    size = shapes[0].shape if shapes and isinstance(shapes[0], np.ndarray) else SIZE
    return AnnotatedImage(key, file_name or f"{key}.jpg", Size(*size), objects)


BOX = DrawnBox(1.25, 2, 10, 4.5)
