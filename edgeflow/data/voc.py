"""PASCAL VOC segmentation (Everingham et al., IJCV 2010)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from edgeflow.arrays import BoolMask
from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.files import is_there, read_bytes
from edgeflow.data.label_maps import Labels, label_map, numbered
from edgeflow.data.paired import Pair, PairedDataset
from edgeflow.data.splits import choose_split, listed_pairs, splits_in

CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
)  # fmt: skip
"""In the order of their numbers, from 1."""

NESTED = ("", "VOC2012", "VOCdevkit/VOC2012", "VOC2007", "VOCdevkit/VOC2007")


class Voc(PairedDataset):
    """``JPEGImages/<id>.jpg`` and ``SegmentationObject/<id>.png``; 255, the void, is ignored.

    An object's class is the one that ``SegmentationClass/<id>.png``, if it is there, has on most of
    its pixels.

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
        pairs = listed_pairs(
            lists, chosen, (home / "JPEGImages", ".jpg"), (home / "SegmentationObject", ".png")
        )
        super().__init__(f"{root.name} {chosen}", pairs, numbered)

    def _read(self, name: str, entry: Pair) -> Sample:
        sample = super()._read(name, entry)
        path = entry.annotation.parents[1] / "SegmentationClass" / entry.annotation.name
        if not is_there(path):
            return sample
        classes = label_map(read_bytes(path), str(path))
        if classes.shape != sample.rgb.shape[:2]:
            raise DatasetError(
                f"{path} has {classes.shape[1]}×{classes.shape[0]} pixels, {entry.annotation} has "
                f"{sample.rgb.shape[1]}×{sample.rgb.shape[0]}",
                hint="copy both again: they are published with the same size",
            )
        return replace(sample, labels=tuple(_most(classes, mask) for mask in sample.objects))

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the tree is there."""
        return _home(path) is not None


def class_name(number: int) -> str | None:
    """Name of a VOC class, counted from 1; None for a number that no class has."""
    return CLASSES[number - 1] if 1 <= number <= len(CLASSES) else None


def _most(classes: Labels, mask: BoolMask) -> str | None:
    """The class of most of an object's pixels."""
    return class_name(int(np.bincount(classes[mask]).argmax()))


def _home(root: Path) -> Path | None:
    for part in NESTED:
        home = root / part
        if (home / "SegmentationObject").is_dir() and (home / "JPEGImages").is_dir():
            return home
    return None
