"""Folders of pictures as sequences: in the order in which people count."""

from __future__ import annotations

import re
from pathlib import Path

from edgeflow.data.base import DatasetError
from edgeflow.data.files import IMAGES, files_by_stem

MOST_DIGITS = 300
"""Of a number in a name; Python reads no more than some thousands."""

_DIGITS = re.compile(r"([0-9]+)")


def natural_key(name: str) -> tuple[list[tuple[str, int]], str]:
    """A key that sorts ``frame2`` before ``frame10``; equal names alone have equal keys."""
    parts = _DIGITS.split(name)
    numbers = [int(digits[:MOST_DIGITS]) for digits in parts[1::2]]
    return list(zip(parts[::2], [*numbers, -1], strict=True)), name


def pictures_in(folder: Path) -> list[Path]:
    """The images right in a folder, in the order of the numbers in their names.

    Raises:
        DatasetError: It is no folder, holds no image, or two differ in their extension alone.
    """
    if not folder.is_dir():
        raise DatasetError(f"{folder} is no folder", hint="name the folder of the frames")
    files = files_by_stem(folder, IMAGES)
    if not files:
        raise DatasetError(
            f"there is no image in {folder}", hint=f"frames end in {', '.join(IMAGES)}"
        )
    return sorted(files.values(), key=lambda path: natural_key(path.name))
