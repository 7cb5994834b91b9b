"""Layouts with one mask of numbers an image, and a table that says what the numbers stand for.

``semantic``: ``images/``, ``masks/`` and ``classes.csv``; ``instances``: ``images/``, ``masks/``
and ``instances.csv``.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeflow.data.annotation_files.tables import (
    CLASSES,
    INSTANCES,
    read_class_table,
    read_instance_table,
)
from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.files import IMAGES, MASKS, files_below
from edgeflow.data.label_maps import Annotation, label_map, numbers_in, split_labels
from edgeflow.data.layouts.drawing import NO_PIXEL
from edgeflow.data.left_out import LeftOut
from edgeflow.data.listed import count_and_first
from edgeflow.data.paired import Pair, PairedDataset

IGNORE = 255
IMAGE_FOLDER, MASK_FOLDER = "images", "masks"


class Semantic(PairedDataset):
    """``masks/<id>.png``, whose values are classes. Each class on an image is one object.

    Which pixels of a class belong to which object is not known, so they are not taken apart. Value
    0 is background, and 255 is ignored unless the table names it. An object of a class that the
    table does not name has no label.

    Args:
        root: Folder of ``masks`` and ``classes.csv``.
        split: Folder in ``images`` and ``masks``; None takes all.
        images: Folder of the images; by default ``images`` in the folder.

    Raises:
        DatasetError: The table cannot be read, or a mask has no image.
    """

    def __init__(self, root: Path, *, split: str | None = None, images: Path | None = None) -> None:
        self._classes = read_class_table(root / CLASSES)
        name, pairs = _pairs(root, split, images)
        names = [label for index, label in self._classes.items() if index]
        super().__init__(name, pairs, self._interpret_classes, class_names=names)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the masks and the table of classes are there, and no table of objects."""
        return _has(path, CLASSES) and not _has(path, INSTANCES)

    def _interpret_classes(self, data: bytes, source: str) -> Annotation:
        values = label_map(data, source)
        ignore = IGNORE if values.dtype == np.uint8 and IGNORE not in self._classes else None
        labels = map(self._classes.get, numbers_in(values, ignore))
        return replace(split_labels(values, ignore, source), labels=tuple(labels))


class Instances(PairedDataset):
    """``masks/<id>.png`` of 16 bits, whose values number the objects; the table has their labels.

    Args:
        root: Folder of ``masks`` and ``instances.csv``.
        split: Folder in ``images`` and ``masks``; None takes all.
        images: Folder of the images; by default ``images`` in the folder.

    Raises:
        DatasetError: The table cannot be read, or a mask has no image.
    """

    def __init__(self, root: Path, *, split: str | None = None, images: Path | None = None) -> None:
        self._labels, left_out = read_instance_table(root / INSTANCES)
        name, pairs = _pairs(root, split, images)
        if split is None:
            left_out += [
                LeftOut("labels of a mask that is missing", file)
                for file in self._labels
                if file not in pairs
            ]
        used = {label for each in self._labels.values() for label in each.values()}
        names = sorted(label for label in used if label is not None)
        super().__init__(name, pairs, _numbers, class_names=names, left_out=left_out)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the masks and the table of objects are there."""
        return _has(path, INSTANCES)

    def _read(self, name: str, entry: Pair) -> Sample:
        sample = super()._read(name, entry)
        labels = self._labels.get(name, {})
        numbers = [int(each) for each in sample.labels if each is not None]
        lost = len(labels.keys() - set(numbers))
        return replace(
            sample,
            labels=tuple(map(labels.get, numbers)),
            left_out=(LeftOut(NO_PIXEL),) * lost,
        )


def _has(root: Path, table: str) -> bool:
    return (root / table).is_file() and (root / MASK_FOLDER).is_dir()


def _numbers(data: bytes, source: str) -> Annotation:
    """A mask's objects, their numbers as labels."""
    values = label_map(data, source)
    ignore = IGNORE if values.dtype == np.uint8 else None
    labels = map(str, numbers_in(values, ignore))
    return replace(split_labels(values, ignore, source), labels=tuple(labels))


def _pairs(root: Path, split: str | None, images: Path | None) -> tuple[str, dict[str, Pair]]:
    """The dataset's name, and its masks with their images, by relative path without extension."""
    pictures, masks = images or root / IMAGE_FOLDER, root / MASK_FOLDER
    image_files = files_below(pictures, IMAGES)
    mask_files = files_below(masks, MASKS)
    if split is not None:
        mask_files = {
            name: path for name, path in mask_files.items() if name.startswith(f"{split}/")
        }
        if not mask_files:
            raise DatasetError(
                f"{masks} has no split {split!r}", hint="splits are the names of its folders"
            )
    alone = [name for name in mask_files if name not in image_files]
    if alone:
        raise DatasetError(
            f"{masks}: {count_and_first(alone)} without an image in {pictures}",
            hint="images are named as their masks; name their folder with --images",
        )
    name = root.resolve().name
    return name if split is None else f"{name} {split}", {
        name: Pair(image_files[name], path) for name, path in mask_files.items()
    }
