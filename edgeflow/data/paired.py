"""Datasets of files in pairs: a picture, and a mask or the like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.files import MASKS, PICTURES, files_by_stem, picture_for, read_bytes
from edgeflow.data.label_maps import Annotation
from edgeflow.data.listed import ListedDataset, count_and_first

Interpretation = Callable[[bytes, str], Annotation]
"""From an annotation file's bytes and its name for messages."""


class Pair(NamedTuple):
    """Two files."""

    picture: Path
    annotation: Path


class PairedDataset(ListedDataset[Pair]):
    """Pictures and annotation files.

    Args:
        name: what it is called in reports.
        pairs: by sample name, in order.
        interpret: what an annotation file says.

    Raises:
        DatasetError: see :class:`edgeflow.data.listed.ListedDataset`.
    """

    def __init__(self, name: str, pairs: Mapping[str, Pair], interpret: Interpretation) -> None:
        super().__init__(name, pairs)
        self._interpret = interpret

    def _read(self, name: str, entry: Pair) -> Sample:
        annotation = self._interpret(read_bytes(entry.annotation), str(entry.annotation))
        rgb = picture_for(
            read_bytes(entry.picture),
            annotation.size,
            str(entry.picture),
            str(entry.annotation),
        )
        return Sample(name, rgb, annotation.objects, annotation.ignore)


def pairs_in(pictures: Path, masks: Path) -> dict[str, Pair]:
    """The masks of a folder, sorted by name, each with its picture. Pictures alone are left out.

    Raises:
        DatasetError: a folder cannot be read, or a mask has no picture.
    """
    picture_files = files_by_stem(pictures, PICTURES)
    mask_files = files_by_stem(masks, MASKS)
    alone = [path.name for stem, path in mask_files.items() if stem not in picture_files]
    if alone:
        raise DatasetError(
            f"{masks}: {count_and_first(alone)} without a picture in {pictures}",
            hint="pictures are named as their masks, with any of " + " ".join(PICTURES),
        )
    return {stem: Pair(picture_files[stem], path) for stem, path in mask_files.items()}
