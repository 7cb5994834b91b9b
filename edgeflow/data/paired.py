"""Datasets of files in pairs: an image and its annotation, such as a mask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import ClassVar, NamedTuple

from edgeflow.data.base import DatasetError, Sample
from edgeflow.data.files import IMAGES, MASKS, files_by_stem, image_for, read_bytes
from edgeflow.data.label_maps import Annotation
from edgeflow.data.left_out import LeftOut
from edgeflow.data.listed import ListedDataset, count_and_first

Interpretation = Callable[[bytes, str], Annotation]
"""From an annotation file's bytes, and its name for messages, to the annotation."""


class Pair(NamedTuple):
    """The files of a sample."""

    image: Path
    annotation: Path


class PairedDataset(ListedDataset[Pair]):
    """Images and annotation files.

    Args:
        name: Name in reports.
        pairs: Pairs by sample name, in order.
        interpret: Reads an annotation file.
        class_names: Classes that the dataset declares.
        left_out: What is not among the pairs.

    Raises:
        DatasetError: See :class:`edgeflow.data.listed.ListedDataset`.
    """

    def __init__(
        self,
        name: str,
        pairs: Mapping[str, Pair],
        interpret: Interpretation,
        *,
        class_names: Iterable[str] = (),
        left_out: Iterable[LeftOut] = (),
    ) -> None:
        super().__init__(name, pairs, class_names=class_names, left_out=left_out)
        self._interpret = interpret

    def _read(self, name: str, entry: Pair) -> Sample:
        annotation = self._interpret(read_bytes(entry.annotation), str(entry.annotation))
        rgb = image_for(
            read_bytes(entry.image),
            annotation.size,
            str(entry.image),
            str(entry.annotation),
        )
        return Sample(
            name,
            rgb,
            annotation.objects,
            annotation.ignore,
            annotation.labels,
            file_name=f"{name}{entry.image.suffix}",
            path=entry.image,
        )


class TwoFolders(PairedDataset):
    """Images and masks in two folders, paired by name. Layouts say which folders and masks.

    Args:
        root: Folder that holds both.

    Raises:
        DatasetError: A mask has no image.
    """

    images: ClassVar[str]
    masks: ClassVar[str]
    interpretation: ClassVar[staticmethod[[bytes, str], Annotation]]

    def __init__(self, root: Path) -> None:
        pairs = pairs_in(root / self.images, root / self.masks)
        super().__init__(root.name, pairs, self.interpretation)

    @classmethod
    def recognise(cls, path: Path) -> bool:
        """Whether both folders are there."""
        return (path / cls.images).is_dir() and (path / cls.masks).is_dir()


def pairs_in(images: Path, masks: Path) -> dict[str, Pair]:
    """The masks of a folder, sorted by name, each with its image. Images alone are left out.

    Raises:
        DatasetError: A folder cannot be read, or a mask has no image.
    """
    image_files = files_by_stem(images, IMAGES)
    mask_files = files_by_stem(masks, MASKS)
    alone = [path.name for stem, path in mask_files.items() if stem not in image_files]
    if alone:
        raise DatasetError(
            f"{masks}: {count_and_first(alone)} without an image in {images}",
            hint="images are named as their masks, with any of " + " ".join(IMAGES),
        )
    return {stem: Pair(image_files[stem], path) for stem, path in mask_files.items()}
