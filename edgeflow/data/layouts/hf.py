"""Hugging Face's image folders: ``metadata.jsonl`` beside the images, a line an image.

Source: ``folder_based_builder.py`` of ``datasets``. Of the columns, ``file_name`` is the image,
``instances_file_names`` a list of masks, one an object, ``labels`` their class names, and
``mask_file_name``, which is read where the list is missing, one mask.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.data.annotation_files.metadata_jsonl import (
    FILE,
    IMAGE,
    MASK,
    MASKS,
    names_masks,
    rows,
)
from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.files import image_for, read_bytes
from edgeflow.data.label_maps import any_value, binary, is_binary, numbered
from edgeflow.data.layouts.drawing import Drawing, drawn_sample, of_size
from edgeflow.data.left_out import LeftOut
from edgeflow.data.listed import ListedDataset, check_name
from edgeflow.data.splits import choose_split
from edgeflow.errors import MaskCodecError
from edgeflow.geometry import Size

IMAGES = "images/"
"""Folder in which images lie that are called without it."""


class HfImage(NamedTuple):
    """A line.

    Attributes:
        image: Path of the image in the dataset.
        masks: Paths of the masks, one an object.
        labels: Their class names, one each.
        mask: Path of the one mask, where there is no list; empty otherwise.
    """

    image: str
    masks: tuple[str, ...]
    labels: tuple[str | None, ...]
    mask: str

    @property
    def file_name(self) -> str:
        """What the image is called: its path, without a folder ``images`` that all are in."""
        return self.image.removeprefix(IMAGES)


class HfImageFolder(ListedDataset[HfImage]):
    """Images with masks, one an object: what is not black in it. Nothing is ignored.

    Of a mask for all objects the values number them, or 255 is the one object, as in the layouts
    ``folder`` and ``berkeley``; these have no labels.

    Args:
        root: Folder of ``metadata.jsonl``, or of folders, one a split, that hold one each.
        split: Name of such a folder; may be None where there is only one.

    Raises:
        DatasetError: There is no such split, or its table is not UTF-8.
    """

    def __init__(self, root: Path, split: str | None = None) -> None:
        splits = _splits(root)
        name = root.resolve().name
        if splits != [""]:
            split = choose_split(splits, split, str(root))
            name = f"{name} {split}"
        elif split is not None:
            raise DatasetError(
                f"{root} has no splits", hint="its metadata.jsonl is not in a folder of its own"
            )
        self._home = root / (split or "")
        entries: dict[str, HfImage] = {}
        left_out: list[LeftOut] = []
        for place, row in enumerate(rows(self._home / FILE), start=1):
            where = f"{FILE}, line {place}"
            try:
                image = _image(row, where)
            except (DatasetError, MaskCodecError) as error:
                left_out.append(LeftOut(error.message, where))
                continue
            if _without_labels(row):
                left_out.append(LeftOut("labels that are not one text for each mask"))
            key = str(PurePosixPath(image.file_name).with_suffix(""))
            if key in entries:
                left_out.append(LeftOut("a second line for an image", where))
            else:
                entries[key] = image
        used = {label for each in entries.values() for label in each.labels if label is not None}
        super().__init__(name, entries, class_names=sorted(used), left_out=left_out)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the table is there, or in each of several folders."""
        return bool(_splits(path))

    def _read(self, name: str, entry: HfImage) -> Sample:
        path = self._home / entry.image
        if entry.mask:
            mask = self._home / entry.mask
            data = read_bytes(mask)
            interpret = binary if is_binary(data, str(mask)) else numbered
            read = interpret(data, str(mask))
            rgb = image_for(read_bytes(path), read.size, str(path), str(mask))
            return Sample(
                name, rgb, read.objects, read.ignore, file_name=entry.file_name, path=path
            )
        rgb = image_for(read_bytes(path), self._size(entry), str(path), "its masks")
        drawings = [
            Drawing(label, partial(_draw, self._home / mask), mask)
            for mask, label in zip(entry.masks, entry.labels, strict=True)
        ]
        return drawn_sample(name, rgb, drawings, file_name=entry.file_name, path=path)

    def _size(self, entry: HfImage) -> Size | None:
        """The size of the first mask that can be read: it tells how the image was turned."""
        for mask in entry.masks:
            path = self._home / mask
            try:
                return any_value(read_bytes(path), str(path)).size
            except DatasetError:
                continue
        return None


def _without_labels(row: dict[str, Any] | None) -> bool:
    """Whether a line has labels that cannot be given to its masks."""
    labels, masks = (row or {}).get("labels"), (row or {}).get(MASKS)
    if not labels or not isinstance(masks, list):
        return False
    texts = isinstance(labels, list) and all(
        each is None or isinstance(each, str) for each in labels
    )
    return not texts or len(labels) != len(masks)


def _draw(path: Path, size: Size) -> BoolMask:
    annotation = any_value(read_bytes(path), path.name)
    if not annotation.objects:
        return np.zeros(size, dtype=np.bool_)
    return of_size(annotation.objects[0], size)


def _splits(root: Path) -> list[str]:
    if names_masks(root):
        return [""]
    if not root.is_dir():
        return []
    return sorted(each.name for each in root.iterdir() if names_masks(each))


def _image(row: dict[str, Any] | None, where: str) -> HfImage:
    """A line, checked.

    Raises:
        MaskCodecError: It has no image, or no masks.
        DatasetError: A name could lead out of the folder.
    """
    image = row.get(IMAGE) if row is not None else None
    if row is None or not isinstance(image, str):
        raise MaskCodecError("it is not an object with file_name")
    masks, mask = row.get(MASKS), row.get(MASK)
    if not isinstance(masks, list):
        masks = []
        if not isinstance(mask, str):
            raise MaskCodecError("it has neither instances_file_names nor mask_file_name")
    else:
        mask = ""
    labels = row.get("labels")
    if not isinstance(labels, list) or len(labels) != len(masks):
        labels = [None] * len(masks)
    for name in (image, *masks, *([mask] if mask else [])):
        if not isinstance(name, str):
            raise MaskCodecError("a name is not a text")
        check_name(name, where)
    texts = tuple(each if isinstance(each, str) and each else None for each in labels)
    return HfImage(image, tuple(masks), texts, mask)
