"""GrabCut and Berkeley, as published and as RITM's evaluation reads them.

Rother, Kolmogorov and Blake, "GrabCut", SIGGRAPH 2004; McGuinness and O'Connor, "A comparative
evaluation of interactive segmentation algorithms", Pattern Recognition 2010.
"""

from __future__ import annotations

from pathlib import Path

from edgeflow.data.folder import has_binary_masks, has_table
from edgeflow.data.label_maps import binary, trimap
from edgeflow.data.paired import TwoFolders


class GrabCut(TwoFolders):
    """``data_GT/<id>.*`` and ``boundary_GT/<id>.bmp``: 0 background, 128 ignore, 255 object."""

    images, masks, interpretation = "data_GT", "boundary_GT", staticmethod(trimap)


class Berkeley(TwoFolders):
    """``images/<id>.*`` and ``masks/<id>.*``: above 128 is the one object; nothing ignored."""

    images, masks, interpretation = "images", "masks", staticmethod(binary)

    @classmethod
    def recognise(cls, path: Path) -> bool:
        """Whether both folders are there, with masks of only 0 and 255, and no table of them.

        :class:`edgeflow.data.folder.Folder` has the same tree; there such masks hold no object.
        """
        return super().recognise(path) and not has_table(path) and has_binary_masks(path)
