"""Masks that are given for some frames of a folder, by the frames' names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgeflow.data.base import DatasetError
from edgeflow.data.files import MASKS, files_in, read_bytes
from edgeflow.data.label_maps import IGNORE, label_map, numbers_in
from edgeflow.masks.patch import MaskPatch
from edgeflow.sequences.linking import SequenceObject


def frame_named(name: str, frames: Sequence[Path]) -> int:
    """The number of the frame of that name, with or without extension.

    Raises:
        DatasetError: There is none.
    """
    for number, frame in enumerate(frames):
        if name in (frame.name, frame.stem):
            return number
    raise DatasetError(
        f"there is no frame {name!a} in {frames[0].parent}",
        hint=f"frames are called as their files are, such as {frames[0].name}",
    )


def mask_files(paths: Sequence[Path], frames: Sequence[Path]) -> dict[int, Path]:
    """Mask files by the number of the frame that they are named after.

    Args:
        paths: Files, and folders of files.
        frames: In order.

    Raises:
        DatasetError: A file is named after no frame, or two after one.
    """
    files = [each for path in paths for each in (_inside(path) if path.is_dir() else [path])]
    found: dict[int, Path] = {}
    for path in files:
        number = frame_named(path.stem, frames)
        if number in found:
            raise DatasetError(
                f"{found[number]} and {path} are for the same frame", hint="keep one of them"
            )
        found[number] = path
    return found


def numbered_objects(files: dict[int, Path]) -> list[SequenceObject]:
    """The objects of index masks: 0 background, k object k.

    A mask tells of all objects: one that it lacks is not on that frame. In 8 bits 255 is to be
    ignored, unless it is all that there is: a mask of black and white is one object, number 1.

    Args:
        files: Masks by frame.

    Raises:
        DatasetError: A mask cannot be read, or none holds an object.
    """
    known: dict[int, dict[int, MaskPatch]] = {}
    for frame, path in sorted(files.items()):
        labels = label_map(read_bytes(path), str(path))
        ignored = IGNORE if labels.dtype == np.uint8 else None
        numbers = numbers_in(labels, ignored)
        if not numbers and ignored is not None and (labels == IGNORE).any():
            labels, numbers = (labels == IGNORE).astype(np.uint8), [1]
        for number in dict.fromkeys([*numbers, *known]):
            known.setdefault(number, {})[frame] = MaskPatch.of(labels == number)
    for masks in known.values():  # objects that appear later are not on earlier frames
        some = next(iter(masks.values()))
        for frame in files.keys() - masks.keys():
            masks[frame] = MaskPatch.of(np.zeros(some.image_size, dtype=np.bool_))
    if not known:
        raise DatasetError(
            "the masks hold no object", hint="a mask has 0 for background and k for object k"
        )
    return [SequenceObject(str(number), "", (), masks) for number, masks in sorted(known.items())]


def _inside(folder: Path) -> list[Path]:
    found = files_in(folder, MASKS)
    if not found:
        raise DatasetError(f"there is no mask in {folder}", hint=f"masks end in {', '.join(MASKS)}")
    return found
