"""Boxes from YOLO's label files; of outlines the boxes around them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from edgeflow.data.annotation_files.data_yaml import read_data_yaml
from edgeflow.data.annotation_files.yolo_labels import YoloObject, read_labels
from edgeflow.data.annotation_files.yolo_tree import labelled_images
from edgeflow.data.base import DatasetError
from edgeflow.data.boxes.found import FloatBox, FoundBox, ImageBoxes, with_area
from edgeflow.data.files import is_there, read_bytes
from edgeflow.data.left_out import LeftOut

CLASSES = "classes.txt"
"""Names of classes, a line each, as labelImg writes them beside the labels."""


def yolo_dataset(path: Path) -> Iterator[ImageBoxes | LeftOut]:
    """The boxes of all splits of a ``data.yaml``, image by image; images without labels have none.

    An image that two splits share, as where ``val`` is ``train``, is there once.

    Raises:
        DatasetError: Its images are not found.
    """
    data = read_data_yaml(path)
    seen: set[Path] = set()
    for split in data.splits:
        for name, files in labelled_images(path, data, split).items():
            if files.image in seen:
                continue
            seen.add(files.image)
            extension = files.image.suffix
            if is_there(files.labels):
                yield from _of_file(files.labels, f"{name}{extension}", data.names)
            else:
                yield ImageBoxes(f"{name}{extension}", None, (), relative=True)


def yolo_file(path: Path, names: Path | None) -> Iterator[ImageBoxes | LeftOut]:
    """The boxes of one label file.

    Args:
        path: The file.
        names: ``data.yaml``, or a text of class names, a line each. Without it, ``classes.txt``
            beside the file, if it is there.
    """
    yield from _of_file(path, path.stem, class_names(path, names))


def class_names(path: Path, names: Path | None) -> dict[int, str]:
    """Class names by number, for a label file.

    Raises:
        DatasetError: The file that names them cannot be read.
    """
    if names is None:
        names = path.parent / CLASSES
        if not is_there(names):
            return {}
    if names.suffix.lower() in {".yaml", ".yml"}:
        return read_data_yaml(names).names
    try:
        lines = read_bytes(names, 1 << 22).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DatasetError(f"{names} is not a text: {error}", hint="save it as UTF-8") from error
    return {number: line.strip() for number, line in enumerate(lines) if line.strip()}


def _of_file(path: Path, file_name: str, names: dict[int, str]) -> Iterator[ImageBoxes | LeftOut]:
    objects, left_out = read_labels(path)
    boxes, empty = with_area([_box(each, names) for each in objects], os.fspath(path.name))
    yield ImageBoxes(file_name, None, tuple(boxes), relative=True, left_out=(*left_out, *empty))


def _box(each: YoloObject, names: dict[int, str]) -> FoundBox:
    (left, top), (right, bottom) = each.points.min(axis=0), each.points.max(axis=0)
    box = FloatBox(float(left), float(top), float(right), float(bottom))
    return FoundBox(names.get(each.number, str(each.number)), box, each.score)
