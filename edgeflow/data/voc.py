"""PASCAL VOC segmentation (Everingham et al., IJCV 2010)."""

from __future__ import annotations

from pathlib import Path

from edgeflow.data.label_maps import numbered
from edgeflow.data.paired import PairedDataset
from edgeflow.data.splits import choose_split, listed_pairs, splits_in

NESTED = ("", "VOC2012", "VOCdevkit/VOC2012", "VOC2007", "VOCdevkit/VOC2007")


class Voc(PairedDataset):
    """``JPEGImages/<id>.jpg`` and ``SegmentationObject/<id>.png``; 255, the void, is ignored.

    Args:
        root: the folder of these two, or one that holds it as ``VOC2012`` or
            ``VOCdevkit/VOC2012``.
        split: a list in ``ImageSets/Segmentation``; may be None where there is only one.

    Raises:
        DatasetError: there is no such list, or none is chosen.
    """

    def __init__(self, root: Path, split: str | None = None) -> None:
        home = _home(root) or root
        lists = home / "ImageSets" / "Segmentation"
        chosen = choose_split(splits_in(lists), split, str(lists))
        pairs = listed_pairs(
            lists, chosen, (home / "JPEGImages", ".jpg"), (home / "SegmentationObject", ".png")
        )
        super().__init__(f"{root.name} {chosen}", pairs, numbered)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the tree is there."""
        return _home(path) is not None


def _home(root: Path) -> Path | None:
    for part in NESTED:
        home = root / part
        if (home / "SegmentationObject").is_dir() and (home / "JPEGImages").is_dir():
            return home
    return None
