"""Images and masks in two folders, with the same names.

``folder``: ``images/`` and ``masks/``, whose values number the objects. ``img-gt``: ``img/`` and
``gt/``, as RITM (Sofiiuk et al., 2021) publishes its 345 DAVIS frames and COCO_MVal. For masks
of 0 and 255 see :class:`edgeflow.data.grabcut.Berkeley`.
"""

from __future__ import annotations

from pathlib import Path

from edgeflow.data.base import DatasetError
from edgeflow.data.files import MASKS, files_by_stem, read_bytes
from edgeflow.data.label_maps import any_value, is_binary, numbered
from edgeflow.data.paired import PairedDataset, pairs_in

PROBED = 16


class Folder(PairedDataset):
    """``images/<id>.*`` and ``masks/<id>.png``: 0 background, k object k, 255 ignore.

    Masks have one channel of 8 or 16 bits, or a palette; only in 8 bits is 255 special.

    Args:
        root: the folder that holds both.

    Raises:
        DatasetError: a mask has no image, or the masks hold nothing but 0 and 255.
    """

    def __init__(self, root: Path) -> None:
        if has_binary_masks(root):
            raise DatasetError(
                f"{root / 'masks'}: nothing but 0 and 255, and in numbered masks 255 is ignored",
                hint="use the layout berkeley, where 255 is the object",
            )
        super().__init__(root.name, pairs_in(root / "images", root / "masks"), numbered)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the tree is there, with masks that number objects."""
        return has_images_and_masks(path) and not has_binary_masks(path)


class ImgGt(PairedDataset):
    """``img/<id>.*`` and ``gt/<id>.*``: pixels that are not black are the one object.

    Args:
        root: the folder that holds both.

    Raises:
        DatasetError: a mask has no image.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root.name, pairs_in(root / "img", root / "gt"), any_value)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the tree is there."""
        return (path / "img").is_dir() and (path / "gt").is_dir()


def has_images_and_masks(root: Path) -> bool:
    """Whether a folder has the two that Berkeley and numbered masks have in common."""
    return (root / "images").is_dir() and (root / "masks").is_dir()


def has_binary_masks(root: Path) -> bool:
    """Whether all masks of ``masks/`` that are looked at have values 0 and 255 alone.

    Up to ``PROBED`` of them, evenly spread. Empty and unreadable ones do not count.
    """
    paths = list(files_by_stem(root / "masks", MASKS).values())
    seen = []
    for path in paths[:: max(1, -(-len(paths) // PROBED))]:
        try:
            seen.append(is_binary(read_bytes(path), str(path)))
        except DatasetError:
            continue
    told = [binary for binary in seen if binary is not None]
    return bool(told) and all(told)
