"""YOLO datasets as Ultralytics describes them: ``data.yaml``, ``images/`` and ``labels/``."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from edgeflow.arrays import BoolMask
from edgeflow.data.annotation_files.data_yaml import NAME, SUFFIXES, DataYaml, read_data_yaml
from edgeflow.data.annotation_files.numbers import Points
from edgeflow.data.annotation_files.yolo_labels import YoloObject, read_labels
from edgeflow.data.annotation_files.yolo_tree import Labelled, labelled_images
from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.files import image_for, is_there, read_bytes
from edgeflow.data.layouts.drawing import Drawing, drawn_sample
from edgeflow.data.left_out import LeftOut
from edgeflow.data.listed import ListedDataset
from edgeflow.data.splits import choose_split
from edgeflow.geometry import Size
from edgeflow.masks.outlines import fill_as_opencv

PROBED = 16
NO_NAME = "labels of classes that data.yaml does not name"


class YoloSeg(ListedDataset[Labelled]):
    """Images with outlines; each line of a label file is an object, filled as Ultralytics does.

    Holes and parts of an object are bridged into its one outline. Lines with a box are left out. An
    image without labels has no object. An object of a class that ``names`` lacks has no label;
    where nothing is named, numbers are the labels.

    Args:
        root: Folder of ``data.yaml``, or such a file of any name.
        split: ``train``, ``val`` or ``test``; may be None where all are the same folder.

    Raises:
        DatasetError: There is no such split, or its images are not found.
    """

    def __init__(self, root: Path, split: str | None = None) -> None:
        path = _contents(root)
        data = read_data_yaml(path)
        if data.keypoints:
            raise DatasetError(
                f"{path} describes skeletons (kpt_shape), not masks",
                hint="use labels for segmentation",
            )
        if split is None and len(set(data.splits.values())) == 1:
            split = next(iter(data.splits))
        chosen = choose_split(list(data.splits), split, str(path))
        self._names = data.names
        home = path.parent.resolve().name
        entries = labelled_images(path, data, chosen)
        super().__init__(f"{home} {chosen}", entries, class_names=data.names.values())

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the table of contents is there, and not all labels are boxes."""
        return _holds_boxes(path) is False

    def _read(self, name: str, entry: Labelled) -> Sample:
        file_name = f"{name}{entry.image.suffix}"
        rgb = image_for(read_bytes(entry.image), None, str(entry.image), str(entry.labels))
        if not is_there(entry.labels):
            return Sample(name, rgb, (), file_name=file_name, path=entry.image)
        objects, left_out = read_labels(entry.labels)
        left_out += [LeftOut("boxes") for each in objects if each.box]
        outlined = [each for each in objects if not each.box]
        if self._names:
            left_out += [LeftOut(NO_NAME) for each in outlined if each.number not in self._names]
        drawings = [
            Drawing(self._label(each.number), partial(_fill, each.points), entry.labels.name)
            for each in outlined
        ]
        return drawn_sample(
            name, rgb, drawings, file_name=file_name, left_out=left_out, path=entry.image
        )

    def _label(self, number: int) -> str | None:
        return self._names.get(number) if self._names else str(number)


def are_yolo_boxes(path: Path) -> bool:
    """Whether the path is a YOLO dataset of boxes alone."""
    return _holds_boxes(path) is True


def refuse_boxes(path: Path) -> YoloSeg:
    """Say that boxes are no masks.

    Raises:
        DatasetError: Always.
    """
    raise DatasetError(
        f"{path} holds boxes, which say where an object is and not what it covers",
        hint="`edgeflow prelabel` turns boxes into masks; to read the outlines among its labels, "
        "name the layout yolo-seg",
    )


def _fill(points: Points, size: Size) -> BoolMask:
    return fill_as_opencv(points * (size.width, size.height), size)


def _contents(root: Path) -> Path:
    return root if root.is_file() else root / NAME


def _holds_boxes(root: Path) -> bool | None:
    """Whether all labels are boxes; of up to ``PROBED`` files. None if it is no YOLO dataset."""
    path = _contents(root)
    if path.suffix.lower() not in SUFFIXES or not path.is_file():
        return None
    try:
        data = read_data_yaml(path)
    except DatasetError:
        return None
    if not data.splits:
        return None
    kinds = [each.box for each in _probed(path, data)]
    return bool(kinds) and all(kinds)


def _probed(path: Path, data: DataYaml) -> list[YoloObject]:
    objects: list[YoloObject] = []
    for split in data.splits:
        try:
            files = [
                each.labels
                for each in labelled_images(path, data, split).values()
                if is_there(each.labels)
            ]
            for labels in files[:: max(1, -(-len(files) // PROBED))]:
                objects += read_labels(labels)[0]
        except DatasetError:
            continue  # told when the split is read
    return objects
