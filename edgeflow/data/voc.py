"""PASCAL VOC segmentation (Everingham et al., IJCV 2010), and datasets in its form."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.data.annotation_files.voc_classes import (
    LABEL_MAP,
    class_name,
    numbers_of_colours,
    read_label_map,
)
from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.files import IMAGES, is_there, read_bytes
from edgeflow.data.label_maps import (
    IGNORE,
    Annotation,
    Labels,
    colour_map,
    has_colours,
    label_map,
    split_labels,
)
from edgeflow.data.listed import check_name
from edgeflow.data.paired import Pair, PairedDataset
from edgeflow.data.splits import choose_split, splits_in

NESTED = ("", "VOC2012", "VOCdevkit/VOC2012", "VOC2007", "VOCdevkit/VOC2007")


class Voc(PairedDataset):
    """``JPEGImages/<id>.*`` and ``SegmentationObject/<id>.png``; 255, the void, is ignored.

    An object's class is the one that ``SegmentationClass/<id>.png``, if it is there, has on most of
    its pixels. Classes are VOC's, or those that ``labelmap.txt`` names. Masks have a palette, whose
    indices count, or VOC's colours, as CVAT writes them.

    Args:
        root: Folder of these two, or one that holds it as ``VOC2012`` or
            ``VOCdevkit/VOC2012``.
        split: List in ``ImageSets/Segmentation``; may be None where there is only one.

    Raises:
        DatasetError: There is no such list, or none is chosen.
    """

    def __init__(self, root: Path, split: str | None = None) -> None:
        home = _home(root) or root
        lists = home / "ImageSets" / "Segmentation"
        chosen = choose_split(splits_in(lists), split, str(lists))
        table = home / LABEL_MAP
        self._names = read_label_map(table) if is_there(table) else None
        pairs = {name: _pair(home, name) for name in _listed(lists / f"{chosen}.txt")}
        names = () if self._names is None else tuple(self._names.values())
        super().__init__(f"{root.name} {chosen}", pairs, _objects, class_names=names)

    def _read(self, name: str, entry: Pair) -> Sample:
        sample = super()._read(name, entry)
        path = entry.annotation.parents[name.count("/") + 1] / "SegmentationClass" / f"{name}.png"
        if not is_there(path):
            return sample
        classes = _numbers(read_bytes(path), str(path))
        if classes.shape != sample.rgb.shape[:2]:
            raise DatasetError(
                f"{path} has {classes.shape[1]}×{classes.shape[0]} pixels, {entry.annotation} has "
                f"{sample.rgb.shape[1]}×{sample.rgb.shape[0]}",
                hint="copy both again: they are published with the same size",
            )
        return replace(sample, labels=tuple(self._most(classes, mask) for mask in sample.objects))

    def _most(self, classes: Labels, mask: BoolMask) -> str | None:
        """The class of most of an object's pixels."""
        number = int(np.bincount(classes[mask]).argmax())
        return class_name(number) if self._names is None else self._names.get(number)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the tree is there."""
        return _home(path) is not None


def _pair(home: Path, name: str) -> Pair:
    annotation = home / "SegmentationObject" / f"{name}.png"
    for extension in (".jpg", *IMAGES):
        image = home / "JPEGImages" / f"{name}{extension}"
        if is_there(image):
            return Pair(image, annotation)
    return Pair(home / "JPEGImages" / f"{name}.jpg", annotation)


def _listed(path: Path) -> list[str]:
    """The names in a list, a line each; a name may hold blanks.

    Raises:
        DatasetError: It cannot be read, or a name could lead out of the folder.
    """
    try:
        lines = read_bytes(path, 1 << 28).decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path} is not a text: {error}", hint="save it as UTF-8") from error
    names = [line.strip() for line in lines if line.strip()]
    for name in names:
        check_name(name, str(path))
    return names


def _numbers(data: bytes, source: str) -> Labels:
    """The values of a mask: a palette's indices, or what VOC's colours stand for."""
    if not has_colours(data, source):
        return label_map(data, source)
    try:
        return numbers_of_colours(colour_map(data, source))
    except ValueError as error:
        raise DatasetError(
            f"{source} is a mask of {error}", hint="save it with VOC's palette, as indices"
        ) from error


def _objects(data: bytes, source: str) -> Annotation:
    values = _numbers(data, source)
    return split_labels(values, IGNORE if values.dtype == np.uint8 else None, source)


def _home(root: Path) -> Path | None:
    for part in NESTED:
        home = root / part
        if (home / "SegmentationObject").is_dir() and (home / "JPEGImages").is_dir():
            return home
    return None
