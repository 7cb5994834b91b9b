"""PASCAL VOC's XML: the boxes on one image, counted from 1 with both borders inside."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from edgeflow.data.annotation_files.numbers import size_of
from edgeflow.data.annotation_files.xml_files import read_xml, text_of
from edgeflow.data.base import DatasetError
from edgeflow.data.left_out import LeftOut
from edgeflow.geometry import Size
from edgeflow.label_studio.values import finite_number

ROOT = "annotation"


class VocBox(NamedTuple):
    """A box, in pixels from the image's top left corner.

    Attributes:
        label: Class name, if it has one.
        left: Of the first column's left border.
        top: Of the first row's upper border.
        right: Of the last column's right border.
        bottom: Of the last row's lower border.
    """

    label: str | None
    left: float
    top: float
    right: float
    bottom: float


class VocFile(NamedTuple):
    """What a file says.

    Attributes:
        image: The image's name, as written.
        size: The image's, if it is given.
        boxes: In their order.
        left_out: Objects that cannot be read.
    """

    image: str
    size: Size | None
    boxes: tuple[VocBox, ...]
    left_out: tuple[LeftOut, ...]


def read_voc_boxes(path: Path) -> VocFile:
    """Read a file.

    Raises:
        DatasetError: It is not VOC's.
    """
    root = read_xml(path)
    if root.tag != ROOT:
        raise DatasetError(
            f"{path} is not an annotation of PASCAL VOC", hint=f"its outermost tag is not <{ROOT}>"
        )
    boxes: list[VocBox] = []
    left_out: list[LeftOut] = []
    for place, tag in enumerate(root.findall("object")):
        sides = [
            finite_number(text_of(tag, f"bndbox/{side}"))
            for side in ("xmin", "ymin", "xmax", "ymax")
        ]
        known = [side for side in sides if side is not None]
        if len(known) < 4:
            left_out.append(LeftOut("it has no box", f"{path.name}, object {place}"))
        else:
            left, top, right, bottom = known
            boxes.append(VocBox(text_of(tag, "name"), left - 1, top - 1, right, bottom))
    size = size_of(text_of(root, "size/height"), text_of(root, "size/width"))
    return VocFile(text_of(root, "filename") or "", size, tuple(boxes), tuple(left_out))
