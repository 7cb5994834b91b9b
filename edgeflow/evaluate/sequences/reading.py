"""Folders of frames with masks, as sequences of one object each.

DAVIS (``JPEGImages/480p/<sequence>`` beside ``Annotations/480p/<sequence>``), or ``images/`` beside
``masks/``: of one sequence, of several (``images/<sequence>``), or in each sequence's folder.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edgeflow.data.base import DatasetError
from edgeflow.data.davis import sequences as folders_in
from edgeflow.data.files import image_for, read_bytes
from edgeflow.data.label_maps import IGNORE, Labels, any_value, has_colours, label_map, numbers_in
from edgeflow.data.paired import Pair, pairs_in
from edgeflow.evaluate.chance import chance
from edgeflow.evaluate.sequences.sequence import AnnotatedPage
from edgeflow.geometry import Size

IMAGES, MASKS = "images", "masks"
FRAMES, ANNOTATIONS = "JPEGImages", "Annotations"
PREFERRED = "480p"


class _Folders(NamedTuple):
    name: str
    images: Path
    masks: Path


@dataclass(frozen=True)
class FolderSequence:
    """One object of a folder of frames; see :class:`.PageSequence`.

    Frames without a mask file are left out.

    Attributes:
        name: ``<sequence>#<number of the object>``.
        pairs: Frames and masks, from the first one that shows the object.
        number: Its value in the masks; None where everything that is not black is the object.
    """

    name: str
    pairs: Sequence[Pair]
    number: int | None

    def __len__(self) -> int:
        """How many pages there are."""
        return len(self.pairs)

    def __getitem__(self, index: int) -> AnnotatedPage:
        """A page, by its number from 0.

        Raises:
            DatasetError: It cannot be read.
        """
        image, mask = self.pairs[index]
        data, source = read_bytes(mask), str(mask)
        if self.number is None:
            annotation = any_value(data, source)
            blank = np.zeros(tuple(annotation.size), dtype=np.bool_)
            truth, ignore = (annotation.objects or (blank,))[0], None
        else:
            labels = label_map(data, source)
            truth = labels == self.number
            ignore = labels == IGNORE if labels.dtype == np.uint8 else None
        size = Size(*truth.shape)
        rgb = image_for(read_bytes(image), size, str(image), source)
        return AnnotatedPage(rgb, truth, ignore if ignore is not None and ignore.any() else None)


@dataclass(frozen=True)
class Opened:
    """A folder of frames.

    Attributes:
        name: Of the folder.
        pairs: Frames and masks in the order of their names.
    """

    name: str
    pairs: Sequence[Pair]

    def objects(self, most_objects: int, most_pages: int) -> Iterator[FolderSequence]:
        """Its objects, each from the first page that shows it; drawn by chance where too many.

        Raises:
            DatasetError: A mask cannot be read.
        """
        first = {
            number: page
            for number, page in self._first_pages.items()
            if page < len(self.pairs) - 1  # with none behind it nothing can be carried
        }
        drawn = chance("sequence", self.name).permutation(len(first))[:most_objects]
        for number in sorted(list(first)[index] for index in drawn.tolist()):
            pairs = self.pairs[first[number] :][:most_pages]
            yield FolderSequence(f"{self.name}#{number}", pairs, None if self._binary else number)

    @cached_property
    def _first_pages(self) -> dict[int, int]:
        first: dict[int, int] = {}
        for page, labels in enumerate(self._labels()):
            if self._binary:
                numbers = [1] if labels.any() else []
            else:
                numbers = numbers_in(labels, IGNORE if labels.dtype == np.uint8 else None)
            for number in numbers:
                first.setdefault(number, page)
        return first

    @cached_property
    def _binary(self) -> bool:
        """Whether masks show one object in white, or in colours."""
        values = {value for labels in self._labels() for value in np.unique(labels).tolist()}
        return values - {0} == {IGNORE}

    def _labels(self) -> Iterator[Labels]:
        for _, mask in self.pairs:
            data, source = read_bytes(mask), str(mask)
            if has_colours(data, source):
                objects = any_value(data, source).objects
                yield (
                    objects[0].astype(np.uint8) * np.uint8(IGNORE)
                    if objects
                    else np.zeros((1, 1), dtype=np.uint8)
                )
            else:
                yield label_map(data, source)


def open_sequences(root: Path) -> list[Opened]:
    """The sequences in a folder, sorted by name.

    Raises:
        DatasetError: There are none, a folder cannot be read, or a mask has no image.
    """
    found = []
    for name, images, masks in _folders(root):
        pairs = pairs_in(images, masks)
        ordered = sorted(pairs, key=_in_numbers)
        if len(ordered) > 1:
            found.append(Opened(name, [pairs[stem] for stem in ordered]))
    if not found:
        raise DatasetError(
            f"{root}: no sequence of annotated frames",
            hint="put frames into images/ and their masks, named alike, into masks/; of several "
            "sequences each into its own folder; or give a folder of DAVIS",
        )
    return found


def _folders(root: Path) -> Iterator[_Folders]:
    home = root / "DAVIS" if (root / "DAVIS" / FRAMES).is_dir() else root
    if (home / FRAMES).is_dir() and (home / ANNOTATIONS).is_dir():
        resolutions = folders_in(home / ANNOTATIONS)
        nested = [name for name in resolutions if folders_in(home / ANNOTATIONS / name)]
        part = PREFERRED if PREFERRED in nested else (nested or [""])[0]
        yield from _several(home / FRAMES / part, home / ANNOTATIONS / part)
    elif (root / IMAGES).is_dir() and (root / MASKS).is_dir():
        several = list(_several(root / IMAGES, root / MASKS))
        yield from several or [_Folders(root.name, root / IMAGES, root / MASKS)]
    else:
        for name in folders_in(root):
            images, masks = root / name / IMAGES, root / name / MASKS
            if images.is_dir() and masks.is_dir():
                yield _Folders(name, images, masks)


def _several(images: Path, masks: Path) -> Iterator[_Folders]:
    for name in folders_in(masks):
        yield _Folders(name, images / name, masks / name)


def _in_numbers(name: str) -> list[tuple[int, str]]:
    """A key that puts ``frame10`` behind ``frame9``."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    ]
