"""Boxes and points that people drew: labelme's shapes, and VOC's boxes."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from edgeflow.data.annotation_files.labelme import LabelmeShape, read_labelme
from edgeflow.data.annotation_files.voc_boxes import read_voc_boxes
from edgeflow.data.boxes.found import FloatBox, FoundBox, FoundPoint, ImageBoxes, with_area
from edgeflow.data.left_out import LeftOut
from edgeflow.data.listed import check_name

POINTS = ("point", "points")
CORNERS = {"rectangle": 2, "polygon": 3, "mask": 2, "circle": 2}
"""Types of shapes with a box, and the fewest points that they have."""


def labelme_boxes(path: Path) -> ImageBoxes:
    """The rectangles and points of a file, and the boxes around its polygons, masks and circles.

    Raises:
        DatasetError: It is not labelme's, or the image's name could lead out of a folder.
    """
    file = read_labelme(path)
    boxes: list[FoundBox] = []
    points: list[FoundPoint] = []
    left_out = list(file.left_out)
    for shape in file.shapes:
        if shape.kind in POINTS:
            points += [FoundPoint(shape.label, x, y, shape.score) for x, y in shape.points.tolist()]
        elif len(shape.points) >= CORNERS.get(shape.kind, len(shape.points) + 1):
            boxes.append(FoundBox(shape.label, _around(shape), shape.score))
        else:
            left_out.append(LeftOut(f"shapes of type {shape.kind[:40]!a}"))
    kept, empty = with_area(boxes, path.name)
    return ImageBoxes(
        _file_name(file.image, path),
        file.size,
        tuple(kept),
        tuple(points),
        left_out=(*left_out, *empty),
    )


def voc_boxes(path: Path) -> ImageBoxes:
    """The boxes of a file.

    Raises:
        DatasetError: It is not VOC's, or the image's name could lead out of a folder.
    """
    file = read_voc_boxes(path)
    boxes = [FoundBox(label, FloatBox(*borders)) for label, *borders in file.boxes]
    kept, empty = with_area(boxes, path.name)
    return ImageBoxes(
        _file_name(file.image, path), file.size, tuple(kept), left_out=(*file.left_out, *empty)
    )


def _around(shape: LabelmeShape) -> FloatBox:
    if shape.kind == "circle":
        (x, y), edge = shape.points[0].tolist(), shape.points[1]
        radius = float(((edge - shape.points[0]) ** 2).sum() ** 0.5)
        return FloatBox(x - radius, y - radius, x + radius, y + radius)
    (left, top), (right, bottom) = shape.points.min(axis=0), shape.points.max(axis=0)
    beyond = 1.0 if shape.kind == "mask" else 0.0  # its corners are pixels, both inside
    return FloatBox(float(left), float(top), float(right) + beyond, float(bottom) + beyond)


def _file_name(written: str, path: Path) -> str:
    """The image's name without folders; that of the file itself if none is written."""
    name = PurePosixPath(written.replace("\\", "/")).name or path.stem
    check_name(name, str(path))
    return name
