"""The entrance: any file or folder with boxes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from edgeflow.data.annotation_files.data_yaml import NAME, SUFFIXES
from edgeflow.data.annotation_files.labelme import KEY
from edgeflow.data.base import DatasetError
from edgeflow.data.boxes.coco import instances, results
from edgeflow.data.boxes.drawn import labelme_boxes, voc_boxes
from edgeflow.data.boxes.found import ImageBoxes
from edgeflow.data.boxes.yolo import CLASSES, yolo_dataset, yolo_file
from edgeflow.data.files import files_in
from edgeflow.data.json_files import is_object, read_json
from edgeflow.data.left_out import LeftOut

HINT = (
    "boxes are read from COCO (instances or results), YOLO (data.yaml, or a folder of label files),"
    " labelme and PASCAL VOC"
)
NO_LABELS = {CLASSES, "labels.txt", "train.txt", "val.txt", "test.txt"}
"""Texts that lie beside label files and are none."""


def read_boxes(path: Path, *, names: Path | None = None) -> Iterator[ImageBoxes | LeftOut]:
    """Boxes and points, image by image, as they were found or drawn.

    A JSON file is COCO's instances (an object with ``images`` and ``annotations``), a detector's
    results (a list of ``image_id``, ``category_id``, ``bbox``, ``score``) or labelme's; an XML file
    VOC's; a ``.txt`` file YOLO's; a ``.yaml`` file the table of contents of a YOLO dataset. Of a
    folder that table is read, or else all of its files, sorted by name; of a VOC dataset those in
    ``Annotations``.

    Args:
        path: File or folder.
        names: File that names what numbers stand for: for COCO's results a COCO file with
            ``images`` and ``categories``, for YOLO's labels a ``data.yaml`` or a text with a class
            a line.

    Returns:
        Images, and among them what cannot be read: a file of a folder that is damaged costs only
        itself.

    Raises:
        DatasetError: The path is missing, is none of these, or as a single file cannot be read.
    """
    if not path.exists():
        raise DatasetError(f"{path} is missing", hint="check the path of the boxes")
    if path.is_file():
        yield from _of_file(path, names)
        return
    if (path / NAME).is_file():
        yield from yolo_dataset(path / NAME)
        return
    nested = path / "Annotations"
    empty = True
    for file in files_in(nested if nested.is_dir() else path, (".json", ".txt", ".xml")):
        if file.name in NO_LABELS:
            continue
        empty = False
        try:
            yield from _of_file(file, names)
        except DatasetError as error:
            yield LeftOut(error.message, file.name)
    if empty:
        raise DatasetError(f"{path} holds no file with boxes", hint=HINT)


def _of_file(path: Path, names: Path | None) -> Iterator[ImageBoxes | LeftOut]:
    suffix = path.suffix.lower()
    if suffix == ".json" and is_object(path, KEY):
        yield labelme_boxes(path)
    elif suffix == ".json":
        document = read_json(path)
        if isinstance(document, list):
            yield from results(document, path, names)
        elif isinstance(document, dict) and KEY in document:  # behind a picture in its text
            yield labelme_boxes(path)
        else:
            yield from instances(document, path)
    elif suffix == ".xml":
        yield voc_boxes(path)
    elif suffix == ".txt":
        yield from yolo_file(path, names)
    elif suffix in SUFFIXES:
        yield from yolo_dataset(path)
    else:
        raise DatasetError(f"{path} is no file with boxes", hint=HINT)
