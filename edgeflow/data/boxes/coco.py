"""Boxes from COCO: instances, and the results that detectors write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgeflow.data.annotation_files.numbers import REACH
from edgeflow.data.base import DatasetError
from edgeflow.data.boxes.found import FloatBox, FoundBox, ImageBoxes, with_area
from edgeflow.data.coco_names import Id, Names, as_id, coco_names
from edgeflow.data.json_files import read_json
from edgeflow.data.left_out import LeftOut
from edgeflow.data.listed import check_name
from edgeflow.label_studio.values import finite_number


def instances(document: object, path: Path) -> Iterator[ImageBoxes | LeftOut]:
    """The boxes of a file of instances, image by image; crowds are left out."""
    source = path.name
    names, left_out = coco_names(document, source)
    yield from left_out
    annotations = document.get("annotations") if isinstance(document, dict) else None
    yield from _by_image(annotations, names, source)


def results(document: object, path: Path, names: Path | None) -> Iterator[ImageBoxes | LeftOut]:
    """The boxes of a list of detections, image by image.

    Args:
        document: Parsed JSON: a list of ``image_id``, ``category_id``, ``bbox``, ``score``.
        path: Its file.
        names: COCO file that names the images and categories. Without it, images are called after
            ``file_name`` or their id, and classes after their number.
    """
    known = Names({}, {})
    if names is not None:
        known, left_out = coco_names(read_json(names), names.name)
        yield from left_out
    yield from _by_image(document, known, path.name)


def _by_image(annotations: object, names: Names, source: str) -> Iterator[ImageBoxes | LeftOut]:
    if not isinstance(annotations, list):
        raise DatasetError(f"{source} is not a COCO file", hint='it needs the list "annotations"')
    found: dict[Id, list[FoundBox]] = {key: [] for key in names.images}
    file_names: dict[Id, str] = {}
    for place, annotation in enumerate(annotations):
        where = f"{source}, annotation {place}"
        try:
            key = as_id(annotation["image_id"])
            box = _box(annotation["bbox"])
        except (KeyError, TypeError, ValueError):
            yield LeftOut("it has no box on an image", where)
            continue
        if annotation.get("iscrowd") == 1:
            yield LeftOut("crowds")
            continue
        if isinstance(annotation.get("file_name"), str):
            file_names[key] = annotation["file_name"]
        kept, left_out = with_area(
            [FoundBox(_label(annotation, names), box, _score(annotation))], where
        )
        yield from left_out
        found.setdefault(key, []).extend(kept)
    for key, boxes in found.items():
        name, size = names.images.get(key, (file_names.get(key, str(key)), None))
        try:
            check_name(name, source)
        except DatasetError as error:
            yield LeftOut.of(error, source)
            continue
        yield ImageBoxes(name, size, tuple(boxes))


def _box(value: Any) -> FloatBox:  # noqa: ANN401 - parsed JSON
    sides = [finite_number(each) for each in value] if isinstance(value, list) else []
    known = [side for side in sides if side is not None and abs(side) <= REACH]
    if len(known) != 4 or len(sides) != 4:
        raise ValueError("not a box")
    x, y, width, height = known
    return FloatBox(x, y, x + width, y + height)


def _label(annotation: dict[str, Any], names: Names) -> str | None:
    category = annotation.get("category_id")
    if isinstance(category, bool) or not isinstance(category, int | str):
        return None
    return names.categories.get(category, str(category))


def _score(annotation: dict[str, Any]) -> float | None:
    return finite_number(annotation.get("score"))
