"""Drawn objects that these tests use."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from edgeflow.annotated import AnnotatedObject, DrawnBox, Outlines
from edgeflow.arrays import BoolMask
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch

SIZE = Size(12, 16)


def block(top: int, left: int, bottom: int, right: int, size: Size = SIZE) -> BoolMask:
    mask = np.zeros(size, dtype=np.bool_)
    mask[top:bottom, left:right] = True
    return mask


def drawn(
    key: str, top: int, left: int, bottom: int, right: int, *labels: str, size: Size = SIZE
) -> AnnotatedObject:
    """A rectangle of pixels as a mask; of class ``cat`` if none is named."""
    patch = MaskPatch.of(block(top, left, bottom, right, size))
    return AnnotatedObject(key, labels or ("cat",), patch)


def outlined(key: str, top: int, left: int, bottom: int, right: int) -> AnnotatedObject:
    """The same, drawn as a polygon."""
    ring = np.array([[left, top], [right, top], [right, bottom], [left, bottom]], dtype=np.float64)
    patch = MaskPatch.of(block(top, left, bottom, right))
    return AnnotatedObject(key, ("cat",), Outlines((ring,), patch))


def boxed(
    key: str, x: float, y: float, width: float, height: float, *, turned: bool = False
) -> AnnotatedObject:
    """A box of x, y, width and height."""
    return AnnotatedObject(key, ("cat",), DrawnBox(x, y, width, height, turned))


@st.composite
def several(draw: st.DrawFn, most: int = 4) -> list[list[AnnotatedObject]]:
    """What some annotators drew: rectangles that often resemble each other, with few keys."""
    some: list[list[AnnotatedObject]] = []
    for _ in range(draw(st.integers(2, most))):
        objects = []
        for key in draw(st.lists(st.sampled_from("abcde"), max_size=4, unique=True)):
            top, left = draw(st.integers(0, 3)), draw(st.integers(0, 4))
            bottom, right = top + draw(st.integers(3, 6)), left + draw(st.integers(3, 6))
            label = draw(st.sampled_from(["cat", "cat", "dog"]))
            objects.append(drawn(key, top, left, bottom, right, label))
        some.append(objects)
    return some
