"""CVAT for images 1.1: one XML file of images and the shapes on them.

Source: CVAT's "XML annotation format". Points are (x, y) in pixels from the image's top left
corner. A ``<mask>`` has its box in whole pixels, and in ``rle`` the lengths of the runs in it, row
after row, the first of background.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.data.annotation_files.numbers import Points, checked_points, size_of
from edgeflow.data.annotation_files.xml_files import children
from edgeflow.data.left_out import LeftOut
from edgeflow.errors import MaskCodecError
from edgeflow.geometry import Box, Size
from edgeflow.label_studio.values import finite_number, whole_number

ROOT = "annotations"
MAX_TEXT = 20_000_000
"""Characters of a shape's points or runs."""


class CvatShape(NamedTuple):
    """A shape, its attributes not parsed yet.

    Attributes:
        kind: Name of its tag.
        attributes: As written.
    """

    kind: str
    attributes: Mapping[str, str]

    @property
    def label(self) -> str | None:
        """Its class name, if it has one."""
        return self.attributes.get("label") or None

    @property
    def group(self) -> int:
        """Shapes of one object share it; 0 for a shape that stands alone."""
        return whole_number(self.attributes.get("group_id")) or 0

    @property
    def order(self) -> int:
        """The larger, the further on top."""
        return whole_number(self.attributes.get("z_order")) or 0


class CvatImage(NamedTuple):
    """An image and what is drawn on it.

    Attributes:
        names: Its path as written, and before it that in its subset, if it has one.
        size: In pixels, if it is given.
        shapes: In their order.
    """

    names: tuple[str, ...]
    size: Size | None
    shapes: tuple[CvatShape, ...]


def read_cvat(path: Path) -> Iterator[CvatImage | LeftOut | str]:
    """The images of a file; as texts, the labels that its task or project declares.

    Raises:
        DatasetError: It is not CVAT's.
    """
    for place, tag in enumerate(children(path, ROOT)):
        if tag.tag == "meta":
            yield from (name.text for name in tag.iterfind(".//labels/label/name") if name.text)
        elif tag.tag == "track":
            yield LeftOut("tracks of videos")
        elif tag.tag == "image":
            name, subset = tag.get("name"), tag.get("subset")
            if not name:
                yield LeftOut("an image without a name", f"{path.name}, tag {place}")
                continue
            size = size_of(tag.get("height"), tag.get("width"))
            shapes = tuple(CvatShape(each.tag, dict(each.attrib)) for each in tag)
            yield CvatImage((f"{subset}/{name}", name) if subset else (name,), size, shapes)


def polygon_points(shape: CvatShape) -> Points:
    """The N×2 points of a polygon.

    Raises:
        MaskCodecError: They are not numbers, or are far off the image.
    """
    words = _text(shape, "points").replace(";", ",").split(",")
    values = [finite_number(word) for word in words]
    known = [each for each in values if each is not None]
    if len(known) < len(values) or len(values) % 2:
        raise MaskCodecError("its points are not pairs of numbers")
    return checked_points(known)


def ellipse(shape: CvatShape) -> tuple[float, float, float, float, float]:
    """Centre x and y, the radii along both axes, and the rotation in degrees, clockwise.

    Raises:
        MaskCodecError: They are not numbers, or are far off the image.
    """
    values = [finite_number(shape.attributes.get(key)) for key in ("cx", "cy", "rx", "ry")]
    known = [each for each in values if each is not None]
    if len(known) < 4:
        raise MaskCodecError("its centre and radii are not numbers")
    (x, y), (across, down) = checked_points(known).tolist()
    return x, y, abs(across), abs(down), finite_number(shape.attributes.get("rotation")) or 0.0


def decode_mask(shape: CvatShape, size: Size) -> BoolMask:
    """The mask of a ``<mask>``, H×W of an image's size.

    Raises:
        MaskCodecError: Its runs do not fill its box, or its box leaves the image.
    """
    sides = [whole_number(shape.attributes.get(key)) for key in ("top", "left", "height", "width")]
    known = [each for each in sides if each is not None]
    if len(known) < 4:
        raise MaskCodecError("its box is not of whole numbers")
    top, left, height, width = known
    box = Box(top, left, top + height, left + width)
    if min(known) < 0 or box.bottom > size.height or box.right > size.width:
        raise MaskCodecError("its box leaves the image")
    try:
        runs = np.array([int(word) for word in _text(shape, "rle").split(",")], dtype=np.int64)
    except (ValueError, OverflowError) as error:
        raise MaskCodecError("its runs are not whole numbers") from error
    if (runs < 0).any() or (runs > box.area).any() or runs.sum() != box.area:
        raise MaskCodecError(f"its runs do not fill its box of {width}×{height} pixels")
    mask = np.zeros(size, dtype=np.bool_)
    mask[box.slices] = np.repeat(np.arange(len(runs)) % 2 == 1, runs).reshape(height, width)
    return mask


def _text(shape: CvatShape, key: str) -> str:
    text = shape.attributes.get(key, "")
    if not text or len(text) > MAX_TEXT:
        raise MaskCodecError(f"it has no {key}" if not text else f"its {key} are too long")
    return text
