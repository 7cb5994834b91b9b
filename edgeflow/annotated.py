"""The form between readers and writers: annotated images, each with its objects.

Keys are the same in every export of the same annotations, so ids made of them are, too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from edgeflow.arrays import Polygon, RGBImage
from edgeflow.data.left_out import LeftOut
from edgeflow.geometry import Size
from edgeflow.masks.patch import MaskPatch


@dataclass(frozen=True, eq=False)
class Outlines:
    """An object that was drawn as polygons.

    Attributes:
        polygons: Each N×2 float64 (x, y) in pixels from the image's top left corner, not from a
            pixel's centre; at least three points. They may leave the image.
        mask: What they cover together, not empty.
    """

    polygons: tuple[Polygon, ...]
    mask: MaskPatch


@dataclass(frozen=True)
class DrawnBox:
    """An object of which only its bounding box was drawn.

    Attributes:
        x: Left border, in pixels from the image's left border.
        y: Upper border.
        width: In pixels.
        height: In pixels.
        turned: Whether a turned box was drawn; this one is upright and holds it.
    """

    x: float
    y: float
    width: float
    height: float
    turned: bool = False


Shape = MaskPatch | Outlines | DrawnBox
"""What is known of an object; a mask is not empty."""


def mask_of(shape: Shape) -> MaskPatch | None:
    """What an object covers; None if only its box is known."""
    if isinstance(shape, DrawnBox):
        return None
    return shape.mask if isinstance(shape, Outlines) else shape


def box_of(shape: Shape) -> tuple[float, float, float, float]:
    """Left, top, width and height in pixels, from the image's top left corner.

    It is the box that was drawn, or holds just the object's pixels.
    """
    if isinstance(shape, DrawnBox):
        return shape.x, shape.y, shape.width, shape.height
    box = (shape.mask if isinstance(shape, Outlines) else shape).box
    return box.left, box.top, box.size.width, box.size.height


@dataclass(frozen=True, eq=False)
class AnnotatedObject:
    """An object.

    Attributes:
        key: Unique in its image.
        labels: Class names, the first of which counts; empty if it has none.
        shape: Where it is.
    """

    key: str
    labels: tuple[str, ...]
    shape: Shape

    @property
    def label(self) -> str | None:
        """The class that counts."""
        return self.labels[0] if self.labels else None


def digest_of(shape: Shape) -> str:
    """Digest of where an object is; another one if anything about it changes."""
    if isinstance(shape, MaskPatch):
        return shape.digest
    if isinstance(shape, DrawnBox):
        return repr(shape)
    rings = b"|".join(ring.tobytes() for ring in shape.polygons)
    return hashlib.sha256(rings).hexdigest()[:32] + shape.mask.digest


class Picture(Protocol):
    """The pixels of an image that is at hand; nothing is read before it is asked for."""

    @property
    def path(self) -> Path | None:
        """The image's file; None where it is part of another one, or elsewhere."""
        ...

    def file(self) -> bytes | None:
        """The image's file; None if only its pixels are at hand. Raises DatasetError."""
        ...

    def rgb(self) -> RGBImage:
        """H×W×3 uint8 RGB, in the orientation and size of the annotation. Raises DatasetError."""
        ...

    def stamp(self) -> str:
        """Something that changes with the picture, quickly found."""
        ...


@dataclass(frozen=True, eq=False)
class AnnotatedImage:
    """An image.

    Attributes:
        key: Unique among all images.
        file_name: Relative path of its file, with slashes, without ``..``.
        size: In pixels.
        objects: In the order in which they were drawn.
        picture: Its pixels; None if they are not at hand, and name and size are those that the
            annotation tells.
        annotation: Which annotation of the image this is, where each is an image of its own:
            ``by`` and the annotator's number, such as ``by7``, and never a name; else empty.
        source: What holds it, such as ``task 31``, where people look for it by that; else empty.
    """

    key: str
    file_name: str
    size: Size
    objects: tuple[AnnotatedObject, ...]
    picture: Picture | None = None
    annotation: str = ""
    source: str = ""

    @property
    def called(self) -> str:
        """What messages call it."""
        return f"{self.source}, {self.file_name}" if self.source else self.file_name

    @property
    def path(self) -> Path | None:
        """The image's file, where it is at hand and no part of another one."""
        return self.picture.path if self.picture is not None else None


@dataclass(frozen=True)
class Annotations:
    """Annotated images, read one after the other.

    Attributes:
        name: What people call them.
        labels: All classes: those that are declared, used or not, in their order, then others that
            count for an object, by name.
        images: The images, and among them what is left out.
        count: How many images there are, about; None if that is not known.
    """

    name: str
    labels: tuple[str, ...]
    images: Iterable[AnnotatedImage | LeftOut]
    count: int | None = None


def upright_box(corners: Polygon, size: Size) -> DrawnBox | None:
    """The box around a rectangle's corners, cut at the image's borders; None outside the image.

    Args:
        corners: N×2 float64 (x, y) in pixels from the image's top left corner.
        size: Of the image.
    """
    limits = np.array([size.width, size.height], dtype=np.float64)
    low, high = corners.min(axis=0), corners.max(axis=0)
    left, top = np.clip(low, 0, limits).tolist()
    right, bottom = np.clip(high, 0, limits).tolist()
    if right <= left or bottom <= top:
        return None
    upright = np.isclose(corners, low) | np.isclose(corners, high)
    return DrawnBox(left, top, right - left, bottom - top, turned=not bool(upright.all()))
