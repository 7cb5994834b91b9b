"""GrabCut and Berkeley, as published and as RITM's evaluation reads them.

Rother, Kolmogorov and Blake, "GrabCut", SIGGRAPH 2004; McGuinness and O'Connor, "A comparative
evaluation of interactive segmentation algorithms", Pattern Recognition 2010.
"""

from __future__ import annotations

from pathlib import Path

from edgeflow.data.folder import has_binary_masks, has_images_and_masks
from edgeflow.data.label_maps import binary, trimap
from edgeflow.data.paired import PairedDataset, pairs_in


class GrabCut(PairedDataset):
    """``data_GT/<id>.*`` and ``boundary_GT/<id>.bmp``: 0 background, 128 ignore, 255 object.

    Args:
        root: the folder that holds both.

    Raises:
        DatasetError: a mask has no image.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root.name, pairs_in(root / "data_GT", root / "boundary_GT"), trimap)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the tree is there."""
        return (path / "data_GT").is_dir() and (path / "boundary_GT").is_dir()


class Berkeley(PairedDataset):
    """``images/<id>.*`` and ``masks/<id>.*``: above 128 is the one object, and nothing is ignored.

    Args:
        root: the folder that holds both.

    Raises:
        DatasetError: a mask has no image.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root.name, pairs_in(root / "images", root / "masks"), binary)

    @staticmethod
    def recognise(path: Path) -> bool:
        """Whether the tree is there, with masks of nothing but 0 and 255.

        :class:`edgeflow.data.folder.Folder` has the same tree; there such masks hold no object.
        """
        return has_images_and_masks(path) and has_binary_masks(path)
