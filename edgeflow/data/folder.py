"""Images and masks in two folders, with the same names.

``folder``: ``images/`` and ``masks/``, whose values number the objects. ``img-gt``: ``img/`` and
``gt/``, as RITM (Sofiiuk et al., 2021) publishes its 345 DAVIS frames and COCO_MVal. For masks
of 0 and 255 see :class:`edgeflow.data.grabcut.Berkeley`.
"""

from __future__ import annotations

from pathlib import Path

from edgeflow.data.annotation_files.metadata_jsonl import FILE as METADATA
from edgeflow.data.annotation_files.tables import CLASSES, INSTANCES
from edgeflow.data.base import DatasetError
from edgeflow.data.files import MASKS, files_by_stem, read_bytes
from edgeflow.data.label_maps import any_value, is_binary, numbered
from edgeflow.data.paired import TwoFolders

PROBED = 16
TABLES = (CLASSES, INSTANCES, METADATA)


class Folder(TwoFolders):
    """``images/<id>.*`` and ``masks/<id>.png``: 0 background, k object k, 255 ignore.

    Masks have one channel of 8 or 16 bits, or a palette; only in 8 bits is 255 special.

    Args:
        root: Folder that holds both.

    Raises:
        DatasetError: A mask has no image, or the masks hold nothing but 0 and 255.
    """

    images, masks, interpretation = "images", "masks", staticmethod(numbered)

    def __init__(self, root: Path) -> None:
        if has_binary_masks(root):
            raise DatasetError(
                f"{root / 'masks'}: nothing but 0 and 255, and in numbered masks 255 is ignored",
                hint="use the layout berkeley, where 255 is the object",
            )
        super().__init__(root)

    @classmethod
    def recognise(cls, path: Path) -> bool:
        """Whether both folders are there, with masks that number objects, and no table of them."""
        return super().recognise(path) and not has_table(path) and not has_binary_masks(path)


class ImgGt(TwoFolders):
    """``img/<id>.*`` and ``gt/<id>.*``: pixels that are not black are the one object."""

    images, masks, interpretation = "img", "gt", staticmethod(any_value)


def has_table(root: Path) -> bool:
    """Whether a table says what is in the masks, which makes it another layout."""
    return any((root / name).is_file() for name in TABLES)


def has_binary_masks(root: Path) -> bool:
    """Whether the masks of ``masks/`` have values 0 and 255 alone.

    Up to ``PROBED`` of them are read, evenly spread. Empty and unreadable ones do not count.
    """
    paths = list(files_by_stem(root / "masks", MASKS).values())
    verdicts = []
    for path in paths[:: max(1, -(-len(paths) // PROBED))]:
        try:
            verdict = is_binary(read_bytes(path), str(path))
        except DatasetError:
            continue
        if verdict is not None:
            verdicts.append(verdict)
    return bool(verdicts) and all(verdicts)
